/// What a participant may do.
public enum Role: String, Sendable, Codable, CaseIterable {
    case host
    case coHost = "co_host"
    case participant
    /// On the panel of a webinar: seen and heard as a participant is in other meetings.
    case panelist
    /// Watches a webinar: gives neither sound nor pictures, and hosts alone hear of it.
    case attendee

    /// Whether the role carries the host controls.
    public var controls: Bool { self == .host || self == .coHost }

    /// Whether a meeting of this kind has the role.
    public func exists(inWebinar isWebinar: Bool) -> Bool {
        switch self {
        case .host, .coHost: true
        case .participant: !isWebinar
        case .panelist, .attendee: isWebinar
        }
    }
}

/// What a participant sends, by its own word as far as hosts let it.
public struct MediaState: Sendable, Hashable, Codable {
    public var audio: Bool
    public var video: Bool
    public var screen: Bool
    public var handRaised: Bool
    /// A host has muted its microphone, and it has not been opened since.
    public var mutedByHost: Bool

    public init(
        audio: Bool = false, video: Bool = false, screen: Bool = false, handRaised: Bool = false,
        mutedByHost: Bool = false
    ) {
        self.audio = audio
        self.video = video
        self.screen = screen
        self.handRaised = handRaised
        self.mutedByHost = mutedByHost
    }

    /// Whether it is on.
    public func has(_ source: HostOrder.Source) -> Bool {
        switch source {
        case .audio: audio
        case .video: video
        case .screen: screen
        }
    }

    /// Of one who may give nothing: whatever it sends, nobody gets it.
    public func withheld() -> MediaState {
        MediaState(handRaised: handRaised, mutedByHost: true)
    }

    /// A host has silenced it.
    public mutating func mute(_ source: HostOrder.Source) {
        switch source {
        case .audio:
            audio = false
            mutedByHost = true
        case .video: video = false
        case .screen: screen = false
        }
    }
}

extension MediaState {
    /// `mutedByHost` is absent where another version says it.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            audio: try fields.decode(Bool.self, forKey: .audio), video: try fields.decode(Bool.self, forKey: .video),
            screen: try fields.decode(Bool.self, forKey: .screen),
            handRaised: try fields.decode(Bool.self, forKey: .handRaised),
            mutedByHost: try fields.decodeIfPresent(Bool.self, forKey: .mutedByHost) ?? false)
    }
}

/// Where a participant is on its way through a meeting.
public enum Presence: Sendable, Equatable {
    /// Has joined, but has no socket yet; nobody sees it.
    case expected(until: Timestamp)
    /// Has a socket and is not let in yet; nobody but hosts hears of it.
    case waiting
    case present
    /// Has lost its socket and may come back.
    case dropped(until: Timestamp)

    /// Whether the others see the participant.
    public var isVisible: Bool {
        switch self {
        case .expected, .waiting: false
        case .present, .dropped: true
        }
    }

    /// When the participant is given up.
    public var deadline: Timestamp? {
        switch self {
        case .expected(let until), .dropped(let until): until
        case .present, .waiting: nil
        }
    }
}

/// One presence of a person in a meeting. Names need not be unique.
public struct Participant: Sendable, Equatable {
    public let id: ParticipantID
    public let displayName: String
    public internal(set) var role: Role
    public internal(set) var media: MediaState
    public internal(set) var presence: Presence
    /// Counts up in the order of joining.
    public let arrival: Int
    public internal(set) var joinedAt: Timestamp
    /// Is at another PoP of the fleet, which keeps its place and its time.
    public internal(set) var isElsewhere = false
    /// What it showed last.
    public internal(set) var reaction: Reaction?
    /// A host has asked it to open its microphone: it may, where the others may not.
    public internal(set) var mayUnmute = false
    /// It has a place; else it is to be let in first.
    public internal(set) var isAdmitted = true
}

/// A secret of a meeting that opens it.
public enum ShownSecret: String, Sendable, CaseIterable {
    case password
    case hostKey = "host_key"
    /// The bearer token of a stream, which may be either.
    case token
}

/// What somebody who wants to join shows.
public struct JoinRequest: Sendable, Equatable {
    public var displayName: String
    public var password: String?
    public var hostKey: String?
    /// A service token already showed that this is the host.
    public var isHost: Bool
    /// A service token showed that a service knows this person, who does not wait to be let in.
    public var isVouched: Bool
    /// A service brings it on the panel of a webinar.
    public var isPanelist: Bool

    public init(
        displayName: String, password: String? = nil, hostKey: String? = nil, isHost: Bool = false,
        isVouched: Bool = false, isPanelist: Bool = false
    ) {
        self.displayName = displayName
        self.password = password
        self.hostKey = hostKey
        self.isHost = isHost
        self.isVouched = isVouched
        self.isPanelist = isPanelist
    }
}
