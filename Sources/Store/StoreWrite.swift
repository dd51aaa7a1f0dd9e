import GRDB
import Meetings

/// One change of the database. Done twice, as after a commit of which nobody knows whether it was one, it changes nothing more,
/// but for a line of the audit trail, which is then there twice.
enum StoreWrite: Sendable {
    case meeting(MeetingRecord)
    case lock(MeetingID, Bool)
    case end(MeetingID, at: Timestamp, reason: String)
    case joined(Participant, MeetingID)
    case left(ParticipantID, at: Timestamp, reason: String)
    case decision(HostDecision)
    /// A message as it is now.
    case chat(ChatMessage, MeetingID)
    /// A poll as it is now.
    case poll(Poll, MeetingID)
    case deletePoll(PollID)
    /// Somebody has another role now. The session keeps that of its beginning.
    case role(ParticipantID, Role, at: Timestamp)
    /// The outbox's own.
    case delivery(DeliveryChange)
    /// Whoever was here when the process before this one was killed has left, nobody knows when.
    case closeSessions

    func perform(_ db: Database) throws {
        func execute(_ sql: String, _ arguments: (any DatabaseValueConvertible)?...) throws {
            // Not the initializer of any values, which may fail.
            let arguments: StatementArguments = StatementArguments(arguments)
            try db.cachedStatement(sql: sql).execute(arguments: arguments)
        }
        switch self {
        case .meeting(let record): try record.put(db)
        case .lock(let id, let isLocked):
            try execute("UPDATE meeting SET is_locked = ? WHERE id = ?", isLocked, id.rawValue)
        case .end(let id, let moment, let reason):
            // Its secrets open nothing any more.
            try execute(
                """
                UPDATE meeting SET ended_at = ?, end_reason = ?, host_key = NULL, password_salt = NULL,
                    password_digest = NULL WHERE id = ? AND ended_at IS NULL
                """, moment.milliseconds, reason, id.rawValue)
            // What was written and asked in it nobody can read any more.
            try execute("DELETE FROM chat WHERE meeting_id = ?", id.rawValue)
            try execute("DELETE FROM poll WHERE meeting_id = ?", id.rawValue)
        case .joined(let participant, let meeting):
            try execute(
                """
                INSERT INTO session (participant_id, meeting_id, display_name, role, joined_at)
                VALUES (?, ?, ?, ?, ?) ON CONFLICT (participant_id) DO NOTHING
                """, participant.id.rawValue, meeting.rawValue, participant.displayName, participant.role.rawValue,
                participant.joinedAt.milliseconds)
        case .left(let id, let moment, let reason):
            try execute(
                """
                UPDATE session SET left_at = ?, leave_reason = ? WHERE participant_id = ? AND leave_reason IS NULL
                """, moment.milliseconds, reason, id.rawValue)
        case .decision(let decision):
            let (kind, actor) = decision.author.actor.columns
            try execute(
                """
                INSERT INTO audit (at, meeting_id, actor_kind, actor, address, action, target, is_refused)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                decision.at.milliseconds, decision.meeting.rawValue, kind, actor, decision.author.address,
                decision.action.rawValue, decision.target?.rawValue, decision.isRefused)
        case .chat(let message, let meeting): try message.put(db, in: meeting)
        case .poll(let poll, let meeting): try poll.put(db, in: meeting)
        case .deletePoll(let id): try execute("DELETE FROM poll WHERE id = ?", id.rawValue)
        case .role, .delivery: break
        case .closeSessions: try execute("UPDATE session SET leave_reason = 'unknown' WHERE leave_reason IS NULL")
        }
    }
}

extension HostDecision.Author.Actor {
    var columns: (kind: String, actor: String) {
        switch self {
        case .service(let user): ("service", user)
        case .participant(let id): ("participant", id.rawValue)
        }
    }
}
