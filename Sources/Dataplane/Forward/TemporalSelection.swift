/// Which temporal layers of its source a Slot gets, and what of its latest packets and pictures it did not get.
struct TemporalSelection: BitwiseCopyable {
    var packets = OmittedPackets()
    var pictures = OmittedPictures()
    /// The highest layer that it gets.
    private(set) var limit = TemporalLayer.highest
    /// The latest changes of it, the last one first: from which number on, times four, and to what. What came before them all
    /// is told by the lowest.
    private var changes = InlineArray<4, UInt64>(repeating: UInt64(TemporalLayer.highest))

    init(upTo limit: UInt8 = TemporalLayer.highest) {
        self.limit = limit
        changes = InlineArray(repeating: UInt64(limit))
    }

    /// It gets all, and nothing that it did not get can be asked for any more.
    var isOver: Bool { limit == TemporalLayer.highest && packets.count == 0 }

    /// Whether the Slot gets the packet of this number, which comes after all that came so far, if it is to get the layers up
    /// to `wanted`. `isBegun`: the Slot got a packet of its frame.
    mutating func admits(_ layer: TemporalLayer, _ sequence: UInt64, isBegun: Bool, upTo wanted: UInt8) -> Bool {
        // Less at once, but never in the middle of a frame.
        let next = wanted < limit && !isBegun ? wanted : layer.limit(from: limit, upTo: wanted)
        if next != limit {
            limit = next
            changes = [sequence << 2 | UInt64(next), changes[0], changes[1], changes[2]]
        }
        return layer.id <= limit
    }

    /// Likewise of a packet that came late, or is asked for.
    func admits(_ layer: TemporalLayer, _ sequence: UInt64) -> Bool {
        layer.id <= limit(at: sequence) && !packets.contains(sequence)
    }

    private func limit(at sequence: UInt64) -> UInt8 {
        var least = TemporalLayer.highest
        for place in changes.indices {
            let limit = UInt8(truncatingIfNeeded: changes[place] & 3)
            if sequence >= changes[place] >> 2 { return limit }
            least = min(least, limit)
        }
        return least
    }
}
