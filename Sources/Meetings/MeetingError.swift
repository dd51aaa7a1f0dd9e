/// Why the domain refuses; each case has one HTTP status and one stable code (documentation, REST).
public enum MeetingError: Error, Hashable, Sendable {
    /// A value that is well-formed but impossible.
    case invalid(field: String, reason: String)
    /// A setting that this version carries but cannot honour.
    case settingUnavailable(String)
    case startInPast
    case passwordRequired
    case wrongPassword
    case wrongHostKey
    /// The role does not allow it.
    case forbidden
    case screenShareForbidden
    case unmuteForbidden
    case chatForbidden
    /// A host has removed somebody who came from there.
    case removed
    /// A host lets people in, which this one cannot wait for.
    case waitingRoom
    /// As many wait to be let in as may.
    case waitingRoomFull
    /// A meeting keeps a host while it has one.
    case lastHost
    /// Unknown, or ended.
    case meetingNotFound
    case participantNotFound
    /// There is no such message that one may read.
    case chatNotFound
    /// Breakout rooms are open already; none are; there is no such one; people do not choose theirs.
    case breakoutOpen
    case breakoutClosed
    case breakoutNotFound
    case breakoutChoiceForbidden
    case pollNotFound
    case pollClosed
    /// As many as may be, or as many open ones.
    case tooManyPolls
    /// As many have voted in the open polls as may.
    case pollFull
    /// Only a webinar has that; it has none of these.
    case notWebinar
    case noBreakouts
    /// The role is one of webinars in another meeting, or the other way round.
    case webinarRole
    /// Attendees of a webinar give neither sound nor pictures.
    case attendeeMedia
    case questionNotFound
    /// As many as may be, in all or of one person.
    case tooManyQuestions
    /// It is answered: what was told to everybody is not taken back.
    case questionAnswered
    /// A meeting stays of its kind while somebody is in it.
    case inProgress
    case hostNotHere
    case screenShareTaken
    case locked
    case meetingFull
    /// The node holds as many meetings as it can.
    case nodeFull

    /// The HTTP status.
    public var status: Int {
        switch self {
        case .startInPast: 400
        case .passwordRequired, .wrongPassword, .wrongHostKey, .forbidden, .screenShareForbidden, .unmuteForbidden,
            .chatForbidden, .removed, .waitingRoom, .breakoutChoiceForbidden, .attendeeMedia:
            403
        case .meetingNotFound, .participantNotFound, .chatNotFound, .breakoutNotFound, .pollNotFound,
            .questionNotFound:
            404
        case .hostNotHere, .screenShareTaken, .lastHost, .breakoutOpen, .breakoutClosed, .pollClosed, .tooManyPolls,
            .pollFull, .notWebinar, .noBreakouts, .webinarRole, .tooManyQuestions, .questionAnswered, .inProgress:
            409
        case .invalid, .settingUnavailable: 422
        case .locked: 423
        case .meetingFull, .nodeFull, .waitingRoomFull: 503
        }
    }

    /// The stable word that clients may rely on.
    public var code: String {
        switch self {
        case .invalid: "invalid_field"
        case .settingUnavailable: "setting_unavailable"
        case .startInPast: "start_in_past"
        case .passwordRequired: "password_required"
        case .wrongPassword: "wrong_password"
        case .wrongHostKey: "wrong_host_key"
        case .forbidden: "forbidden"
        case .screenShareForbidden: "screen_share_forbidden"
        case .unmuteForbidden: "unmute_forbidden"
        case .chatForbidden: "chat_forbidden"
        case .removed: "removed"
        case .waitingRoom: "waiting_room"
        case .waitingRoomFull: "waiting_room_full"
        case .lastHost: "last_host"
        case .meetingNotFound: "meeting_not_found"
        case .participantNotFound: "participant_not_found"
        case .chatNotFound: "chat_not_found"
        case .breakoutOpen: "breakout_open"
        case .breakoutClosed: "breakout_closed"
        case .breakoutNotFound: "breakout_not_found"
        case .breakoutChoiceForbidden: "breakout_choose_forbidden"
        case .pollNotFound: "poll_not_found"
        case .pollClosed: "poll_closed"
        case .tooManyPolls: "too_many_polls"
        case .pollFull: "poll_full"
        case .notWebinar: "not_webinar"
        case .noBreakouts: "no_breakouts"
        case .webinarRole: "webinar_role"
        case .attendeeMedia: "attendee_media"
        case .questionNotFound: "question_not_found"
        case .tooManyQuestions: "too_many_questions"
        case .questionAnswered: "question_answered"
        case .inProgress: "in_progress"
        case .hostNotHere: "host_not_here"
        case .screenShareTaken: "screen_share_taken"
        case .locked: "meeting_locked"
        case .meetingFull: "meeting_full"
        case .nodeFull: "node_full"
        }
    }

    /// For people.
    public var message: String {
        switch self {
        case .invalid(let field, let reason): "\(field): \(reason)"
        case .settingUnavailable(let name): "The setting \(name) is not available on this node."
        case .startInPast: "The start lies in the past."
        case .passwordRequired: "This meeting needs a password."
        case .wrongPassword: "The password is wrong."
        case .wrongHostKey: "The host key is wrong."
        case .forbidden: "Your role does not allow this."
        case .screenShareForbidden: "The host does not allow participants to share their screen."
        case .unmuteForbidden: "The host does not allow participants to unmute themselves."
        case .chatForbidden: "The host allows participants to write to hosts only."
        case .removed: "A host has removed you from this meeting."
        case .waitingRoom: "A host lets people into this meeting, which needs a signaling socket."
        case .waitingRoomFull: "Too many people wait to be let into this meeting."
        case .lastHost: "The meeting has no other host."
        case .meetingNotFound: "There is no such meeting, or it has ended."
        case .participantNotFound: "There is no such participant in this meeting."
        case .chatNotFound: "There is no such message in this chat any more."
        case .breakoutOpen: "Breakout rooms are open already."
        case .breakoutClosed: "No breakout rooms are open, or you are in none."
        case .breakoutNotFound: "There is no such breakout room any more."
        case .breakoutChoiceForbidden: "The host does not let participants choose their room."
        case .pollNotFound: "There is no such poll in this meeting any more."
        case .pollClosed: "The poll is closed."
        case .tooManyPolls: "The meeting has as many polls, or open polls, as it may have."
        case .pollFull: "The open polls cannot take more votes."
        case .notWebinar: "This meeting is no webinar."
        case .noBreakouts: "A webinar has no breakout rooms."
        case .webinarRole: "A meeting of this kind does not have that role."
        case .attendeeMedia: "Attendees of a webinar give neither sound nor pictures."
        case .questionNotFound: "There is no such question in this meeting."
        case .tooManyQuestions: "As many questions were asked as may be; wait until some are answered."
        case .questionAnswered: "The question is answered."
        case .inProgress: "This can be changed only while nobody is in the meeting."
        case .hostNotHere: "The meeting begins when the host joins."
        case .screenShareTaken: "Somebody else is sharing a screen."
        case .locked: "The meeting is locked."
        case .meetingFull: "The meeting is full."
        case .nodeFull: "The node cannot take another meeting."
        }
    }
}
