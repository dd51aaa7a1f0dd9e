/// What is in the Slots of one kind of one viewer.
///
/// A pure value: it is told what the viewer should have, and changes as few Slots as it can.
struct SlotAssigner: Equatable {
    /// By Slot, in the order of the m-lines; nil where nothing is.
    private(set) var occupants: [SourceID?]

    /// Puts the wanted in: what has a place of its own takes that, what is already in a Slot keeps it otherwise, what is
    /// not wanted leaves, and the others take the empty Slots in order. The first `occupants.count` of `wanted` get in;
    /// one given twice counts once.
    ///
    /// - Parameter places: Slots that must be these sources'; each another one.
    /// - Returns: the Slots that changed, in order.
    @discardableResult
    mutating func fill(with wanted: some Sequence<SourceID>, places: [SourceID: Int] = [:]) -> [Int] {
        var admitted: [SourceID] = []
        var waiting: Set<SourceID> = []
        for source in wanted {
            guard admitted.count < occupants.count else { break }
            if waiting.insert(source).inserted { admitted.append(source) }
        }
        let before = occupants
        for index in occupants.indices {
            guard let occupant = occupants[index] else { continue }
            // Removing also empties a second Slot with the same source, should there ever be one.
            let isPlaced = places[occupant].map { $0 == index } ?? true
            if !isPlaced || waiting.remove(occupant) == nil { occupants[index] = nil }
        }
        for source in admitted where waiting.contains(source) {
            guard let place = places[source], occupants.indices.contains(place) else { continue }
            if let displaced = occupants[place] { waiting.insert(displaced) }
            occupants[place] = source
            waiting.remove(source)
        }
        var others = admitted.lazy.filter { waiting.contains($0) }.makeIterator()
        for index in occupants.indices where occupants[index] == nil {
            guard let next = others.next() else { break }
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
