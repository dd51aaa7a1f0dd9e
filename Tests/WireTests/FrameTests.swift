import TestSupport
import Testing
import Wire

/// Everything below Wire's datagrams: classification, templates, ARP, echo, neighbour discovery.
@Suite struct FrameTests {
    static let local = MACAddress(0x0200_0000_0001)
    static let remote = MACAddress(0x0200_0000_0002)

    static func template(_ source: String, _ destination: String) throws -> FrameTemplate {
        FrameTemplate(
            source: try #require(Endpoint(source)), destination: try #require(Endpoint(destination)),
            sourceMAC: local, destinationMAC: remote)
    }

    /// A frame with a software checksum.
    static func frame(_ template: FrameTemplate, _ payload: [UInt8], identification: UInt16 = 0) -> [UInt8] {
        written(template.length + payload.count) { block in
            let base = block.baseAddress!
            template.write(into: base, payloadLength: payload.count, identification: identification)
            UnsafeMutableRawBufferPointer(rebasing: block[template.length...]).copyBytes(from: payload)
            template.fillChecksum(in: base, payloadLength: payload.count)
            return block.count
        }
    }

    static let families = [("192.0.2.1:3478", "198.51.100.7:40000"), ("[2001:db8::1]:3478", "[2001:db8:1::7]:40000")]

    @Test(arguments: families)
    func writtenFrameIsReadAgain(_ source: String, _ destination: String) throws {
        let template = try Self.template(source, destination)
        #expect(template.isV4 == !source.contains("["))
        #expect(template.length == (template.isV4 ? 42 : 62))
        var random = SplitMix(seed: 3)
        for count in [0, 1, 2, 3, 100, 1200, 1472] {
            let payload = random.bytes(count)
            let padded = Self.frame(template, payload, identification: 0xfffe) + [UInt8](repeating: 0, count: 18)
            try with(padded) { raw in
                let datagram = try #require(DatagramFrame(raw))
                #expect(datagram.source.description == source && datagram.destination.description == destination)
                #expect(datagram.isV4 == template.isV4)
                #expect(datagram.sourceMAC == Self.local && datagram.destinationMAC == Self.remote)
                #expect(Array(datagram.payload) == payload)
                #expect(datagram.payloadOffset == template.length)
                let pseudo = InternetChecksum.pseudoHeader(
                    source: datagram.source.address, destination: datagram.destination.address, protocol: 17,
                    length: count + 8)
                let sum = pseudo + InternetChecksum.sum(raw.baseAddress! + datagram.udpOffset, count: count + 8)
                #expect(InternetChecksum.finish(sum) == 0)
                if template.isV4 {
                    let header = try #require(IPv4Header(UnsafeRawBufferPointer(rebasing: raw[14...])))
                    #expect(header.isChecksumValid && header.identification == 0xfffe && header.timeToLive == 64)
                }
            }
        }
    }

