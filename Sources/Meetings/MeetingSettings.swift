/// What the host chose (documentation, REST).
public struct MeetingSettings: Sendable, Hashable, Codable {
    public enum Recording: String, Sendable, Codable, CaseIterable {
        case none, local, cloud
    }

    public var waitingRoom: Bool
    public var muteOnEntry: Bool
    public var joinBeforeHost: Bool
    public var allowScreenShare: Bool
    /// Whether those without host controls may write to everybody and to each other.
    public var allowChat: Bool
    /// Whether those without host controls may open their microphones.
    public var allowUnmute: Bool
    public var maxParticipants: Int
    public var recording: Recording
    public var hostVideo: Bool
    public var participantVideo: Bool
    public var e2ee: Bool
    /// Only hosts and those whom they bring on the panel are seen and heard.
    public var webinar: Bool

    public init(
        waitingRoom: Bool = false, muteOnEntry: Bool = false, joinBeforeHost: Bool = true,
        allowScreenShare: Bool = true, allowChat: Bool = true, allowUnmute: Bool = true, maxParticipants: Int = 100,
        recording: Recording = .none,
        hostVideo: Bool = true, participantVideo: Bool = true, e2ee: Bool = false, webinar: Bool = false
    ) {
        self.waitingRoom = waitingRoom
        self.muteOnEntry = muteOnEntry
        self.joinBeforeHost = joinBeforeHost
        self.allowScreenShare = allowScreenShare
        self.allowChat = allowChat
        self.allowUnmute = allowUnmute
        self.maxParticipants = maxParticipants
        self.recording = recording
        self.hostVideo = hostVideo
        self.participantVideo = participantVideo
        self.e2ee = e2ee
        self.webinar = webinar
    }

    /// How many such a meeting may have.
    func mostParticipants(within limits: Limits) -> Int {
        webinar ? max(limits.webinarParticipants, limits.participants) : limits.participants
    }

    /// Places of such a meeting but those kept for hosts.
    public func places(within limits: Limits) -> Int { min(maxParticipants, mostParticipants(within: limits)) }

    /// - Throws: `invalid` out of bounds; `settingUnavailable` for a promise that nobody keeps here: a
    ///   waiting room that lets everybody in would be worse than none.
    public func validate(within limits: Limits) throws(MeetingError) {
        let most = mostParticipants(within: limits)
        guard (2...most).contains(maxParticipants) else {
            throw .invalid(field: "settings.max_participants", reason: "from 2 to \(most)")
        }
        if waitingRoom && limits.waitingRoom == 0 { throw .settingUnavailable("waiting_room") }
        if e2ee { throw .settingUnavailable("e2ee") }
        if recording != .none { throw .settingUnavailable("recording") }
    }
}

extension MeetingSettings {
    /// `webinar` is absent where another version says it.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        func flag(_ key: CodingKeys) throws -> Bool { try fields.decode(Bool.self, forKey: key) }
        try self.init(
            waitingRoom: flag(.waitingRoom), muteOnEntry: flag(.muteOnEntry), joinBeforeHost: flag(.joinBeforeHost),
            allowScreenShare: flag(.allowScreenShare), allowChat: flag(.allowChat), allowUnmute: flag(.allowUnmute),
            maxParticipants: fields.decode(Int.self, forKey: .maxParticipants),
            recording: fields.decode(Recording.self, forKey: .recording), hostVideo: flag(.hostVideo),
            participantVideo: flag(.participantVideo), e2ee: flag(.e2ee),
            webinar: fields.decodeIfPresent(Bool.self, forKey: .webinar) ?? false)
    }
}
