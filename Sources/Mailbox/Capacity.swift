/// The tables' sizes, fixed at start and the same for every worker.
public struct Capacity: Sendable, Equatable {
    public var sessions: Int
    public var tracks: Int
    public var slots: Int
    public var taps: Int
    /// TURN allocations; permissions and channels follow from it.
    public var allocations: Int
    /// Pairs with workers of other PoPs, and Tracks that go over them; 0: no fleet.
    public var lanes: Int
    public var crossings: Int

    public init(
        sessions: Int = 1_024, tracks: Int = 4_096, slots: Int = 32_768, taps: Int = 64, allocations: Int = 1_024,
        lanes: Int = 0, crossings: Int = 0
    ) {
        self.sessions = sessions
        self.tracks = tracks
        self.slots = slots
        self.taps = taps
        self.allocations = allocations
        self.lanes = lanes
        self.crossings = crossings
    }

    /// The same for a PoP of a fleet. A worker has a Lane in each direction with each worker of another PoP with which it shares
    /// a meeting: of 16 PoPs with 8 workers. A PoP feeds 16 others with what it has: 256 sources of each worker.
    public var inFleet: Capacity {
        var capacity = self
        capacity.lanes = 2 * 16 * 8
        capacity.crossings = 16 * 256
        return capacity
    }
}
