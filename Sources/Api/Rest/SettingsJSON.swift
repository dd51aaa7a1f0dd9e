import Meetings

/// Settings on the wire; in a request, what is absent stays as it is.
struct SettingsJSON: CallBody, Encodable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case recording, e2ee, webinar
        case waitingRoom = "waiting_room"
        case muteOnEntry = "mute_on_entry"
        case joinBeforeHost = "join_before_host"
        case allowScreenShare = "allow_screen_share"
        case allowChat = "allow_chat"
        case allowUnmute = "allow_unmute"
        case maxParticipants = "max_participants"
        case hostVideo = "host_video"
        case participantVideo = "participant_video"
    }

    var waitingRoom: Bool?
    var muteOnEntry: Bool?
    var joinBeforeHost: Bool?
    var allowScreenShare: Bool?
    var allowChat: Bool?
    var allowUnmute: Bool?
    var maxParticipants: Int?
    var recording: MeetingSettings.Recording?
    var hostVideo: Bool?
    var participantVideo: Bool?
    var e2ee: Bool?
    var webinar: Bool?

    init(_ settings: MeetingSettings) {
        waitingRoom = settings.waitingRoom
        muteOnEntry = settings.muteOnEntry
        joinBeforeHost = settings.joinBeforeHost
        allowScreenShare = settings.allowScreenShare
        allowChat = settings.allowChat
        allowUnmute = settings.allowUnmute
        maxParticipants = settings.maxParticipants
        recording = settings.recording
        hostVideo = settings.hostVideo
        participantVideo = settings.participantVideo
        e2ee = settings.e2ee
        webinar = settings.webinar
    }

    func applied(to settings: MeetingSettings) -> MeetingSettings {
        MeetingSettings(
            waitingRoom: waitingRoom ?? settings.waitingRoom, muteOnEntry: muteOnEntry ?? settings.muteOnEntry,
            joinBeforeHost: joinBeforeHost ?? settings.joinBeforeHost,
            allowScreenShare: allowScreenShare ?? settings.allowScreenShare,
            allowChat: allowChat ?? settings.allowChat, allowUnmute: allowUnmute ?? settings.allowUnmute,
            maxParticipants: maxParticipants ?? settings.maxParticipants,
            recording: recording ?? settings.recording, hostVideo: hostVideo ?? settings.hostVideo,
            participantVideo: participantVideo ?? settings.participantVideo, e2ee: e2ee ?? settings.e2ee,
            webinar: webinar ?? settings.webinar)
    }
}
