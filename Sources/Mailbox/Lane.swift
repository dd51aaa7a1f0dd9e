import Wire

/// One direction's key of a Lane, and its phase: the two ends change keys without losing a packet, as each packet says which
/// of the latest two keys sealed it.
@frozen
public struct LaneKey: Sendable, BitwiseCopyable {
    public var master: SRTPMasterKey
    /// 0 or 1, in turn.
    public var phase: UInt8

    @inlinable
    public init(master: SRTPMasterKey, phase: UInt8) {
        self.master = master
        self.phase = phase & 1
    }
}

/// A pair of workers of two PoPs that has something to carry. AEAD_AES_128_GCM; each end chooses the key that the other
/// seals with, and the names under which the other sends.
@frozen
public struct OpenLane: Sendable, BitwiseCopyable {
    public var lane: LaneHandle
    /// The far end's name for the Lane, under which it expects our RTCP.
    public var peer: LaneName
    /// The far PoP's media address.
    public var remote: Endpoint
    /// What the far end seals with, and we.
    public var receive: LaneKey
    public var send: LaneKey

    @inlinable
    public init(lane: LaneHandle, peer: LaneName, remote: Endpoint, receive: LaneKey, send: LaneKey) {
        self.lane = lane
        self.peer = peer
        self.remote = remote
        self.receive = receive
        self.send = send
    }
}

/// Another key for one direction. The receiver takes it first; what the other phase's key sealed is opened still, until the
/// next change.
@frozen
public struct ChangeLaneKey: Sendable, BitwiseCopyable {
    public var lane: LaneHandle
    public var isSend: Bool
    public var key: LaneKey

    @inlinable
    public init(lane: LaneHandle, isSend: Bool, key: LaneKey) {
        self.lane = lane
        self.isSend = isSend
        self.key = key
    }
}

/// A Track (on this worker, and no replica) goes over a Lane; Layers that the far end wants.
@frozen
public struct OpenCrossing: Sendable, BitwiseCopyable {
    public var crossing: CrossingHandle
    public var track: TrackHandle
    public var lane: LaneHandle
    /// The far end's name for the Track's Layer 0.
    public var name: LaneName

    @inlinable
    public init(crossing: CrossingHandle, track: TrackHandle, lane: LaneHandle, name: LaneName) {
        self.crossing = crossing
        self.track = track
        self.lane = lane
        self.name = name
    }
}

/// What a Lane carried since it was opened, and how long the way is.
@frozen
public struct LaneReport: Sendable, BitwiseCopyable, Equatable {
    public var sentPackets: UInt64 = 0
    public var sentBytes: UInt64 = 0
    public var receivedPackets: UInt64 = 0
    /// Of the far end's packets, those that did not come at first, and those of them that came when asked for.
    public var missingPackets: UInt64 = 0
    public var repairedPackets: UInt64 = 0
    /// There and back, ns; 0 until it is known.
    public var roundTrip: UInt64 = 0

    @inlinable
    public init() {}
}
