import Testing
import Wire

/// ICMP and ICMPv6 echo, neighbour discovery.
@Suite struct ControlMessageTests {
    static let local = MACAddress(0x0200_0000_0001)
    static let remote = MACAddress(0x0200_0000_0002)

    static func echo(_ source: String, _ destination: String, data: [UInt8]) throws -> [UInt8] {
        let source = try #require(IPAddress(source))
        let destination = try #require(IPAddress(destination))
        let header = source.isV4 ? 34 : 54
        let length = 8 + data.count
        return written(header + length) { block in
            let base = block.baseAddress!
            EthernetHeader(
                destination: local, source: remote,
                etherType: source.isV4 ? EthernetHeader.ipv4 : EthernetHeader.ipv6
            ).write(to: base)
            var sum: UInt32 = 0
            if source.isV4 {
                IPv4Header.write(
                    to: base + 14, source: source, destination: destination, protocol: 1, payloadLength: length)
            } else {
                IPv6Header.write(
                    to: base + 14, source: source, destination: destination, nextHeader: 58, payloadLength: length)
                sum = InternetChecksum.pseudoHeader(
                    source: source, destination: destination, protocol: 58, length: length)
            }
            let message = base + header
            message.setBE32(source.isV4 ? 0x0800_0000 : 0x8000_0000, at: 0)
            message.setBE32(0x1234_0005, at: 4)
            UnsafeMutableRawBufferPointer(start: message + 8, count: data.count).copyBytes(from: data)
            message.setBE16(InternetChecksum.finish(sum + InternetChecksum.sum(message, count: length)), at: 2)
            return block.count
        }
    }

    /// Whether the ICMP checksum of a frame is right.
    static func isValid(_ raw: UnsafeRawBufferPointer, isV4: Bool) -> Bool {
        let packet = raw.part(14, raw.count - 14)
        if isV4 {
            guard let header = IPv4Header(packet) else { return false }
            let sum = InternetChecksum.sum(header.payload.baseAddress!, count: header.payloadLength)
            return header.isChecksumValid && InternetChecksum.finish(sum) == 0
        }
        guard let header = IPv6Header(packet) else { return false }
        let pseudo = InternetChecksum.pseudoHeader(
            source: header.source, destination: header.destination, protocol: 58, length: header.payloadLength)
        let sum = InternetChecksum.sum(header.payload.baseAddress!, count: header.payloadLength)
        return InternetChecksum.finish(pseudo + sum) == 0
    }