    @Test func templateIsOneCacheLine() { #expect(MemoryLayout<FrameTemplate>.size == 64) }

    @Test func writtenHeaderStaysInItsLength() throws {
        for (source, destination) in Self.families {
            let template = try Self.template(source, destination)
            let block = written(64) { block in
                template.write(into: block.baseAddress!, payloadLength: 10)
                return block.count
            }
            #expect(block[template.length...].allSatisfy { $0 == 0xee })
        }
    }

    @Test func trafficClassIsOnTheWire() throws {
        for (source, destination) in Self.families {
            let template = FrameTemplate(
                source: try #require(Endpoint(source)), destination: try #require(Endpoint(destination)),
                sourceMAC: Self.local, destinationMAC: Self.remote, trafficClass: 0xb8)
            with(Self.frame(template, [1, 2, 3])) { raw in
                #expect(DatagramFrame(raw)?.trafficClass == 0xb8)
                if template.isV4 { #expect(IPv4Header(raw.part(14, raw.count - 14))?.isChecksumValid == true) }
            }
        }
    }

    /// The sum that a device goes on from: finished over the datagram it gives the software's checksum.
    @Test(arguments: families)
    func pseudoHeaderSumLeadsToTheChecksum(_ source: String, _ destination: String) throws {
        let template = try Self.template(source, destination)
        let payload = [UInt8](1...99)
        var frame = Self.frame(template, payload)
        let udp = template.length - 8
        let software = Array(frame[udp + 6..<udp + 8])
        frame.withUnsafeMutableBytes {
            template.fillPseudoHeaderSum(in: $0.baseAddress!, payloadLength: payload.count)
        }
        with(Array(frame[udp...])) { raw in
            let checksum = InternetChecksum.finishUDP(InternetChecksum.sum(raw.baseAddress!, count: raw.count))
            #expect([UInt8(checksum >> 8), UInt8(checksum & 0xff)] == software)
        }
    }

    /// A payload whose complement makes the sum 0xffff: the field must say 0xffff, as 0 means "no checksum".
    @Test func checksumIsNeverZero() throws {
        let template = try Self.template("[2001:db8::1]:3478", "[2001:db8:1::7]:40000")
        let frame = Self.frame(template, [0, 0])
        let checksum = Array(frame[60..<62])
        #expect(Array(Self.frame(template, checksum)[60..<62]) == [0xff, 0xff])
    }

    @Test func knownIPv4HeaderChecksum() throws {
        // The worked example of the encyclopedias' articles on this checksum.
        try with("4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7" + String(repeating: "00", count: 95)) { raw in
            let header = try #require(IPv4Header(raw))
            #expect(header.isChecksumValid && header.checksum == 0xb861)
            #expect(header.source.description == "192.168.0.1" && header.destination.description == "192.168.0.199")
            let own = written(20) { block in
                IPv4Header.write(
                    to: block.baseAddress!, source: header.source, destination: header.destination, protocol: 17,
                    payloadLength: 95)
                return 20
            }
            #expect(own == Array(raw.prefix(20)))
        }
    }
}

extension FrameTests {
    /// What `classify` says of a frame, as text.
    static func kind(_ frame: [UInt8]) -> String {
        with(frame) { raw in
            switch DatagramFrame.classify(raw) {
            case .udp: "udp"
            case .arp: "arp"
            case .icmp: "icmp"
            case .neighbor: "neighbor"
            case .fragment: "fragment"
            case .notOurs: "notOurs"
            case .truncated: "truncated"
            case .badAddress: "badAddress"
            }
        }
    }

    @Test(arguments: families)
    func everyPrefixIsTruncated(_ source: String, _ destination: String) throws {
        let frame = Self.frame(try Self.template(source, destination), [1, 2, 3, 4])
        #expect(Self.kind(frame) == "udp")
        for count in 0..<frame.count { #expect(Self.kind(Array(frame.prefix(count))) == "truncated") }
    }

    @Test func hostileIPv4Fields() throws {
        let good = Self.frame(try Self.template("192.0.2.1:1", "192.0.2.2:2"), [UInt8](repeating: 7, count: 20))
        func changed(_ offset: Int, _ values: UInt8...) -> String {
            var frame = good
            for (index, value) in values.enumerated() { frame[offset + index] = value }
            return Self.kind(frame)
        }
        #expect(changed(14, 0x44) == "truncated")
        #expect(changed(14, 0x65) == "truncated")
        #expect(changed(14, 0x4f) == "truncated")
        #expect(changed(16, 0xff, 0xff) == "truncated")
        #expect(changed(16, 0, 19) == "truncated")
        #expect(changed(16, 0, 27) == "truncated")
        #expect(changed(38, 0, 7) == "truncated")
        #expect(changed(38, 0, 29) == "truncated")
        #expect(changed(38, 0, 8) == "udp")
        #expect(changed(20, 0x20, 0) == "fragment")
        #expect(changed(20, 0, 1) == "fragment")
        #expect(changed(20, 0, 0) == "udp")
        #expect(changed(23, 6) == "notOurs")
        #expect(changed(26, 224) == "badAddress")
        #expect(changed(26, 255, 255, 255, 255) == "badAddress")
        #expect(changed(12, 0x81, 0) == "notOurs")
        #expect(changed(12, 0x86, 0xdd) == "truncated")
    }

    @Test func hostileIPv6Fields() throws {
        let good = Self.frame(try Self.template("[2001:db8::1]:1", "[2001:db8::2]:2"), [1, 2, 3])
        func changed(_ offset: Int, _ values: [UInt8]) -> String {
            var frame = good
            frame.replaceSubrange(offset..<offset + values.count, with: values)
            return Self.kind(frame)
        }
        #expect(changed(18, [0xff, 0xff]) == "truncated")
        #expect(changed(18, [0, 7]) == "truncated")
        #expect(changed(58, [0, 12]) == "truncated")
        #expect(changed(20, [44]) == "fragment")
        #expect(changed(20, [0]) == "notOurs")
        #expect(changed(20, [6]) == "notOurs")
        #expect(changed(22, [0xff, 2]) == "badAddress")
        let mapped = [UInt8](repeating: 0, count: 10) + [0xff, 0xff, 192, 0, 2, 1]
        #expect(changed(22, mapped) == "badAddress")
    }

    @Test func optionsOfIPv4AreSkipped() throws {
        var frame = Self.frame(try Self.template("192.0.2.1:1", "192.0.2.2:2"), [9, 8])
        frame.insert(contentsOf: [1, 1, 1, 0], at: 34)
        frame[14] = 0x46
        frame[17] += 4
        try with(frame) { raw in
            let datagram = try #require(DatagramFrame(raw))
            #expect(datagram.payloadOffset == 46 && Array(datagram.payload) == [9, 8])
            #expect(datagram.destination.description == "192.0.2.2:2")
        }
    }

    /// A request as on the wire, and the answer.
    @Test func arpRequestIsAnswered() throws {
        let text = """
            ffffffffffff 020000000002 0806 0001 0800 06 04 0001
            020000000002 0a000002 000000000000 0a000001
            """
        #expect(Self.kind(bytes(text)) == "arp")
        let request = try with(text) { try #require(ARPPacket(frame: $0)) }
        #expect(request.operation == .request && request.senderMAC == Self.remote)
        #expect(request.senderAddress.description == "10.0.0.2" && request.targetAddress.description == "10.0.0.1")
        #expect(write(request) == bytes(text))
        let reply = """
            020000000002 020000000001 0806 0001 0800 06 04 0002
            020000000001 0a000001 020000000002 0a000002
            """
        #expect(write(request.reply(from: Self.local)) == bytes(reply))
        with(Array(bytes(text).dropLast())) { #expect(ARPPacket(frame: $0) == nil) }
        var other = bytes(text)
        other[21] = 3
        with(other) { #expect(ARPPacket(frame: $0) == nil) }
    }

    private func write(_ packet: ARPPacket) -> [UInt8] {
        written(ARPPacket.frameLength) { block in
            packet.write(to: block.baseAddress!)
            return block.count
        }
    }
}
