import Mailbox

/// The consumers of a Track, in a list for each kind, and what they want of it.
struct Sinks: BitwiseCopyable {
    /// The first of the Slots, linked by `Slot.next`, and the two that follow, which are prefetched; indices, `none` where
    /// nobody watches.
    var leading = (first: Link.none, second: Link.none, third: Link.none)
    /// The Layers that any Sink wants, as upstream was told last.
    var wanted = LayerSet()
    /// Those that any Crossing wants, and the first of them, linked by `Crossing.nextOfTrack`; an index.
    var crossed = LayerSet()
    var firstCrossing = Link.none
    /// Layers whose packets others read beside the Slots, at the same time: sibling workers and Taps. Of a replica all, as
    /// its source's worker reads them too. The packets of other Layers may be patched where they lie.
    private(set) var shared: LayerSet
    /// Layers that sibling workers or Taps get.
    private(set) var handedOver = LayerSet()
    private let base: LayerSet

    private(set) var siblings = SiblingSinks()
    /// The first of the Taps, linked by `Tap.next`; an index.
    var firstTap = Link.none
    /// Layers that any Tap wants.
    private var tapped = LayerSet()

    /// When upstream was told of `wanted`, ns.
    var toldAt: UInt64 = 0
    /// Upstream has not heard of `wanted`: nothing was told yet, or its ring had no room.
    var isUntold = false

    /// `shared`: Layers that somebody else reads in any case.
    init(shared: LayerSet) {
        self.shared = shared
        base = shared
    }

    /// The first of the Slots; an index.
    var firstSlot: UInt32 { leading.first }

    /// What all Sinks want together. `slots`: what the Slots want.
    func union(slots: LayerSet) -> LayerSet { slots.union(handedOver).union(crossed) }

    /// Whether a Slot or another PoP gets the Layer, or shall soon. A sibling worker keeps packets itself.
    @inline(__always)
    func isWanted(_ layer: UInt8) -> Bool { wanted.contains(layer) || crossed.contains(layer) }

    /// Changes the replica on `worker`, or what it wants. Nothing that was forwarded before waits to be sealed.
    mutating func setSibling(_ worker: Int, _ replica: TrackHandle, _ layers: LayerSet) {
        siblings.set(worker, replica, layers)
        update()
    }

    /// The Taps want this from now on. Nothing that was forwarded before waits to be sealed.
    mutating func setTapped(_ layers: LayerSet) {
        tapped = layers
        update()
    }

    private mutating func update() {
        handedOver = siblings.wanted.union(tapped)
        shared = base.union(handedOver)
    }
}

/// The sibling workers that a Track is handed to, by their numbers: its replica there, and the Layers that are wanted.
struct SiblingSinks: BitwiseCopyable {
    private var replicas = InlineArray<16, TrackHandle>(repeating: .none)
    private var layers = InlineArray<16, LayerSet>(repeating: LayerSet())
    private(set) var count = 0

    /// None for a worker that it is not handed to.
    @inline(__always)
    func replica(_ worker: Int) -> TrackHandle { replicas[worker] }

    @inline(__always)
    func layers(_ worker: Int) -> LayerSet { layers[worker] }

    var wanted: LayerSet {
        var wanted = LayerSet()
        for worker in layers.indices { wanted = wanted.union(layers[worker]) }
        return wanted
    }

    fileprivate mutating func set(_ worker: Int, _ replica: TrackHandle, _ wanted: LayerSet) {
        if replicas[worker].isNone != replica.isNone { count &+= replica.isNone ? -1 : 1 }
        replicas[worker] = replica
        layers[worker] = wanted
    }
}
