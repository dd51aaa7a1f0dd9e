extension RTCPWriter {
    /// The arrival of a packet that did not come.
    @inlinable public static var lost: Int64 { .min }

    /// Transport-wide feedback for `arrivals[0]` (sequence `baseSequence`) and those that follow.
    ///
    /// Arrivals are ticks of 250 us of any clock, `lost` for what did not come; they may be reordered.
    /// Returns how many of them the packet covers: 0 when there is no room or none of them came, fewer than all when
    /// they do not fit or a delta would not fit 16 bits: then call again from there with the next `feedbackCount`.
    @inlinable
    public mutating func addTransportFeedback(
        senderSSRC: UInt32, mediaSSRC: UInt32, baseSequence: UInt16, feedbackCount: UInt8,
        arrivals: UnsafeBufferPointer<Int64>
    ) -> Int {
        // In the worst case a status needs a delta of 2 bytes and a seventh of a chunk.
        let room = Swift.min(capacity &- offset &- 24, 0x3_ffe8)
        guard room > 0, let base else { return 0 }
        var limit = Swift.min(Swift.min(arrivals.count, room &* 7 / 16), 0xffff)
        var first = 0
        while first < limit, arrivals[first] == Self.lost { first &+= 1 }
        guard first < limit else { return 0 }
        // Floor, of a negative number too; the first delta is then 0...255.
        let reference = arrivals[first] >> 8
        limit = encodable(arrivals, limit, from: reference << 8)
        let start = offset
        var length = writeChunks(base + (start &+ 20), arrivals, limit, from: reference << 8) &+ 20
        length = writeDeltas(base + start, length, arrivals, limit, from: reference << 8)
        let padded = (length &+ 3) & ~3
        while length < padded {
            base.setU8(0, at: start &+ length)
            length &+= 1
        }
        guard let packet = reserve(RTCPPacket.transportFeedback, format: 15, length: padded) else { return 0 }
        packet.setBE32(senderSSRC, at: 4)
        packet.setBE32(mediaSSRC, at: 8)
        packet.setBE16(baseSequence, at: 12)
        packet.setBE16(UInt16(truncatingIfNeeded: limit), at: 14)
        packet.setBE24(UInt32(truncatingIfNeeded: reference), at: 16)
        packet.setU8(feedbackCount, at: 19)
        return limit
    }

    /// How many of the first `limit` arrivals have a delta of 16 bits.
    @inlinable
    func encodable(_ arrivals: UnsafeBufferPointer<Int64>, _ limit: Int, from reference: Int64) -> Int {
        var previous = reference
        for index in 0..<limit where arrivals[index] != Self.lost {
            guard Int16(exactly: arrivals[index] &- previous) != nil else { return index }
            previous = arrivals[index]
        }
        return limit
    }

    /// The symbol of an arrival: 0 not received, 1 a delta of one byte, 2 one of two bytes.
    @inlinable
    func symbol(_ arrival: Int64, _ previous: inout Int64) -> UInt16 {
        guard arrival != Self.lost else { return 0 }
        let delta = arrival &- previous
        previous = arrival
        return delta >= 0 && delta <= 255 ? 1 : 2
    }

    /// Writes the chunks, greedily: a run where it is at least as long as a vector, else the vector that holds the next
    /// symbols; returns their bytes.
    @inlinable
    func writeChunks(
        _ target: UnsafeMutableRawPointer, _ arrivals: UnsafeBufferPointer<Int64>, _ limit: Int,
        from reference: Int64
    ) -> Int {
        var previous = reference
        var index = 0
        var written = 0
        while index < limit {
            let (chunk, taken) = chunk(arrivals, index, limit, &previous)
            target.setBE16(chunk, at: written)
            written &+= 2
            index &+= taken
        }
        return written
    }

    /// The chunk that starts at `index`, and how many statuses it holds; moves `previous` behind them.
    @inlinable
    func chunk(
        _ arrivals: UnsafeBufferPointer<Int64>, _ index: Int, _ limit: Int, _ previous: inout Int64
    ) -> (chunk: UInt16, taken: Int) {
        var ahead = previous
        let first = symbol(arrivals[index], &ahead)
        var run = 1
        var behindRun = ahead
        while index &+ run < limit, run < 0x1fff, symbol(arrivals[index &+ run], &ahead) == first {
            run &+= 1
            behindRun = ahead
        }
        if run >= (first == 2 ? 7 : 14) || index &+ run == limit {
            previous = behindRun
            return (first << 13 | UInt16(truncatingIfNeeded: run), run)
        }
        var narrow: UInt16 = 0
        var wide: UInt16 = 0
        var hasLarge = false
        var count = 0
        var behindWide = previous
        ahead = previous
        while count < 14, index &+ count < limit {
            let next = symbol(arrivals[index &+ count], &ahead)
            if next == 2 { hasLarge = true }
            narrow |= (next & 1) << UInt16(truncatingIfNeeded: 13 &- count)
            if count < 7 {
                wide |= next << UInt16(truncatingIfNeeded: 12 &- 2 &* count)
                behindWide = ahead
            }
            count &+= 1
        }
        previous = hasLarge ? behindWide : ahead
        return hasLarge ? (0xc000 | wide, Swift.min(count, 7)) : (0x8000 | narrow, count)
    }

    /// Writes the deltas from `offset` on; returns where they end.
    @inlinable
    func writeDeltas(
        _ packet: UnsafeMutableRawPointer, _ offset: Int, _ arrivals: UnsafeBufferPointer<Int64>, _ limit: Int,
        from reference: Int64
    ) -> Int {
        var previous = reference
        var end = offset
        for index in 0..<limit where arrivals[index] != Self.lost {
            let delta = arrivals[index] &- previous
            previous = arrivals[index]
            if delta >= 0 && delta <= 255 {
                packet.setU8(UInt8(truncatingIfNeeded: delta), at: end)
                end &+= 1
            } else {
                packet.setBE16(UInt16(truncatingIfNeeded: delta), at: end)
                end &+= 2
            }
        }
        return end
    }
}
