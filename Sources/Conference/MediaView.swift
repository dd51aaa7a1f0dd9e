import Meetings

/// What a participant's screen shows: bounded, and each tile once.
public struct MediaView: Sendable, Equatable {
    /// How the tiles are arranged.
    public enum Layout: String, Sendable, Codable {
        case gallery, speaker
    }

    /// Whom a player with a Slot or two is shown, who has no tiles.
    public enum Subject: Sendable, Equatable {
        /// Its tiles, or everybody in turn.
        case tiles
        /// One participant alone, to be seen and heard.
        case participant(ParticipantID)
        /// Who speaks, or spoke last.
        case speaker
        /// The shared screen in the Slots of video, and who speaks.
        case screen
    }

    /// Tiles of one view; more than any screen has.
    public static let limit = 100

    public private(set) var layout: Layout
    public let subject: Subject
    /// The pinned one first, then the visible ones in order; at most `limit`.
    public private(set) var tiles: [ParticipantID] = []
    /// The most pixels in height that a tile can show, as far as the viewer said it.
    private var heights: [ParticipantID: UInt16] = [:]

    /// - Parameters:
    ///   - visible: the tiles in order, the most important first.
    ///   - heights: pixels.
    public init(
        layout: Layout = .gallery, visible: [ParticipantID] = [], pinned: ParticipantID? = nil,
        heights: [ParticipantID: Int] = [:], subject: Subject = .tiles
    ) {
        self.layout = layout
        self.subject = subject
        var seen: Set<ParticipantID> = []
        let named = (pinned.map { [$0] } ?? []) + visible
        tiles = Array(named.filter { seen.insert($0).inserted }.prefix(Self.limit))
        for tile in tiles { self.heights[tile] = heights[tile].map(TileHeight.clamped) }
    }

    /// A view that lists nobody, as of a client that only tells its layout: it is shown everybody in turn.
    var isDefault: Bool { tiles.isEmpty }

    /// The same without one of its tiles: nobody is shown to itself.
    func without(_ participant: ParticipantID) -> MediaView {
        var view = self
        view.tiles.removeAll { $0 == participant }
        view.heights[participant] = nil
        return view
    }

    /// The most pixels in height for a tile: the viewer's figure, or what the layout leaves.
    func height(of participant: ParticipantID) -> UInt16 {
        if let height = heights[participant] { return height }
        switch layout {
        case .gallery: return TileHeight.gallery(tiles: tiles.count)
        case .speaker: return TileHeight.speaker(rank: tiles.first == participant ? 0 : 1)
        }
    }
}
