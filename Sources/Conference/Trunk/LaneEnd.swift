import Fleet
import Mailbox
import Wire

/// Our end of a Lane: its keys, and what it carried.
struct LaneEnd {
    /// A key that we can open with already, and with which the far end is to seal.
    struct KeyChange {
        let secret: LaneSecret
        /// The change of our worker that gives it the key; nil before that is sealed.
        var after: UInt64?
        var isTold = false
    }

    /// Lanes have names for that many workers of a PoP.
    static let mostWorkers = 16

    let handle: LaneHandle
    /// What the far end seals with was chosen then, ns; and its phase.
    var chosenAt: UInt64
    var receivePhase: UInt8
    /// The phase of what we seal with; nil before the far end is known.
    var sendPhase: UInt8?
    /// When we took a key to seal with, ns.
    var sealedAt: UInt64 = 0
    /// Until the far end says that it seals with it.
    var change: KeyChange?
    var report = LaneReport()

    init(_ handle: LaneHandle, receivePhase: UInt8, sendPhase: UInt8?, at now: UInt64) {
        self.handle = handle
        self.receivePhase = receivePhase
        self.sendPhase = sendPhase
        chosenAt = now
    }

    mutating func change(_ body: (inout LaneEnd) -> Void) { body(&self) }

    /// Our name for it.
    var name: LaneName {
        LaneName(part: LaneName.lanePart, worker: handle.worker, index: handle.index, generation: handle.generation)
    }
}

extension TrackHandle {
    /// The name of its Layer 0 on a Lane.
    var laneName: LaneName { LaneName(part: 0, worker: worker, index: index, generation: generation) }
}

/// A Lane that we opened, and over which Tracks come.
struct InboundLane {
    var end: LaneEnd
    let pair: Trunk.Pair
    let remote: Endpoint
    /// What the far end seals with, until it is told to the worker.
    let secret: LaneSecret
    /// The far end is known, so our worker has the Lane.
    var isOpen = false
    var tracks: Set<TrackHandle> = []
    var names = NameUses()
    /// Since when there are no Tracks, ns.
    var idleSince: UInt64

    init(_ end: LaneEnd, pair: Trunk.Pair, remote: Endpoint, secret: LaneSecret) {
        self.end = end
        self.pair = pair
        self.remote = remote
        self.secret = secret
        idleSince = end.chosenAt
    }
}

/// A Lane that another PoP opened, and over which Tracks go.
struct OutboundLane {
    var end: LaneEnd
    /// By the far end's names.
    var exports: Set<UInt32> = []
}

/// Which names of Tracks were used under a key: their generations come again after 1,024 uses of a place.
struct NameUses {
    /// The key is to be changed when a place was used so often under it.
    private static let patience: UInt32 = 512
    /// No name is used beyond this.
    private static let limit: UInt32 = 1_000

    /// By place, the first generation under the key.
    private var first: [Int: UInt32] = [:]
    private(set) var needsKey = false

    /// Notes a Track's name; false when it must wait for another key.
    mutating func note(_ track: TrackHandle) -> Bool {
        let age = (track.generation &- (first[track.index] ?? track.generation)) & 0xff_ffff
        if age >= Self.patience { needsKey = true }
        guard age < Self.limit else { return false }
        if first[track.index] == nil { first[track.index] = track.generation }
        return true
    }

    /// Another key is in use, under which only those are named that still are there.
    mutating func begin(with tracks: Set<TrackHandle>) {
        first = Dictionary(uniqueKeysWithValues: tracks.map { ($0.index, $0.generation) })
        needsKey = false
    }
}
