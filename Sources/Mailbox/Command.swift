import Wire

/// What control tells a worker: fixed-size plain values that name entries by handle.
///
/// A command for a stale or unknown handle is ignored and counted; a worker never reports an error to
/// control, which owns the places and knows what is in them.
@frozen
public enum Command: Sendable, BitwiseCopyable {
    case openSession(OpenSession)
    case restartICE(RestartICE)
    /// What was negotiated after the session was opened: the answer's header extension ids.
    case configureSession(SessionHandle, ExtensionMap)
    case installKeys(InstallKeys)
    /// Ends it with all its Tracks and Slots; answered by `Event.sessionClosed`, after an event for each of those.
    case closeSession(SessionHandle)
    case openTrack(OpenTrack)
    /// Answered by `Event.trackClosed`.
    case closeTrack(TrackHandle)
    case openSlot(OpenSlot)
    case mapSlot(MapSlot)
    /// Answered by `Event.slotClosed`.
    case closeSlot(SlotHandle)
    /// The Track (on this worker, and no replica itself) is handed to its replica on another worker by reference.
    case feed(TrackHandle, replica: TrackHandle)
    case unfeed(TrackHandle, replica: TrackHandle)
    case openTap(OpenTap)
    /// Answered by `Event.tapClosed`.
    case closeTap(TapHandle)
    /// An address of another PoP: what comes from there belongs to Lanes. All workers are told.
    case openTrunk(Endpoint)
    case closeTrunk(Endpoint)
    case openLane(OpenLane)
    case changeLaneKey(ChangeLaneKey)
    /// Ends it with all that goes over it; answered by `Event.laneClosed`, after an event for each of those.
    case closeLane(LaneHandle)
    case openCrossing(OpenCrossing)
    /// Answered by `Event.crossingClosed`.
    case closeCrossing(CrossingHandle)
}

/// A Session before its first packet: what ICE needs.
@frozen
public struct OpenSession: Sendable, BitwiseCopyable {
    public var session: SessionHandle
    /// The random part of the owner-encoding ufrag that we handed out (`OwnerUfrag.secret`).
    public var ufragSecret: UInt64
    /// Our ICE password: the key of incoming checks' MESSAGE-INTEGRITY (RFC 8445 section 7.2.2).
    public var password: ShortText

    @inlinable
    public init(session: SessionHandle, ufragSecret: UInt64, password: ShortText) {
        self.session = session
        self.ufragSecret = ufragSecret
        self.password = password
    }
}

/// Further credentials for a Session's checks (RFC 8445 section 9). Those before them hold until a pair is in use that was
/// checked with these.
@frozen
public struct RestartICE: Sendable, BitwiseCopyable {
    public var session: SessionHandle
    /// As in `OpenSession`.
    public var ufragSecret: UInt64
    /// As in `OpenSession`.
    public var password: ShortText

    @inlinable
    public init(session: SessionHandle, ufragSecret: UInt64, password: ShortText) {
        self.session = session
        self.ufragSecret = ufragSecret
        self.password = password
    }
}

/// The keys that DTLS-SRTP exported (RFC 5764 section 4.2).
@frozen
public struct InstallKeys: Sendable, BitwiseCopyable {
    public var session: SessionHandle
    public var profile: SRTPProfile
    /// What the peer seals with.
    public var receive: SRTPMasterKey
    /// What we seal with.
    public var send: SRTPMasterKey

    @inlinable
    public init(session: SessionHandle, profile: SRTPProfile, receive: SRTPMasterKey, send: SRTPMasterKey) {
        self.session = session
        self.profile = profile
        self.receive = receive
        self.send = send
    }
}

/// One encoding of a Track as the offer describes it.
@frozen
public struct LayerDescription: Sendable, BitwiseCopyable {
    /// The RTP stream id (RFC 8851); empty when the offer names SSRCs instead.
    public var rid: ShortText
    /// 0 when the offer does not name it.
    public var ssrc: UInt32
    /// 0 when the offer does not name it.
    public var rtxSsrc: UInt32

    @inlinable
    public init(rid: ShortText = ShortText(), ssrc: UInt32 = 0, rtxSsrc: UInt32 = 0) {
        self.rid = rid
        self.ssrc = ssrc
        self.rtxSsrc = rtxSsrc
    }
}

/// A published source, or the replica of one on another worker.
@frozen
public struct OpenTrack: Sendable, BitwiseCopyable {
    public var track: TrackHandle
    public var source: TrackSource
    public var mid: ShortText
    public var kind: MediaKind
    public var codec: Codec
    /// The publisher's payload types.
    public var payloadTypes: PayloadTypes
    public var feedback: PublisherFeedback
    /// Lowest resolution first; 1 to 3.
    public var layers: InlineArray<3, LayerDescription>
    public var layerCount: UInt8
    /// Height in pixels of the highest layer until a keyframe tells it.
    public var nominalHeight: UInt16

    @inlinable
    public init(
        track: TrackHandle, source: TrackSource, mid: ShortText, kind: MediaKind, codec: Codec,
        payloadTypes: PayloadTypes, feedback: PublisherFeedback = .all, layers: InlineArray<3, LayerDescription>,
        layerCount: UInt8, nominalHeight: UInt16 = 720
    ) {
        self.track = track
        self.source = source
        self.mid = mid
        self.kind = kind
        self.codec = codec
        self.payloadTypes = payloadTypes
        self.feedback = feedback
        self.layers = layers
        self.layerCount = layerCount
        self.nominalHeight = nominalHeight
    }
}

/// A receive m-line of a participant, negotiated once.
@frozen
public struct OpenSlot: Sendable, BitwiseCopyable {
    public var slot: SlotHandle
    public var session: SessionHandle
    public var kind: MediaKind
    public var mid: ShortText
    /// What we send with.
    public var ssrc: UInt32
    public var rtxSsrc: UInt32
    public var payloadTypes: PayloadTypeMap

    @inlinable
    public init(
        slot: SlotHandle, session: SessionHandle, kind: MediaKind, mid: ShortText, ssrc: UInt32, rtxSsrc: UInt32,
        payloadTypes: PayloadTypeMap
    ) {
        self.slot = slot
        self.session = session
        self.kind = kind
        self.mid = mid
        self.ssrc = ssrc
        self.rtxSsrc = rtxSsrc
        self.payloadTypes = payloadTypes
    }
}

/// Puts a Track (on the same worker: the source, or its replica) into a Slot, or takes it out.
@frozen
public struct MapSlot: Sendable, BitwiseCopyable {
    public var slot: SlotHandle
    /// `none` empties the Slot.
    public var track: TrackHandle
    /// What the receiver's tile can show, pixels; the worker picks the highest layer that fits.
    public var maxHeight: UInt16

    @inlinable
    public init(slot: SlotHandle, track: TrackHandle, maxHeight: UInt16) {
        self.slot = slot
        self.track = track
        self.maxHeight = maxHeight
    }
}
