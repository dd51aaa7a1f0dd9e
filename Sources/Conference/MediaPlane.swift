import Meetings

/// What the signaling asks of the media side, and what it hears from it.
///
/// The media director conforms to it; the tests have a fake. Every call may come for a participant
/// that the media side does not know (any more): then it does nothing.
public protocol MediaPlane: Sendable {
    /// Takes the participant's one SDP offer, what it sends and what its screen shows; answers it and tells it its
    /// Slots. A later offer that changes nothing but the ICE credentials goes on with the session (`restart`); any other
    /// one (a page that was loaded again) replaces it.
    ///
    /// - Throws: `MediaError` where the offer cannot be served; nothing of it is kept then.
    func connect(_ participant: ParticipantID, in meeting: MeetingID, _ offer: MediaOffer) async throws
        -> MediaConnection

    /// Answers a later offer of the participant's session with other ICE credentials: Slots, keys and DTLS stay, and media
    /// go on over the old pair until the new one is checked.
    ///
    /// - Returns: the SDP answer.
    /// - Throws: `MediaError`; `noSession` where there is none that the offer goes on with. Nothing is changed then.
    func restart(_ participant: ParticipantID, _ offer: String) async throws -> String

    /// Ends the participant's session and gives its places back.
    func disconnect(_ participant: ParticipantID) async

    /// What the participant's screen shows now.
    func setView(_ participant: ParticipantID, _ view: MediaView) async

    /// What the participant sends now, by its own word.
    func setMediaState(_ participant: ParticipantID, _ state: PublishedMedia) async

    /// Who of a meeting is in which room now, and whose voice is heard in all of them. Sessions stay as they are: Slots alone
    /// change.
    ///
    /// - Parameter number: counts up with each call; an earlier one that comes late changes nothing.
    func arrange(_ breakouts: Breakouts, in meeting: MeetingID, number: UInt64) async

    /// All Slots of the participant, in the order of its m-lines.
    func slots(of participant: ParticipantID) async -> [SlotAssignment]

    /// Tells once more which layers of the participant's videos anybody wants (`MediaUpdate.layersWanted`): for one who may
    /// have missed it.
    func repeatWantedLayers(of participant: ParticipantID) async

    /// What happened on the media side, together what happened together. There is one reader, the signaling; the stream
    /// never ends before the media side does.
    var updates: AsyncStream<[MediaUpdate]> { get }
}

/// What a participant says that it sends.
public struct PublishedMedia: Sendable, Equatable {
    public var audio: Bool
    public var video: Bool
    public var screen: Bool
    /// A host has muted it: whatever it sends, nobody gets its sound.
    public var isSilenced: Bool

    /// A newcomer sends nothing until it says so.
    public init(audio: Bool = false, video: Bool = false, screen: Bool = false, isSilenced: Bool = false) {
        self.audio = audio
        self.video = video
        self.screen = screen
        self.isSilenced = isSilenced
    }
}

/// What somebody who wants to be connected brings.
public struct MediaOffer: Sendable, Equatable {
    /// The SDP offer.
    public var sdp: String
    public var state: PublishedMedia
    public var view: MediaView
    /// The participant's place in the meeting's order of joining; nil: the media side counts those that it sees.
    public var serial: UInt64?

    public init(
        sdp: String, state: PublishedMedia = PublishedMedia(), view: MediaView = MediaView(), serial: UInt64? = nil
    ) {
        self.sdp = sdp
        self.state = state
        self.view = view
        self.serial = serial
    }
}

/// What a connected participant gets at once.
public struct MediaConnection: Sendable, Equatable {
    /// The SDP answer.
    public var sdp: String
    /// All Slots, in the order of the m-lines.
    public var slots: [SlotAssignment]
    /// What the answer takes of the participant.
    public var publishes: PublishedMedia
    /// The same as other PoPs need to know it.
    public var publication: Publication

    public init(
        sdp: String, slots: [SlotAssignment], publishes: PublishedMedia = PublishedMedia(),
        publication: Publication = Publication()
    ) {
        self.sdp = sdp
        self.slots = slots
        self.publishes = publishes
        self.publication = publication
    }
}

