import CDPDK

/// The latest packets of one Layer by reference, for NACKs of all its Sinks, and which sequence
/// numbers have been seen. The worker that owns the Layer's replica owns the references.
struct RetransmissionCache: BitwiseCopyable {
    /// One place: a sequence number, and its packet while it is kept.
    struct Entry: BitwiseCopyable {
        /// One more than the extended sequence number; 0 when nothing was here.
        var mark: UInt64
        var packet: Mbuf?
    }

    /// Places a Layer has; a power of two. At 300 packets a second 1.7 s.
    static let depth = 512
    /// Packets that `expire` mostly takes out at once.
    private static let expiring: UInt64 = 3

    /// `depth` entries in the worker's slab.
    let entries: UnsafeMutablePointer<Entry>
    /// The next place that `expire` looks at.
    var oldest: UInt64 = 0
    /// Likewise for `expireStraggler`.
    private var straggler = 0

    init(entries: UnsafeMutablePointer<Entry>) { self.entries = entries }

    @inline(__always)
    private func place(_ sequence: UInt64) -> UnsafeMutablePointer<Entry> {
        entries + Int(truncatingIfNeeded: sequence & UInt64(Self.depth - 1))
    }

    /// Whether `sequence` was seen, or is so old that it cannot be told.
    func hasSeen(_ sequence: UInt64) -> Bool { place(sequence).pointee.mark > sequence }

    /// The packet with this sequence number while it is kept.
    func find(_ sequence: UInt64) -> Mbuf? {
        let entry = place(sequence)
        return entry.pointee.mark == sequence &+ 1 ? entry.pointee.packet : nil
    }

    /// Marks `sequence` as seen, keeps `packet` for it, whose reference it takes over (nil: only the mark), and
    /// returns the packet that had the place.
    mutating func insert(_ sequence: UInt64, _ packet: Mbuf?) -> Mbuf? {
        let entry = place(sequence)
        let evicted = entry.pointee.packet
        entry.initialize(to: Entry(mark: sequence &+ 1, packet: packet))
        return evicted
    }

    /// Prefetches the places that `expire`, for `prefetchExpiring`, and `expireStraggler` look at next.
    @inline(__always)
    func prefetchPlaces() {
        cpu_prefetch(place(oldest))
        cpu_prefetch(entries + straggler)
    }

    /// Prefetches what `expire` and who frees its packets read of them: a second old, they are in no cache of the processor.
    @inline(__always)
    func prefetchExpiring() {
        for place in oldest..<oldest &+ Self.expiring { self.place(place).pointee.packet?.prefetchState() }
    }

    /// Takes out a packet from before `sequence` that came in before `deadline` (ns); nil when there is none (left).
    /// It looks at no place twice, so a whole sweep costs what came in since the last.
    mutating func expire(before deadline: UInt64, upTo sequence: UInt64) -> Mbuf? {
        if sequence &- oldest > UInt64(Self.depth) { oldest = sequence &- UInt64(Self.depth) }
        while oldest < sequence {
            let entry = place(oldest)
            if entry.pointee.mark == oldest &+ 1, let packet = entry.pointee.packet {
                guard packet.record.pointee.arrival < deadline else { return nil }
                entry.pointee.packet = nil
                oldest &+= 1
                return packet
            }
            oldest &+= 1
        }
        return nil
    }

    /// Takes out what `expire` has passed already: a late repair, or what lies before a jump of the numbers. It looks at one
    /// place, so that `depth` calls find all that came in before `deadline` (ns).
    mutating func expireStraggler(before deadline: UInt64) -> Mbuf? {
        let entry = entries + straggler
        straggler = (straggler &+ 1) & (Self.depth - 1)
        // What `expire` looks at next, or has not come to, is its affair.
        guard entry.pointee.mark <= oldest &+ 1 else { return nil }
        guard let packet = entry.pointee.packet, packet.record.pointee.arrival < deadline else { return nil }
        entry.pointee.packet = nil
        return packet
    }

    /// Forgets everything; returns one kept packet after the other, then nil.
    mutating func removeAny(from cursor: inout Int) -> Mbuf? {
        while cursor < Self.depth {
            let entry = entries + cursor
            cursor += 1
            let packet = entry.pointee.packet
            entry.initialize(to: Entry(mark: 0, packet: nil))
            if let packet { return packet }
        }
        oldest = 0
        return nil
    }
}