    @Test(arguments: [("192.0.2.9", "192.0.2.1"), ("2001:db8::9", "2001:db8::1")])
    func echoIsAnsweredInPlace(_ source: String, _ destination: String) throws {
        var frame = try Self.echo(source, destination, data: [UInt8](1...57))
        #expect(FrameTests.kind(frame) == "icmp")
        let isV4 = !source.contains(":")
        if isV4 {
            // Another time to live than ours, to see its checksum follow.
            frame[22] = 3
            frame.withUnsafeMutableBytes { block in
                let base = block.baseAddress!
                base.setBE16(0, at: 24)
                base.setBE16(InternetChecksum.finish(InternetChecksum.sum(base + 14, count: 20)), at: 24)
            }
        }
        let reply = try written(frame.count) { block in
            block.copyBytes(from: frame)
            let echo = try #require(ICMPEcho(frame: UnsafeRawBufferPointer(block)))
            #expect(echo.source.description == source && echo.destination.description == destination)
            #expect(echo.identifier == 0x1234 && echo.sequence == 5 && echo.frameLength == frame.count)
            echo.reply(in: block.baseAddress!, from: Self.local)
            return block.count
        }
        try with(reply) { raw in
            #expect(Self.isValid(raw, isV4: isV4))
            let ethernet = try #require(EthernetHeader(raw))
            #expect(ethernet.destination == Self.remote && ethernet.source == Self.local)
            let base = raw.baseAddress!
            let replied = isV4 ? IPAddress(loadV4: base, at: 30) : IPAddress(loadV6: base, at: 38)
            let owner = isV4 ? IPAddress(loadV4: base, at: 26) : IPAddress(loadV6: base, at: 22)
            #expect(replied.description == source && owner.description == destination)
            #expect(base.u8(isV4 ? 22 : 21) == 64)
            #expect(base.u8(isV4 ? 34 : 54) == (isV4 ? 0 : 129))
            #expect(Array(raw.suffix(57)) == [UInt8](1...57))
        }
        // A reply is not answered again.
        with(reply) { #expect(ICMPEcho(frame: $0) == nil) }
    }

    @Test func wrongEchoChecksumStaysWrong() throws {
        var frame = try Self.echo("192.0.2.9", "192.0.2.1", data: [1, 2, 3])
        frame[44] ^= 1
        try frame.withUnsafeMutableBytes { block in
            try #require(ICMPEcho(frame: UnsafeRawBufferPointer(block))).reply(in: block.baseAddress!, from: Self.local)
            #expect(!Self.isValid(UnsafeRawBufferPointer(block), isV4: true))
        }
    }

    private func write(_ solicitation: NeighborSolicitation) -> [UInt8] {
        written(NeighborSolicitation.frameLength) { block in
            solicitation.write(to: block.baseAddress!)
            return block.count
        }
    }

    @Test func solicitationIsAnswered() throws {
        let asker = try #require(IPAddress("fe80::2"))
        let owner = try #require(IPAddress("2001:db8::aa:bbcc:ddee"))
        let frame = write(NeighborSolicitation(source: asker, target: owner, sourceMAC: Self.remote))
        #expect(FrameTests.kind(frame) == "neighbor")
        #expect(Array(frame.prefix(6)) == [0x33, 0x33, 0xff, 0xcc, 0xdd, 0xee])
        let received = try with(frame) { try #require(NeighborSolicitation(frame: $0)) }
        #expect(received.source == asker && received.target == owner && received.sourceMAC == Self.remote)
        #expect(received.destination.description == "ff02::1:ffcc:ddee")
        let answer = NeighborAdvertisement(answering: received, owner: Self.local)
        let reply = written(NeighborAdvertisement.frameLength) { block in
            answer.write(to: block.baseAddress!, nextHop: received.sourceMAC)
            return block.count
        }
        with(reply) { raw in
            #expect(Self.isValid(raw, isV4: false))
            #expect(NeighborAdvertisement(frame: raw) == answer)
            #expect(answer.isSolicited && answer.overrides && answer.destination == asker)
            #expect(EthernetHeader(raw)?.destination == Self.remote)
        }
    }

    /// RFC 4861 section 7.2.4: the asker has no address yet, so all nodes hear the answer.
    @Test func duplicateDetectionIsAnsweredToAllNodes() throws {
        let owner = try #require(IPAddress("fe80::1"))
        let probe = NeighborSolicitation(
            source: IPAddress(high: 0, low: 0), target: owner, sourceMAC: Self.remote)
        let answer = NeighborAdvertisement(answering: probe, owner: Self.local)
        #expect(answer.destination.description == "ff02::1" && !answer.isSolicited)
    }

    @Test func forgedNeighbourMessagesAreRefused() throws {
        let good = write(
            NeighborSolicitation(
                source: try #require(IPAddress("fe80::2")), target: try #require(IPAddress("fe80::1")),
                sourceMAC: Self.remote))
        func accepts(_ frame: [UInt8]) -> Bool { with(frame) { NeighborSolicitation(frame: $0) != nil } }
        #expect(accepts(good))
        for offset in [21, 55, 56, 62, 78, 79, 80] {
            var frame = good
            // Hop limit, code, checksum, target, option type, option length, option.
            frame[offset] ^= 0x10
            #expect(!accepts(frame), "byte \(offset)")
        }
        for count in 0..<good.count { #expect(!accepts(Array(good.prefix(count)))) }
    }
}
