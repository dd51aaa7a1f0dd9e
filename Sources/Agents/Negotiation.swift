import Wire

/// Who sends the ClientHello (RFC 5763 section 5): the party that is `active` in `a=setup`.
public enum DTLSRole: Sendable, Equatable {
    /// We are `passive`.
    case server
    /// We are `active`.
    case client
}

/// What an offer and our answer to it agreed on.
public struct Negotiation: Sendable {
    public var remoteUfrag: String
    public var remotePassword: String
    /// The strongest that the offer gives of its certificate.
    public var fingerprint: Fingerprint
    /// Our role.
    public var dtlsRole: DTLSRole
    /// The header extensions that the answer kept, with the offer's ids.
    public var extensions: ExtensionMap
    /// What the client publishes, in m-line order: at most two sounds, a camera and a screen.
    public var sends: [SendMedia]
    /// The Slots, in m-line order.
    public var receives: [ReceiveMedia]
    /// Every accepted m-line allows reduced-size RTCP (RFC 5506).
    public var reducedSizeRTCP: Bool
    /// Transport-wide congestion feedback was agreed on, together with its header extension.
    public var transportFeedback: Bool
    /// What names the offer's session (`SessionDescription.origin`).
    public var origin = ""
    /// What names the session of our answer, and which description of it this is (RFC 3264 section 8).
    public var sessionID: UInt64 = 0
    public var version = 2
    /// Our ICE credentials.
    public var ufrag = ""
    public var password = ""
    /// The offer goes on with the session of the one before it.
    public var isContinuation = false
    /// Our answer, lines ended by CR LF.
    public var answer: String
}

/// An m-line in which the client sends.
public struct SendMedia: Sendable, Equatable {
    /// At most 16 bytes, as a one-byte header extension element carries it (RFC 8285 section 4.2).
    public var mid: String
    /// `.screen` when the m-line says `a=content:slides` (RFC 4796), or its msid stream or track id begins with
    /// `screen`, or when it is the second video and none says so.
    public var kind: MediaKind
    public var codec: Codec
    /// The client's payload types.
    public var payloadTypes: PayloadTypes
    /// What it may be sent.
    public var feedback: PublisherFeedback
    /// Lowest resolution first; 1 to 3.
    public var layers: [SendLayer]
    /// The msid stream id (RFC 8830); empty when the m-line has none.
    public var stream: String
}

/// One encoding of a SendMedia: named by its rid, or by SSRCs, or (both missing) by the m-line's mid alone.
public struct SendLayer: Sendable, Equatable {
    /// RTP stream id (RFC 8851), at most 16 bytes; empty when the offer has no simulcast.
    public var rid: String
    /// 0 when the offer does not name it.
    public var ssrc: UInt32
    /// 0 when the offer does not name it.
    public var rtxSsrc: UInt32
}

/// An m-line in which the client receives: a Slot.
public struct ReceiveMedia: Sendable {
    /// At most 16 bytes.
    public var mid: String
    /// `.audio` or `.video`; `.screen` as in `SendMedia`.
    public var kind: MediaKind
    /// The client's payload types for every codec that we share.
    public var payloadTypes: PayloadTypeMap
    /// What we send with.
    public var ssrc: UInt32
    /// 0 when no retransmission format was negotiated.
    public var rtxSsrc: UInt32
}
