import CPacketSocket
import Wire

/// Splits a frame in which the kernel combined several datagrams of a flow (UDP_SEGMENT and UDP_GRO, udp(7)) into one frame
/// for each datagram, as a device would. They are kept here until the worker takes them.
struct SegmentSplit: ~Copyable {
    /// Datagrams of one frame: UDP_MAX_SEGMENTS.
    static let capacity = 128
    /// Bytes of the longest headers that are copied: Ethernet's, IPv4's with all options, UDP's.
    private static let longestHeaders = 14 + 60 + 8

    private let waiting: UnsafeMutablePointer<Mbuf>
    private var first = 0
    private var count = 0

    init() { waiting = .allocate(capacity: Self.capacity) }

    deinit {
        (waiting + first).freeAll(count &- first)
        waiting.deallocate()
    }

    /// The next segment; nil when there is none.
    @inline(__always)
    mutating func next() -> Mbuf? {
        guard first < count else { return nil }
        first &+= 1
        return waiting[first &- 1]
    }

    /// Makes frames of all segments of `frame`, none of which is longer than `longestFrame`; false when it cannot be taken
    /// apart, or there are no buffers. All earlier ones were taken.
    mutating func take(
        _ frame: UnsafeRawBufferPointer, _ offload: virtio_net_hdr, longestFrame: Int, stock: inout BufferStock,
        pool: BufferPool
    ) -> Bool {
        first = 0
        count = 0
        let udp = Int(offload.csum_start)
        let headers = udp &+ UDPHeader.length
        let size = Int(offload.gso_size)
        guard offload.gso_type == virtio_net_hdr_gso_udp_l4, offload.flags & UInt8(VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0,
            offload.csum_offset == 6, udp >= 34, headers <= Self.longestHeaders, size > 0,
            headers &+ size <= longestFrame, frame.count > headers, let base = frame.baseAddress,
            [EthernetHeader.ipv4, EthernetHeader.ipv6].contains(base.be16(12)),
            frame.count &- headers <= size &* Self.capacity
        else { return false }
        var offset = headers
        while offset < frame.count {
            let payload = min(size, frame.count &- offset)
            guard let segment = stock.take(from: pool), let place = segment.append(headers &+ payload) else {
                (waiting + first).freeAll(count)
                count = 0
                return false
            }
            place.copyMemory(from: base, byteCount: headers)
            (place + headers).copyMemory(from: base + offset, byteCount: payload)
            Self.rewrite(place, udp: udp, payload: payload, number: count)
            waiting[count] = segment
            count &+= 1
            offset &+= payload
        }
        return true
    }

    /// Makes the headers of the whole those of a segment: lengths, IPv4's identification and checksum, and in the place of
    /// UDP's checksum the pseudo header's sum, as a kernel's peer leaves it (RFC 1624 equation 3).
    private static func rewrite(_ frame: UnsafeMutableRawPointer, udp: Int, payload: Int, number: Int) {
        let old = UnsafeRawPointer(frame)
        let oldLength = old.be16(udp &+ 4)
        let length = UInt16(truncatingIfNeeded: payload &+ UDPHeader.length)
        if old.be16(12) == EthernetHeader.ipv4 {
            let header = UInt16(truncatingIfNeeded: udp &- EthernetHeader.length)
            frame.setBE16(header &+ length, at: 16)
            frame.setBE16(old.be16(18) &+ UInt16(truncatingIfNeeded: number), at: 18)
            frame.setBE16(0, at: 24)
            frame.setBE16(InternetChecksum.finish(InternetChecksum.sum(frame + 14, count: Int(header))), at: 24)
        } else {
            frame.setBE16(UInt16(truncatingIfNeeded: udp &- 54) &+ length, at: 18)
        }
        frame.setBE16(length, at: udp &+ 4)
        let sum = UInt32(old.be16(udp &+ 6)) &+ UInt32(~oldLength) &+ UInt32(length)
        frame.setBE16(InternetChecksum.fold(sum), at: udp &+ 6)
    }
}
