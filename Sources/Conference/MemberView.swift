import Meetings

/// What a participant's screen shows, bounded and cleared of what cannot be shown.
struct MemberView {
    /// Names read of one list: more tiles than this no screen shows, and the rest is not stored.
    static let limit = 128

    /// The pinned one first, then the visible ones in order; each once, and never the viewer.
    let tiles: [ParticipantID]
    private let heights: [ParticipantID: UInt16]
    private let layout: MediaView.Layout

    /// Nil for a view that lists nobody, as of a client that only tells its layout: it is shown everybody.
    init?(_ view: MediaView, viewer: ParticipantID) {
        var seen: Set<ParticipantID> = [viewer]
        let named = (view.pinned.map { [$0] } ?? []) + view.visible.prefix(Self.limit)
        tiles = named.filter { seen.insert($0).inserted }
        guard !tiles.isEmpty else { return nil }
        layout = view.layout
        let given = tiles.compactMap { tile in view.heights[tile].map { (tile, TileHeight.clamped($0)) } }
        heights = Dictionary(uniqueKeysWithValues: given)
    }

    /// The most pixels in height for each tile, by name: the viewer's figure, or what the layout leaves.
    func height(of participant: ParticipantID) -> UInt16 {
        if let height = heights[participant] { return height }
        switch layout {
        case .gallery: return TileHeight.gallery(tiles: tiles.count)
        case .speaker: return TileHeight.speaker(rank: tiles.first == participant ? 0 : 1)
        }
    }
}
