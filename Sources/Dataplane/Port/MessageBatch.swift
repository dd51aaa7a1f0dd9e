import CPacketSocket
import Wire

/// A burst of frames as the messages of one sendmmsg(2) on a packet socket, each behind a `virtio_net_hdr`, which asks for
/// the UDP checksum and names the size of segments. Consecutive datagrams of one flow and one size, of which the last may be
/// shorter, become one message. Payloads stay where they are, and frames as they are.
struct MessageBatch: ~Copyable {
    /// Frames that are sent together at most.
    static let capacity = 128
    /// Datagrams in one message at most, as for UDP_SEGMENT (udp(7)).
    static let maximumSegments = 64
    /// Bytes for a message's `virtio_net_hdr` and the headers of all its segments.
    private static let headStride = 80
    private static let virtioLength = MemoryLayout<virtio_net_hdr>.size

    /// Of one message; 1 where the kernel does not segment.
    let segments: Int
    let messages: UnsafeMutablePointer<packet_message>
    private let vectors: UnsafeMutablePointer<iovec>
    private let heads: UnsafeMutableRawPointer
    /// The index after each message's last frame.
    private let ends: UnsafeMutablePointer<Int>
    private(set) var count = 0

    init(segments: Int) {
        self.segments = segments
        messages = .allocate(capacity: Self.capacity)
        messages.initialize(repeating: packet_message(), count: Self.capacity)
        // One for each frame, and one for each message's head.
        vectors = .allocate(capacity: 2 * Self.capacity)
        heads = .allocate(byteCount: Self.capacity * Self.headStride, alignment: 16)
        ends = .allocate(capacity: Self.capacity)
    }

    deinit {
        messages.deallocate()
        vectors.deallocate()
        heads.deallocate()
        ends.deallocate()
    }

    /// How many frames the first `messages` carry.
    func frames(inFirst messages: Int) -> Int { messages == 0 ? 0 : ends[messages &- 1] }

    /// Makes messages of up to `capacity` frames, in their order; the frames stay until these are sent.
    mutating func gather(_ frames: UnsafeMutablePointer<Mbuf>, count frameCount: Int) {
        count = 0
        var vector = vectors
        var index = 0
        while index < frameCount {
            let head = heads + count &* Self.headStride
            let message = messages + count
            message.pointee.header.msg_iov = vector
            let end: Int
            if let first = SegmentHeaders(frames[index]) {
                let run = run(frames + index, from: first, limit: min(frameCount &- index, segments))
                describe(first, segment: run.count > 1 ? first.payloadLength : 0, to: head)
                end = index &+ run.count
                if run.count > 1 {
                    first.write(to: head + Self.virtioLength, payload: run.payload)
                    vector = append(frames + index, run.count, behind: first.length, head: head, to: vector)
                } else {
                    vector = append(frames + index, 1, behind: 0, head: head, to: vector)
                }
            } else {
                head.initializeMemory(as: UInt8.self, repeating: 0, count: Self.virtioLength)
                end = index &+ 1
                vector = append(frames + index, 1, behind: 0, head: head, to: vector)
            }
            message.pointee.header.msg_iovlen = vector - message.pointee.header.msg_iov
            ends[count] = end
            count &+= 1
            index = end
        }
    }

    /// How many frames from the first on go together, and the bytes of their payloads.
    @inline(__always)
    private func run(
        _ frames: UnsafeMutablePointer<Mbuf>, from first: SegmentHeaders, limit: Int
    ) -> (count: Int, payload: Int) {
        var payload = first.payloadLength
        var count = 1
        let most = SegmentHeaders.longestPacket &- 48
        while count < limit, payload > 0 {
            guard let next = SegmentHeaders(frames[count]), next.frameLength <= first.frameLength,
                next.payloadLength > 0, payload &+ next.payloadLength <= most, first.isSameFlow(as: next)
            else { break }
            payload &+= next.payloadLength
            count &+= 1
            if next.frameLength < first.frameLength { break }
        }
        return (count, payload)
    }

    /// Writes the `virtio_net_hdr` of a datagram whose checksum is wanted, or of a whole with segments of that size.
    @inline(__always)
    private func describe(_ headers: SegmentHeaders, segment: Int, to head: UnsafeMutableRawPointer) {
        var header = virtio_net_hdr()
        header.flags = UInt8(VIRTIO_NET_HDR_F_NEEDS_CSUM)
        header.gso_type = segment > 0 ? virtio_net_hdr_gso_udp_l4 : UInt8(VIRTIO_NET_HDR_GSO_NONE)
        header.hdr_len = UInt16(truncatingIfNeeded: headers.length)
        header.gso_size = UInt16(truncatingIfNeeded: segment)
        header.csum_start = UInt16(truncatingIfNeeded: headers.udpOffset)
        header.csum_offset = 6
        head.storeBytes(of: header, as: virtio_net_hdr.self)
    }

    /// Lists a message's head and what lies behind so many bytes of each of its frames; the place behind them.
    @inline(__always)
    private func append(
        _ frames: UnsafeMutablePointer<Mbuf>, _ count: Int, behind start: Int, head: UnsafeMutableRawPointer,
        to vector: UnsafeMutablePointer<iovec>
    ) -> UnsafeMutablePointer<iovec> {
        vector[0] = iovec(iov_base: head, iov_len: Self.virtioLength &+ start)
        for index in 0..<count {
            let frame = frames[index]
            vector[1 &+ index] = iovec(iov_base: frame.data + start, iov_len: frame.length &- start)
        }
        return vector + (1 &+ count)
    }
}
