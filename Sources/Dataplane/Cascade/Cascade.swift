import Mailbox
import Wire

/// What a worker knows of other PoPs: Lanes, and the Tracks that go over them.
struct Cascade: ~Copyable {
    /// In the flow table: the address is another PoP's. No worker has the number.
    static let trunk = SessionHandle(worker: 0xff, index: 0, generation: 1).raw

    let isEnabled: Bool
    var lanes: HandleTable<LaneKind, Lane>
    var crossings: HandleTable<CrossingKind, Crossing>
    /// The far ends' names to indices of Crossings.
    private var names: FlowTable
    var pending: LaneOpens
    /// Of each layer of each Track.
    private let streams: UnsafeMutablePointer<RolloverCounter>
    private let transforms: UnsafeMutableRawPointer
    private let histories: UnsafeMutablePointer<UInt64>

    init(_ capacity: Capacity, random: inout RandomSource) {
        isEnabled = capacity.lanes > 0
        let lanes = max(capacity.lanes, 1)
        let crossings = max(capacity.crossings, 1)
        self.lanes = HandleTable(capacity: lanes)
        self.crossings = HandleTable(capacity: crossings)
        names = FlowTable(capacity: crossings, seed: (random.next(), random.next()))
        pending = LaneOpens()
        let layers = isEnabled ? capacity.tracks * Track.maximumLayers : 1
        streams = LargeMemory.allocate(byteCount: layers * MemoryLayout<RolloverCounter>.stride)
            .bindMemory(to: RolloverCounter.self, capacity: layers)
        streams.initialize(repeating: RolloverCounter(), count: layers)
        transforms = LargeMemory.allocate(byteCount: lanes * Lane.transformCount * SRTPTransform.byteCount)
        histories = .allocate(capacity: lanes * LaneHistory.depth)
        histories.initialize(repeating: 0, count: lanes * LaneHistory.depth)
    }

    deinit {
        UnsafeMutableRawPointer(streams).deallocate()
        transforms.deallocate()
        histories.deallocate()
    }

    /// The roll-overs of a layer of the Track at `index`, which comes over a Lane. What was received the Track's caches know.
    @inline(__always)
    func rollover(track index: Int, layer: Int) -> UnsafeMutablePointer<RolloverCounter> {
        streams + (index * Track.maximumLayers + layer)
    }

    /// `SRTPTransform.byteCount` bytes: for receiving by phase, 0 and 1, and for sending, 2.
    func transform(_ index: Int, _ place: Int) -> UnsafeMutableRawPointer {
        transforms + (index * Lane.transformCount + place) * SRTPTransform.byteCount
    }

    func history(_ index: Int) -> LaneHistory { LaneHistory(entries: histories + index * LaneHistory.depth) }

    /// The Crossing that the far end of a Lane calls `name`, whatever its layer.
    func crossing(_ name: LaneName, of lane: LaneHandle) -> UnsafeMutablePointer<Crossing>? {
        names.find(Self.key(name, lane)).map { crossings.element(at: Int($0)) }
    }

    /// False when the table is full, or the name is taken.
    mutating func note(_ name: LaneName, of lane: LaneHandle, index: Int) -> Bool {
        guard names.find(Self.key(name, lane)) == nil else { return false }
        return names.insert(Self.key(name, lane), UInt64(index))
    }

    mutating func forget(_ name: LaneName, of lane: LaneHandle) { _ = names.remove(Self.key(name, lane)) }

    private static func key(_ name: LaneName, _ lane: LaneHandle) -> FlowKey {
        let index = UInt32(lane.index)
        return FlowKey(
            remote: Endpoint(
                address: IPAddress(v4: name.layer(0).raw), port: UInt16(truncatingIfNeeded: index)),
            localPort: UInt16(truncatingIfNeeded: index >> 16))
    }
}
