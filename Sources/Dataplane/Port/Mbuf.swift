import CDPDK

/// A packet buffer of DPDK: one pointer, so that an array of `Mbuf` is what a device's bursts take.
///
/// It is a plain value without ownership: its holder either passes it on (transmit, a ring, a cache) or frees it,
/// once for each reference. All lengths are bytes; packets here have one segment.
struct Mbuf: BitwiseCopyable, Equatable, @unchecked Sendable {
    let raw: OpaquePointer

    /// Bytes of the private area, where a worker keeps a packet's metadata.
    static var metadataSize: Int { Int(MBUF_PRIVATE_SIZE) }

    @inline(__always)
    init(_ raw: OpaquePointer) { self.raw = raw }

    /// The first byte of the frame.
    @inline(__always)
    var data: UnsafeMutableRawPointer { mbuf_data(raw) }

    @inline(__always)
    var length: Int { Int(mbuf_data_len(raw)) }

    @inline(__always)
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: mbuf_data(raw), count: length) }

    @inline(__always)
    var mutableBytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: mbuf_data(raw), count: length)
    }

    /// False for a chain of segments: a frame larger than a buffer, which no caller here handles.
    @inline(__always)
    var isContiguous: Bool { mbuf_segments(raw) == 1 }

    /// Room before the data.
    @inline(__always)
    var headroom: Int { Int(mbuf_headroom(raw)) }

    /// Room behind the data.
    @inline(__always)
    var tailroom: Int { Int(mbuf_tailroom(raw)) }

    /// Sets the length; false when it does not fit behind the headroom.
    @inline(__always)
    func setLength(_ length: Int) -> Bool {
        guard length >= 0, length <= self.length + tailroom else { return false }
        mbuf_set_length(raw, UInt16(truncatingIfNeeded: length))
        return true
    }

    /// Adds `count` bytes at the end, uninitialised: the first of them, or nil when there is no room.
    @inline(__always)
    func append(_ count: Int) -> UnsafeMutableRawPointer? {
        guard count >= 0, count <= tailroom else { return nil }
        let end = data + length
        mbuf_set_length(raw, UInt16(truncatingIfNeeded: length + count))
        return end
    }

    /// Adds `count` bytes before the data, uninitialised: the new start, or nil when there is no room.
    @inline(__always)
    func prepend(_ count: Int) -> UnsafeMutableRawPointer? {
        guard count >= 0, count <= headroom, length + count <= 0xffff else { return nil }
        let length = length
        mbuf_move_start(raw, -Int16(truncatingIfNeeded: count))
        mbuf_set_length(raw, UInt16(truncatingIfNeeded: length + count))
        return data
    }

    /// Takes `count` bytes off the start; false when there are fewer.
    @inline(__always)
    func adjust(_ count: Int) -> Bool {
        guard count >= 0, count <= length else { return false }
        let length = length
        mbuf_move_start(raw, Int16(truncatingIfNeeded: count))
        mbuf_set_length(raw, UInt16(truncatingIfNeeded: length - count))
        return true
    }

    /// Adds references; each needs a `free` of its own. Safe between threads.
    @inline(__always)
    func retain(_ count: Int = 1) { mbuf_refcnt_update(raw, Int16(truncatingIfNeeded: count)) }

    @inline(__always)
    var referenceCount: Int { Int(mbuf_refcnt(raw)) }

    /// Gives one reference back; the last one returns the buffer to its pool.
    @inline(__always)
    func free() { mbuf_free(raw) }

    /// The private area of `metadataSize` bytes, 64-byte aligned; not cleared by allocation or reception.
    @inline(__always)
    var metadata: UnsafeMutableRawPointer { mbuf_private(raw) }

    /// The private area as a value of the caller's own type, which must be trivial and fit.
    @inline(__always)
    func metadata<Value: BitwiseCopyable>(as type: Value.Type) -> UnsafeMutablePointer<Value> {
        mbuf_private(raw).assumingMemoryBound(to: type)
    }

    /// Asks the device to fill the checksums that it offers of an Ethernet/IP/UDP frame. The UDP field must hold
    /// the folded sum of the pseudo header, not complemented, and the IPv4 header's field zero.
    @inline(__always)
    func requestChecksums(_ offload: ChecksumOffload, isV4: Bool) {
        var flags = isV4 ? mbuf_tx_ipv4 : mbuf_tx_ipv6
        if isV4 && offload.ipv4Header { flags |= mbuf_tx_ip_cksum }
        if offload.udp { flags |= mbuf_tx_udp_cksum }
        mbuf_set_ol_flags(raw, mbuf_ol_flags(raw) | flags)
        mbuf_set_header_lens(raw, 14, isV4 ? 20 : 40, 8)
    }

    /// Whether `requestChecksums` or `finish` left the UDP checksum to the device: the frame's headers are Ethernet's, IP's
    /// without options, and UDP's.
    @inline(__always)
    var leavesUDPChecksum: Bool { mbuf_ol_flags(raw) & mbuf_tx_udp_cksum == mbuf_tx_udp_cksum }

    /// Of a frame to transmit, where the received packet's hash is; meaningless until it was set.
    @inline(__always)
    var priority: FramePriority {
        FramePriority(rawValue: UInt8(truncatingIfNeeded: mbuf_tx_mark(raw))) ?? .control
    }

    @inline(__always)
    func setPriority(_ priority: FramePriority) { mbuf_set_tx_mark(raw, UInt32(priority.rawValue)) }

    /// Makes a buffer an Ethernet/IP/UDP frame to transmit: its length, and whether the device is asked for the UDP
    /// checksum (see `requestChecksums`).
    @inline(__always)
    func finish(length: Int, isV4: Bool, offloadsUDP: Bool) {
        let flags = offloadsUDP ? (isV4 ? mbuf_tx_ipv4 : mbuf_tx_ipv6) | mbuf_tx_udp_cksum : 0
        // Ethernet's, IP's and UDP's bytes, packed as `rte_mbuf_tx_offload` packs them.
        let lengths = offloadsUDP ? (isV4 ? mbuf_header_lens(14, 20, 8) : mbuf_header_lens(14, 40, 8)) : 0
        mbuf_finish(raw, UInt16(truncatingIfNeeded: length), flags, lengths)
    }

    /// Forgets what reception or an earlier use noted about offloads, before a received mbuf is transmitted.
    @inline(__always)
    func clearOffloads() {
        mbuf_set_ol_flags(raw, 0)
        mbuf_set_tx_offload(raw, 0)
    }

    /// Asks the cache for the first line of the data.
    @inline(__always)
    func prefetchData() { cpu_prefetch(data) }

    /// Likewise what freeing it reads, and the beginning of the private area.
    @inline(__always)
    func prefetchState() {
        let start = UnsafeRawPointer(raw)
        for line in 0..<3 { cpu_prefetch(start + line &* 64) }
    }

    /// Likewise all lines of the frame. It pays for a frame that comes alone: in a burst the later lines are fetched while
    /// other frames are processed.
    @inline(__always)
    func prefetchFrame() {
        let (data, length) = (data, length)
        var offset = 0
        while offset < length {
            cpu_prefetch(data + offset)
            offset &+= 64
        }
    }
}

/// A burst is `UnsafeMutablePointer<Mbuf>` of caller-owned places.
extension UnsafeMutablePointer<Mbuf> {
    /// Frees `count` mbufs.
    @inline(__always)
    func freeAll(_ count: Int) {
        if count > 0 { mbuf_free_bulk(self, UInt32(truncatingIfNeeded: count)) }
    }
}
