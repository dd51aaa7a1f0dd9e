import CPacketSocket
import Testing
import Wire

@testable import Dataplane

/// Frames of one burst as messages to the kernel. What the kernel makes of a message (linux/virtio_net.h) is done here from
/// the RFCs, and compared with the frames.
@Suite("Messages of a packet socket")
struct PortMessageTests {
    private static let own = Endpoint(address: IPAddress(v4: 0xc000_0202), port: 3_478)
    private static let ownV6 = Endpoint(address: IPAddress(high: 0x2001_0db8_0000_0000, low: 2), port: 3_478)

    private static func template(_ port: UInt16, isV4: Bool = true, mac: UInt64 = 0x02_00_00_00_00_02) -> FrameTemplate
    {
        let there = isV4 ? IPAddress(v4: 0xc000_0263) : IPAddress(high: 0x2001_0db8_0000_0000, low: 0x99)
        return FrameTemplate(
            source: isV4 ? own : ownV6, destination: Endpoint(address: there, port: port),
            sourceMAC: MACAddress(0x02_00_00_00_00_01), destinationMAC: MACAddress(mac), dontFragment: false)
    }

    /// A frame as the Outbox makes it: the UDP checksum is left to the port, or not.
    private static func frame(
        _ template: FrameTemplate, _ payload: Int, number: Int, offloads: Bool = true, from pool: BufferPool
    ) throws -> Mbuf {
        let bytes = (0..<payload).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) }
        let mbuf = try PortFixture.mbuf([UInt8](repeating: 0, count: template.length) + bytes, from: pool)
        template.write(
            into: mbuf.data, payloadLength: payload, identification: UInt16(truncatingIfNeeded: 65_530 + number))
        mbuf.finish(length: template.length + payload, isV4: template.isV4, offloadsUDP: offloads)
        if offloads {
            template.fillPseudoHeaderSum(in: mbuf.data, payloadLength: payload)
        } else {
            template.fillChecksum(in: mbuf.data, payloadLength: payload)
        }
        return mbuf
    }

    /// What leaves the host: every frame with its checksum.
    private static func expected(_ mbuf: Mbuf) -> [UInt8] {
        var bytes = [UInt8](mbuf.bytes)
        bytes.withUnsafeMutableBytes { PartialChecksum.complete($0) }
        return bytes
    }

    /// The bytes of a message behind its `virtio_net_hdr`, and that.
    private static func read(_ message: packet_message) -> (virtio_net_hdr, [UInt8]) {
        var bytes: [UInt8] = []
        for index in 0..<Int(message.header.msg_iovlen) {
            let vector = message.header.msg_iov[index]
            bytes += UnsafeRawBufferPointer(start: vector.iov_base, count: vector.iov_len)
        }
        let header = bytes.withUnsafeBytes { $0.loadUnaligned(as: virtio_net_hdr.self) }
        return (header, Array(bytes[MemoryLayout<virtio_net_hdr>.size...]))
    }

    /// The frames that the kernel makes of a message.
    private static func segments(_ message: packet_message) -> [[UInt8]] {
        let (header, bytes) = read(message)
        guard header.flags == UInt8(VIRTIO_NET_HDR_F_NEEDS_CSUM) else { return [bytes] }
        #expect(header.csum_offset == 6 && header.csum_start == (bytes[12] == 8 ? 34 : 54))
        let start = Int(header.csum_start) + 8
        #expect(Int(header.hdr_len) == start)
        if bytes[12] == 8 {
            #expect(Int(bytes[16]) << 8 + Int(bytes[17]) == bytes.count - 14)
            bytes.withUnsafeBytes {
                #expect(InternetChecksum.finish(InternetChecksum.sum($0.baseAddress! + 14, count: 20)) == 0)
            }
        } else {
            #expect(Int(bytes[18]) << 8 + Int(bytes[19]) == bytes.count - 54)
        }
        // Complete only where the field holds the pseudo header's sum of the whole.
        var whole = bytes
        whole.withUnsafeMutableBytes { PartialChecksum.complete($0) }
        #expect(checksumHolds(whole))
        guard header.gso_type == virtio_net_hdr_gso_udp_l4 else { return [whole] }
        let size = Int(header.gso_size)
        return stride(from: start, to: bytes.count, by: size).enumerated().map { number, from in
            segment(bytes, header: start, payload: bytes[from..<min(from + size, bytes.count)], number: number)
        }
    }

    private static func segment(
        _ whole: [UInt8], header: Int, payload: ArraySlice<UInt8>, number: Int
    ) -> [UInt8] {
        var bytes = Array(whole[..<header]) + payload
        bytes.withUnsafeMutableBytes { bytes in
            let base = bytes.baseAddress!
            if header == 42 {
                base.setBE16(UInt16(bytes.count - 14), at: 16)
                base.setBE16(UnsafeRawPointer(base).be16(18) &+ UInt16(number), at: 18)
                base.setBE16(0, at: 24)
                base.setBE16(InternetChecksum.finish(InternetChecksum.sum(base + 14, count: 20)), at: 24)
            } else {
                base.setBE16(UInt16(bytes.count - 54), at: 18)
            }
            base.setBE16(UInt16(payload.count + 8), at: header - 4)
            base.setBE16(0, at: header - 2)
            let datagram = DatagramFrame(UnsafeRawBufferPointer(bytes))!
            let pseudo = InternetChecksum.pseudoHeader(
                source: datagram.source.address, destination: datagram.destination.address, protocol: 17,
                length: payload.count + 8)
            let sum = pseudo &+ InternetChecksum.sum(base + header - 8, count: payload.count + 8)
            base.setBE16(InternetChecksum.finishUDP(sum), at: header - 2)
        }
        return bytes
    }

    /// Whether a receiver takes the UDP checksum (RFC 768).
    private static func checksumHolds(_ frame: [UInt8]) -> Bool {
        frame.withUnsafeBytes { bytes in
            guard let datagram = DatagramFrame(bytes) else { return false }
            let length = datagram.payloadLength + 8
            let sum = InternetChecksum.pseudoHeader(
                source: datagram.source.address, destination: datagram.destination.address, protocol: 17, length: length
            )
            return InternetChecksum.finish(
                sum &+ InternetChecksum.sum(bytes.baseAddress! + datagram.udpOffset, count: length)) == 0
        }
    }

    /// Gathers frames, checks that the kernel would send each as it is, and answers how many each message carries.
    private func gather(_ frames: [Mbuf], segments: Int = MessageBatch.maximumSegments) -> [Int] {
        var batch = MessageBatch(segments: segments)
        let before = frames.map { [UInt8]($0.bytes) }
        var frames = frames
        frames.withUnsafeMutableBufferPointer { batch.gather($0.baseAddress!, count: $0.count) }
        let isUntouched = frames.map { [UInt8]($0.bytes) } == before
        #expect(isUntouched, "frames stay as they are")
        let made = (0..<batch.count).flatMap { Self.segments(batch.messages[$0]) }
        let isWhole = made == frames.map(Self.expected)
        #expect(isWhole, "what the kernel sends is what was given")
        let ends = (0...batch.count).map { batch.frames(inFirst: $0) }
        return zip(ends.dropFirst(), ends).map { $0 - $1 }
    }

    @Test(arguments: [true, false])
    func `datagrams of one flow and size leave together, and the last may be shorter`(isV4: Bool) throws {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        let flow = Self.template(5_000, isV4: isV4)
        var frames = try (0..<10).map { try Self.frame(flow, 1_128, number: $0, from: pool) }
        #expect(gather(frames) == [10])
        frames.append(try Self.frame(flow, 99, number: 10, from: pool))
        frames.append(try Self.frame(flow, 99, number: 11, from: pool))
        frames.append(try Self.frame(flow, 100, number: 12, from: pool))
        // The shorter one ends its message; a longer one never follows.
        #expect(gather(frames) == [11, 1, 1])
        #expect(gather(frames, segments: 1) == [Int](repeating: 1, count: 13))
        for frame in frames { frame.free() }
    }

    @Test(arguments: [true, false])
    func `what differs in more than lengths leaves apart`(isV4: Bool) throws {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        var number = 0
        func frame(_ template: FrameTemplate, offloads: Bool = true) throws -> Mbuf {
            number += 1
            return try Self.frame(template, 200, number: number, offloads: offloads, from: pool)
        }
        let flow = Self.template(5_000, isV4: isV4)
        let others = try [
            frame(Self.template(5_001, isV4: isV4)), frame(Self.template(5_000, isV4: !isV4)),
            frame(Self.template(5_000, isV4: isV4, mac: 0x02_00_00_00_00_03)), frame(flow, offloads: false),
            PortFixture.mbuf(
                [UInt8](repeating: 0xff, count: 12) + [0x08, 0x06] + [UInt8](repeating: 1, count: 28), from: pool),
        ]
        for other in others {
            let frames = try [frame(flow), frame(flow), other, frame(flow), frame(flow)]
            #expect(gather(frames) == [2, 1, 2])
            for frame in frames where frame != other { frame.free() }
        }
        // Every byte of the headers but identification, lengths and checksums; and padding behind the datagram.
        let own: Set<Int> = isV4 ? [16, 17, 18, 19, 24, 25, 38, 39, 40, 41] : [18, 19, 58, 59, 60, 61]
        for place in 0..<flow.length where ![12, 13].contains(place) {
            let frames = try [frame(flow), frame(flow)]
            frames[1].data.storeBytes(
                of: ~frames[1].data.load(fromByteOffset: place, as: UInt8.self), toByteOffset: place, as: UInt8.self)
            let headers = frames.map { SegmentHeaders($0) }
            if let first = headers[0], let second = headers[1] {
                #expect(first.isSameFlow(as: second) == own.contains(place), "byte \(place)")
            } else {
                #expect(headers[0] != nil && (isV4 ? [16, 17] : [18, 19]).contains(place))
            }
            for frame in frames { frame.free() }
        }
        let padded = try frame(flow)
        #expect(padded.append(4) != nil && SegmentHeaders(padded) == nil)
        for frame in others + [padded] { frame.free() }
    }

    @Test func `a message has 64 datagrams and less than 64 KiB at most`() throws {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        for (isV4, payload, wanted) in [
            (true, 100, [64, 64]), (false, 100, [64, 64]), (true, 1_472, [44, 44, 40]), (false, 1_452, [45, 45, 38]),
            (true, 0, [Int](repeating: 1, count: 128)),
        ] {
            let flow = Self.template(5_000, isV4: isV4)
            let frames = try (0..<128).map { try Self.frame(flow, payload, number: $0, from: pool) }
            #expect(gather(frames) == wanted)
            for frame in frames { frame.free() }
        }
    }

    @Test func `a burst of several receivers is a message for each`() throws {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        var random = RandomSource(seed: 3)
        for _ in 0..<50 {
            let frames = try (0..<Int.random(in: 1...128, using: &random)).map { number in
                let flow = Self.template(UInt16(5_000 + number / 10), isV4: Bool.random(using: &random) || number < 64)
                return try Self.frame(
                    flow, [60, 1_128, 1_128, 1_128].randomElement(using: &random)!, number: number,
                    offloads: Int.random(in: 0..<8, using: &random) > 0, from: pool)
            }
            #expect(gather(frames).reduce(0, +) == frames.count)
            for frame in frames { frame.free() }
        }
    }

    @Test(arguments: [true, false])
    func `a frame of several datagrams is taken apart into these`(isV4: Bool) throws {
        let pool = try PortFixture.pool()
        defer { pool.deallocate() }
        let flow = Self.template(5_000, isV4: isV4)
        for sizes in [[Int](repeating: 1_128, count: 10), [300, 300, 7], [1_000, 1_000]] {
            var frames = try sizes.enumerated().map { try Self.frame(flow, $1, number: $0, from: pool) }
            let wanted = frames.map(Self.expected)
            var batch = MessageBatch(segments: MessageBatch.maximumSegments)
            frames.withUnsafeMutableBufferPointer { batch.gather($0.baseAddress!, count: $0.count) }
            let (header, whole) = Self.read(batch.messages[0])
            #expect(try split(whole, header, from: pool) == wanted)
            for frame in frames { frame.free() }
        }
        #expect(pool.available == pool.count)
    }

    @Test func `what cannot be taken apart is refused`() throws {
        let pool = try PortFixture.pool(count: 63)
        defer { pool.deallocate() }
        let flow = Self.template(5_000)
        let first = try Self.frame(flow, 100, number: 0, from: pool)
        let whole = [UInt8](first.bytes) + [UInt8](repeating: 7, count: 900)
        first.free()
        var good = virtio_net_hdr()
        good.flags = UInt8(VIRTIO_NET_HDR_F_NEEDS_CSUM)
        good.gso_type = virtio_net_hdr_gso_udp_l4
        good.gso_size = 100
        good.csum_start = 34
        good.csum_offset = 6
        #expect(try split(whole, good, from: pool).count == 10)
        let changes: [(inout virtio_net_hdr) -> Void] = [
            { $0.gso_type = UInt8(VIRTIO_NET_HDR_GSO_TCPV4) }, { $0.flags = 0 }, { $0.gso_size = 0 },
            { $0.gso_size = 7 }, { $0.gso_size = 1_473 }, { $0.csum_start = 33 }, { $0.csum_start = 1_000 },
            { $0.csum_offset = 16 },
        ]
        for change in changes {
            var header = good
            change(&header)
            #expect(try split(whole, header, from: pool).isEmpty)
        }
        #expect(try split(Array(whole[..<42]), good, from: pool).isEmpty)
        // More datagrams than buffers: none is kept.
        good.gso_size = 10
        #expect(try split(whole, good, from: pool).isEmpty)
        #expect(pool.available == pool.count)
    }

    /// The frames that the port makes of one of several datagrams, with their checksums.
    private func split(_ whole: [UInt8], _ header: virtio_net_hdr, from pool: BufferPool) throws -> [[UInt8]] {
        var stock = BufferStock()
        var split = SegmentSplit()
        let isTaken = whole.withUnsafeBytes {
            split.take($0, header, longestFrame: 1_514, stock: &stock, pool: pool)
        }
        var frames: [[UInt8]] = []
        while let frame = split.next() {
            frames.append(Self.expected(frame))
            frame.free()
        }
        #expect(isTaken == !frames.isEmpty)
        return frames
    }
}
