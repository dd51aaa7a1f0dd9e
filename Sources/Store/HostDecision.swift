import Meetings

/// A line of the audit trail: who decided what of a meeting, or wanted to, when, and from where.
public struct HostDecision: Hashable, Sendable {
    public enum Action: String, Sendable, CaseIterable {
        case create, change, lock, unlock, end, admit, deny, remove
        case muteAudio = "mute_audio"
        case muteVideo = "mute_video"
        case muteScreen = "mute_screen"
        case muteAll = "mute_all"
        case askUnmute = "ask_unmute"
        case makeHost = "make_host"
        case makeCoHost = "make_co_host"
        case makeParticipant = "make_participant"
        case makePanelist = "make_panelist"
        case makeAttendee = "make_attendee"
        case breakoutOpen = "breakout_open"
        case breakoutMove = "breakout_move"
        case breakoutBroadcast = "breakout_broadcast"
        case breakoutClose = "breakout_close"
        case pollCreate = "poll_create"
        case pollClose = "poll_close"
        case pollDelete = "poll_delete"
    }

    /// Who asked, and the address that the call came from.
    public struct Author: Hashable, Sendable {
        public enum Actor: Hashable, Sendable {
            /// The user for whom a service called.
            case service(user: String)
            case participant(ParticipantID)
        }

        public let actor: Actor
        public let address: String

        public init(_ actor: Actor, from address: String) {
            self.actor = actor
            self.address = address
        }
    }

    public let action: Action
    public let meeting: MeetingID
    public let author: Author
    public let at: Timestamp
    /// To whom it happened; nil: to the meeting.
    public let target: ParticipantID?
    /// Its author may not decide that, and nothing happened.
    public let isRefused: Bool

    public init(
        _ action: Action, of meeting: MeetingID, by author: Author, at: Timestamp, target: ParticipantID? = nil,
        isRefused: Bool = false
    ) {
        self.action = action
        self.meeting = meeting
        self.author = author
        self.at = at
        self.target = target
        self.isRefused = isRefused
    }
}

extension HostDecision.Action {
    public init(_ order: HostOrder) {
        self =
            switch order {
            case .remove: .remove
            case .mute(_, .audio): .muteAudio
            case .mute(_, .video): .muteVideo
            case .mute(_, .screen): .muteScreen
            case .muteAll: .muteAll
            case .askUnmute: .askUnmute
            case .setRole(_, .host): .makeHost
            case .setRole(_, .coHost): .makeCoHost
            case .setRole(_, .participant): .makeParticipant
            case .setRole(_, .panelist): .makePanelist
            case .setRole(_, .attendee): .makeAttendee
            }
    }

    public init(_ change: BreakoutChange) {
        self =
            switch change {
            case .open: .breakoutOpen
            case .move: .breakoutMove
            case .voice, .notice: .breakoutBroadcast
            case .closeAt, .close: .breakoutClose
            }
    }
}
