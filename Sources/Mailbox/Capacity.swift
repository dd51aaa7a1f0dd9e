/// The tables' sizes, fixed at start and the same for every worker.
public struct Capacity: Sendable, Equatable {
    public var sessions: Int
    public var tracks: Int
    public var slots: Int
    public var taps: Int
    /// TURN allocations; permissions and channels follow from it.
    public var allocations: Int

    public init(
        sessions: Int = 1_024, tracks: Int = 2_048, slots: Int = 32_768, taps: Int = 64, allocations: Int = 1_024
    ) {
        self.sessions = sessions
        self.tracks = tracks
        self.slots = slots
        self.taps = taps
        self.allocations = allocations
    }
}
