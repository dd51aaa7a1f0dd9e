import Wire

/// What a worker reports to control. With a full ring an event is dropped and counted; media does not depend on any of
/// them.
@frozen
public enum Event: Sendable, BitwiseCopyable {
    /// The first authenticated ICE check: DTLS may begin.
    case sessionValidated(SessionHandle, remote: Endpoint)
    /// The peer nominated another pair, or its NAT gave it another address.
    case sessionMoved(SessionHandle, remote: Endpoint)
    /// 15 s without a sign of life of the peer, told once; and the first one after that.
    case sessionSilent(SessionHandle)
    case sessionHeard(SessionHandle)
    /// 30 s without an authenticated check (RFC 7675 section 5.1), and of a publisher without authentic media.
    case sessionExpired(SessionHandle)
    case sessionClosed(SessionHandle)
    /// The first packet of a layer came in.
    case layerStarted(TrackHandle, layer: UInt8)
    case trackClosed(TrackHandle)
    case slotClosed(SlotHandle)
    case tapClosed(TapHandle)
    /// The Layers of a publisher's video Track that any Sink wants, here or behind another worker. Told when they change: an
    /// addition at once, what nobody wants any more after a second, and likewise of a new Track that nobody wants any.
    case layersWanted(TrackHandle, LayerSet)
    case laneClosed(LaneHandle)
    case crossingClosed(CrossingHandle)
    /// What a Lane carried, once a second.
    case laneReport(LaneHandle, LaneReport)
    /// A Slot now shows this layer of this Track, from the packet with this RTP timestamp on.
    case slotSwitched(SlotHandle, track: TrackHandle, layer: UInt8, timestamp: UInt32)
    /// A video Slot has shown nothing of this Track for a second for want of its Session's bandwidth, told once;
    /// `slotSwitched` tells when it shows something again.
    case slotPaused(SlotHandle, track: TrackHandle)
    /// What a Session's path carries: when the level has changed, at most once a second; else after 5 s where something else
    /// has, and each 30 s. Of Sessions with Slots whose peer sends feedback.
    case pathReport(SessionHandle, PathReport)
    /// The Track's smoothed loudness, -dBov (0 loudest, 127 silence; RFC 6464 section 3), about 5 a second while
    /// there is sound, and once when it falls silent.
    case audioLevel(TrackHandle, level: UInt8)
}
