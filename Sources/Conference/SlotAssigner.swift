/// What is in the Slots of one kind of one viewer.
///
/// A pure value: it is told what the viewer should have, and changes as few Slots as it can.
struct SlotAssigner: Equatable {
    /// By Slot, in the order of the m-lines; nil where nothing is.
    private(set) var occupants: [SourceID?]

    /// Puts the wanted in: what is already in a Slot keeps it, what is not wanted leaves, and the others take
    /// the empty Slots in order. The first `occupants.count` of `wanted` get in; one given twice counts
    /// once.
    ///
    /// - Returns: the Slots that changed, in order.
    @discardableResult
    mutating func fill(with wanted: some Sequence<SourceID>) -> [Int] {
        var missing: [SourceID] = []
        var admitted: Set<SourceID> = []
        for source in wanted {
            guard admitted.count < occupants.count else { break }
            if admitted.insert(source).inserted { missing.append(source) }
        }
        let before = occupants
        for index in occupants.indices {
            guard let occupant = occupants[index] else { continue }
            // Removing also empties a second Slot with the same source, should there ever be one.
            if admitted.remove(occupant) == nil { occupants[index] = nil }
        }
        var waiting = missing.lazy.filter { admitted.contains($0) }.makeIterator()
        for index in occupants.indices where occupants[index] == nil {
            guard let next = waiting.next() else { break }
            occupants[index] = next
        }
        return occupants.indices.filter { occupants[$0] != before[$0] }
    }
}

/// How tall a tile may be where the viewer did not say.
enum TileHeight {
    /// Pixels for each of `tiles` equal tiles.
    static func gallery(tiles: Int) -> UInt16 {
        switch tiles {
        case ...2: 720
        case ...9: 360
        default: 180
        }
    }

    /// Pixels for the tile at `rank` when the first is the large one.
    static func speaker(rank: Int) -> UInt16 { rank == 0 ? 720 : 180 }

    /// What a viewer's own figure means: bounded, and never 0, which no picture has.
    static func clamped(_ pixels: Int) -> UInt16 { UInt16(clamping: max(1, pixels)) }
}