/// What a Slot carries.
public enum SlotSource: String, Sendable, Codable {
    case audio, video, screen
}

/// Who is in a Slot now.
public struct SlotAssignment: Sendable, Hashable {
    /// The m-line's identification tag (RFC 5888).
    public var mid: String
    /// Nil: the Slot is empty.
    public var participant: ParticipantID?
    public var source: SlotSource

    public init(mid: String, participant: ParticipantID?, source: SlotSource) {
        self.mid = mid
        self.participant = participant
        self.source = source
    }
}

/// Whose picture a Slot really shows.
public struct SlotPicture: Sendable, Equatable {
    public var mid: String
    public var participant: ParticipantID
    public var source: SlotSource
    /// Of the publisher's encodings, 0 the lowest.
    public var layer: Int
    /// The RTP timestamp of its first packet.
    public var timestamp: UInt32

    public init(mid: String, participant: ParticipantID, source: SlotSource, layer: Int, timestamp: UInt32) {
        self.mid = mid
        self.participant = participant
        self.source = source
        self.layer = layer
        self.timestamp = timestamp
    }
}

/// What anybody in the meeting wants of one of the participant's own videos; the rest need not be encoded.
public struct WantedLayers: Sendable, Equatable {
    /// The m-line's identification tag (RFC 5888).
    public var mid: String
    /// The rids (RFC 8851) of the wanted encodings, the lowest first; nil where the m-line has one encoding without a rid.
    public var rids: [String]?
    /// Whether anything of it is wanted.
    public var isWanted: Bool

    /// - Parameter rids: none: nobody wants any.
    public init(mid: String, rids: [String]) {
        self.mid = mid
        self.rids = rids
        isWanted = !rids.isEmpty
    }

    /// Of an m-line without rids.
    public init(mid: String, isWanted: Bool) {
        self.mid = mid
        self.isWanted = isWanted
    }
}

/// How well a participant's media flows.
public struct MediaQuality: Sendable, Equatable {
    public enum Level: String, Sendable, Codable {
        case good, unstable, poor
    }

    public var level: Level
    /// The layer sent, for instance `f`, `h` or `q`; nil where there is only one.
    public var layer: String?
    /// The estimate toward the participant, bit/s; nil where there is none yet.
    public var estimate: Int?

    public init(level: Level, layer: String? = nil, estimate: Int? = nil) {
        self.level = level
        self.layer = layer
        self.estimate = estimate
    }
}

/// What happened on the media side.
public enum MediaUpdate: Sendable, Equatable {
    /// The Slots of the participant that changed: who will be in them.
    case slots(ParticipantID, [SlotAssignment])
    /// The picture of one of the participant's Slots is somebody's from now on.
    case slotSwitched(ParticipantID, SlotPicture)
    /// The picture of one of the participant's Slots, named by its m-line, stands still for want of bandwidth, until the next
    /// `slotSwitched`.
    case slotPaused(ParticipantID, mid: String)
    /// ICE and DTLS are done: media can flow.
    case connected(ParticipantID)
    /// Nothing authentic has come from the participant for 15 s; and it does again.
    case silent(ParticipantID)
    case heard(ParticipantID)
    /// The media path is gone.
    case failed(ParticipantID, reason: MediaFailure)
    /// Of one room, the loudest first.
    case activeSpeakers(MeetingRoom, [ParticipantID])
    /// Which layers of its own video anybody wants now; told to the publisher.
    case layersWanted(ParticipantID, WantedLayers)
    /// How well the media between the receiver and the node flows; told to the receiver.
    case quality(ParticipantID, MediaQuality)
}

/// Why an offer cannot be served.
public struct MediaError: Error, Sendable, Equatable {
    /// The stable word on the wire.
    public enum Code: String, Sendable {
        /// No place for another session: 503.
        case full
        /// The offer is not SDP that we can answer: 400.
        case badOffer = "bad_offer"
        /// Well-formed, but without a codec or a transport that we share: 422.
        case unsupported
        /// There is no session that the offer goes on with: 409.
        case noSession = "no_session"
        /// The media side is stopping: 503.
        case draining
    }

    public var code: Code
    /// For people; never quotes the offer.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
