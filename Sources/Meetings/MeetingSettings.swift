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

    public init(
        waitingRoom: Bool = false, muteOnEntry: Bool = false, joinBeforeHost: Bool = true,
        allowScreenShare: Bool = true, allowChat: Bool = true, allowUnmute: Bool = true, maxParticipants: Int = 100,
        recording: Recording = .none,
        hostVideo: Bool = true, participantVideo: Bool = true, e2ee: Bool = false
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
    }

    /// - Throws: `invalid` out of bounds; `settingUnavailable` for a promise that nobody keeps here: a
    ///   waiting room that lets everybody in would be worse than none.
    public func validate(within limits: Limits) throws(MeetingError) {
        guard (2...limits.participants).contains(maxParticipants) else {
            throw .invalid(field: "settings.max_participants", reason: "from 2 to \(limits.participants)")
        }
        if waitingRoom && limits.waitingRoom == 0 { throw .settingUnavailable("waiting_room") }
        if e2ee { throw .settingUnavailable("e2ee") }
        if recording != .none { throw .settingUnavailable("recording") }
    }
}
