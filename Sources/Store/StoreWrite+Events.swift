import GRDB
import Meetings
import Webhooks

extension StoreWrite {
    /// Performs it, and says what has happened by it: nothing where it changed nothing, as when it is done twice. A decision of a
    /// host alone may be told twice then, as it is written down twice.
    ///
    /// - Parameter now: the time of what has none of its own.
    func performTold(_ db: Database, at now: Timestamp) throws -> [MeetingEvent] {
        switch self {
        case .meeting(let record): return try told(record, db, now)
        case .lock(let id, let isLocked):
            let known = try StoredMeeting.find(id, db)?.meeting
            try perform(db)
            guard let known, known.isLocked != isLocked else { return [] }
            return [.updated(known.record, isLocked: isLocked, at: now)]
        case .end(let id, let moment, let reason):
            let known = try StoredMeeting.find(id, db)
            try perform(db)
            return known?.isOver == false ? [.ended(id, at: moment, reason: reason)] : []
        case .joined(let participant, let meeting): return try told(participant, in: meeting, db)
        case .left(let id, let moment, let reason):
            let session = try Session.open(id, db)
            try perform(db)
            return session.map { [.left($0.person, $0.meeting, at: moment, reason: reason)] } ?? []
        case .role(let id, let role, let moment):
            guard let session = try Session.open(id, db) else { return [] }
            return [.roleChanged(session.person(as: role), session.meeting, at: moment)]
        case .decision(let decision):
            try perform(db)
            return [.decided(.init(decision), decision.meeting, at: decision.at)]
        case .chat(let message, let meeting): return try told(message, in: meeting, db)
        case .poll(let poll, let meeting): return try told(poll, in: meeting, db, now)
        case .closeSessions:
            let sessions = try Session.allOpen(db)
            try perform(db)
            return sessions.map { .left($0.person, $0.meeting, at: now, reason: "unknown") }
        case .deletePoll, .delivery:
            try perform(db)
            return []
        }
    }

    private func told(_ record: MeetingRecord, _ db: Database, _ now: Timestamp) throws -> [MeetingEvent] {
        let known = try StoredMeeting.find(record.id, db)
        try perform(db)
        guard let known else { return [.created(record)] }
        guard !known.isOver, known.meeting?.record != record else { return [] }
        return [.updated(record, isLocked: known.meeting?.isLocked ?? false, at: now)]
    }

    private func told(_ participant: Participant, in meeting: MeetingID, _ db: Database) throws -> [MeetingEvent] {
        func isThere(_ condition: String, _ id: String) throws -> Bool {
            let sql = "SELECT EXISTS (SELECT 1 FROM session WHERE \(condition))"
            return try Bool.fetchOne(db.cachedStatement(sql: sql), arguments: [id]) ?? false
        }
        let isKnown = try isThere("participant_id = ?", participant.id.rawValue)
        let isFirst = try !isThere("meeting_id = ? AND leave_reason IS NULL", meeting.rawValue)
        try perform(db)
        guard !isKnown else { return [] }
        let person = EventData.Person(
            participant.id.rawValue, name: participant.displayName, role: participant.role)
        return (isFirst ? [.started(meeting, at: participant.joinedAt)] : [])
            + [.joined(person, meeting, at: participant.joinedAt)]
    }

    private func told(_ message: ChatMessage, in meeting: MeetingID, _ db: Database) throws -> [MeetingEvent] {
        func revision() throws -> Int64? {
            try Int64.fetchOne(
                db.cachedStatement(sql: "SELECT revision FROM chat WHERE id = ?"), arguments: [message.id.rawValue])
        }
        let before = try revision()
        try perform(db)
        // What is written to one, or to a breakout room, is nobody else's business.
        guard message.isReadable(by: .everybody), let after = try revision(), before.map({ $0 < after }) ?? true else {
            return []
        }
        return [.wrote(message, meeting)]
    }

    private func told(_ poll: Poll, in meeting: MeetingID, _ db: Database, _ now: Timestamp) throws -> [MeetingEvent] {
        func isOpen() throws -> Bool? {
            try Bool.fetchOne(
                db.cachedStatement(sql: "SELECT is_open FROM poll WHERE id = ?"), arguments: [poll.id.rawValue])
        }
        let before = try isOpen()
        try perform(db)
        guard before != false, try isOpen() == false else { return [] }
        return [.closed(poll, meeting, at: now)]
    }
}

/// Somebody's time in a meeting, which has not ended.
private struct Session {
    let meeting: MeetingID
    let person: EventData.Person
    private let participant: String
    private let name: String

    private init?(_ row: Row) {
        guard let meeting = MeetingID(row["meeting_id"]) else { return nil }
        self.meeting = meeting
        participant = row["participant_id"]
        name = row["display_name"]
        person = EventData.Person(participant, name: name)
    }

    func person(as role: Role) -> EventData.Person { EventData.Person(participant, name: name, role: role) }

    static func open(_ id: ParticipantID, _ db: Database) throws -> Session? {
        let statement = try db.cachedStatement(
            sql: "SELECT * FROM session WHERE participant_id = ? AND leave_reason IS NULL")
        return try Row.fetchOne(statement, arguments: [id.rawValue]).flatMap { Session($0) }
    }

    static func allOpen(_ db: Database) throws -> [Session] {
        try Row.fetchAll(db, sql: "SELECT * FROM session WHERE leave_reason IS NULL ORDER BY joined_at")
            .compactMap { Session($0) }
    }
}

extension EventData.Decision {
    fileprivate init(_ decision: HostDecision) {
        let (kind, actor) = decision.author.actor.columns
        self.init(
            decision.action.rawValue, byKind: kind, actor, target: decision.target?.rawValue,
            isRefused: decision.isRefused)
    }
}
