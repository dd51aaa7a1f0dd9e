import GRDB
import Meetings

/// Which messages of a meeting's chat are wanted.
public struct ChatQuery: Hashable, Sendable {
    public enum Direction: Hashable, Sendable {
        /// The nearest behind this number, the oldest first.
        case after(UInt64)
        /// The nearest before this number.
        case before(UInt64)
    }

    public var direction: Direction
    /// None with this number or a higher one: those are in memory.
    public var end: UInt64
    public var reader: ChatReader
    public var search: ChatSearch?
    public var limit: Int

    public init(_ direction: Direction, end: UInt64, reader: ChatReader, search: ChatSearch? = nil, limit: Int) {
        self.direction = direction
        self.end = end
        self.reader = reader
        self.search = search
        self.limit = limit
    }
}

extension ChatQuery {
    /// What is found, in the order of the meeting; nil where `cursor` is named, and there is no such message.
    func fetch(_ db: Database, in meeting: MeetingID, from cursor: ChatMessageID?) throws -> [ChatMessage]? {
        guard let cursor else { return try fetch(db, in: meeting) }
        guard let number = try ChatMessage.number(db, of: cursor, in: meeting, for: reader) else { return nil }
        var query = self
        switch direction {
        case .before: query.direction = .before(number)
        case .after: query.direction = .after(number)
        }
        return try query.fetch(db, in: meeting)
    }

    private func fetch(_ db: Database, in meeting: MeetingID) throws -> [ChatMessage] {
        let (sql, arguments) = statement(in: meeting)
        let found = try Row.fetchAll(db, sql: sql, arguments: arguments).compactMap { ChatMessage($0) }
        if case .after = direction { return found }
        return found.reversed()
    }

    /// How SQLite goes about it, for tests.
    func plan(_ db: Database, in meeting: MeetingID) throws -> [String] {
        let (sql, arguments) = statement(in: meeting)
        return try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql, arguments: arguments).map { $0["detail"] }
    }

    private func statement(in meeting: MeetingID) -> (sql: String, arguments: StatementArguments) {
        var conditions = ["chat.meeting_id = ?", "chat.number < ?"]
        var arguments: [(any DatabaseValueConvertible)?] = [meeting.rawValue, Self.integer(end)]
        var source = "chat"
        if let search {
            // In this order: the words are looked for once, and not once for each message of the meeting.
            source = "chat_word CROSS JOIN chat ON chat.row_id = chat_word.rowid"
            conditions.append("chat_word MATCH ?")
            arguments.append(Self.expression(search, in: meeting))
        }
        var order = "DESC"
        switch direction {
        case .before(let number):
            conditions.append("chat.number < ?")
            arguments.append(Self.integer(number))
        case .after(let number):
            conditions.append("chat.number > ?")
            arguments.append(Self.integer(number))
            order = "ASC"
        }
        switch reader {
        case .everybody: conditions.append("chat.recipient_id IS NULL AND chat.breakout IS NULL")
        case .participant(let id, let room):
            conditions.append(
                "((chat.recipient_id IS NULL AND (chat.breakout IS NULL OR chat.breakout = ?)) "
                    + "OR chat.recipient_id = ? OR chat.sender_id = ?)")
            arguments += [room.map { Int64($0.number) }, id.rawValue, id.rawValue]
        }
        let sql = """
            SELECT chat.* FROM \(source) WHERE \(conditions.joined(separator: " AND "))
            ORDER BY chat.number \(order) LIMIT \(limit)
            """
        // Not the initializer of any values, which may fail.
        let values: StatementArguments = StatementArguments(arguments)
        return (sql, values)
    }

    /// Each word begins one of the text (SQLite, FTS5 section 3); no word has a quotation mark.
    private static func expression(_ search: ChatSearch, in meeting: MeetingID) -> String {
        let words = search.words.map { "text : \"\($0)\" *" }
        return (["meeting_id : \"\(meeting)\""] + words).joined(separator: " AND ")
    }

    private static func integer(_ number: UInt64) -> Int64 { Int64(clamping: number) }
}

extension ChatMessage {
    /// Nil where somebody changed what only the program writes.
    init?(_ row: Row) {
        guard let id = ChatMessageID(row["id"]), let sender = ParticipantID(row["sender_id"]),
            let number = UInt64(exactly: row["number"] as Int64),
            let revision = UInt32(exactly: row["revision"] as Int64)
        else { return nil }
        self.init(
            id: id, sender: sender, senderName: row["sender_name"],
            recipient: (row["recipient_id"] as String?).flatMap { ParticipantID($0) },
            room: (row["breakout"] as Int64?).flatMap { UInt32(exactly: $0) }.map { BreakoutRoomID(number: $0) },
            replyTo: (row["reply_to"] as String?).flatMap { ChatMessageID($0) },
            sentAt: Timestamp(milliseconds: row["sent_at"]), text: row["text"],
            editedAt: (row["edited_at"] as Int64?).map { Timestamp(milliseconds: $0) }, isDeleted: row["is_deleted"],
            revision: revision, number: number)
    }

    /// So many of a meeting are kept.
    static let storeLimit: Int64 = 100_000

    /// Adds the message, or changes it to what it has become; the oldest of too many goes.
    func put(_ db: Database, in meeting: MeetingID) throws {
        let arguments: StatementArguments = [
            meeting.rawValue, Int64(clamping: number), id.rawValue, sender.rawValue, senderName, recipient?.rawValue,
            replyTo?.rawValue, sentAt.milliseconds, text, editedAt?.milliseconds, isDeleted, Int64(revision),
            room.map { Int64($0.number) },
        ]
        try db.cachedStatement(
            sql: """
                INSERT INTO chat (meeting_id, number, id, sender_id, sender_name, recipient_id, reply_to, sent_at, text,
                    edited_at, is_deleted, revision, breakout)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET text = excluded.text, edited_at = excluded.edited_at,
                    is_deleted = excluded.is_deleted, revision = excluded.revision
                """
        ).execute(arguments: arguments)
        try db.cachedStatement(sql: "DELETE FROM chat WHERE meeting_id = ? AND number <= ?")
            .execute(arguments: [meeting.rawValue, Int64(clamping: number) - Self.storeLimit])
    }

    /// The latest of a meeting, in their order, as many as its memory takes.
    static func latest(_ db: Database, in meeting: MeetingID) throws -> [ChatMessage] {
        let rows = try Row.fetchAll(
            db, sql: "SELECT * FROM chat WHERE meeting_id = ? ORDER BY number DESC LIMIT \(ChatLog.limit)",
            arguments: [meeting.rawValue])
        return rows.reversed().compactMap { ChatMessage($0) }
    }

    /// The highest number of a breakout room that messages were written to; 0 for none.
    static func lastBreakout(_ db: Database, in meeting: MeetingID) throws -> UInt32 {
        let number = try Int64.fetchOne(
            db, sql: "SELECT max(breakout) FROM chat WHERE meeting_id = ? AND breakout IS NOT NULL",
            arguments: [meeting.rawValue])
        return number.flatMap { UInt32(exactly: $0) } ?? 0
    }

    /// The place in its meeting of a message that the reader may read.
    static func number(_ db: Database, of id: ChatMessageID, in meeting: MeetingID, for reader: ChatReader) throws
        -> UInt64?
    {
        let row = try Row.fetchOne(
            db, sql: "SELECT * FROM chat WHERE id = ? AND meeting_id = ?", arguments: [id.rawValue, meeting.rawValue])
        guard let message = row.flatMap({ ChatMessage($0) }), message.isReadable(by: reader) else { return nil }
        return message.number
    }
}
