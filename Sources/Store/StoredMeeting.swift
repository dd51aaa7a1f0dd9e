import Foundation
import GRDB
import Meetings

/// A meeting as it is found again after a restart.
public struct StoredMeeting: Hashable, Sendable {
    public var record: MeetingRecord
    public var isLocked: Bool
    public var chat: ChatLog
    /// The breakout room with the highest number to which somebody wrote; 0: none.
    public var lastBreakout: UInt32
    public var polls: PollBook

    public init(
        _ record: MeetingRecord, isLocked: Bool = false, chat: ChatLog = ChatLog(), lastBreakout: UInt32 = 0,
        polls: PollBook = PollBook()
    ) {
        self.record = record
        self.isLocked = isLocked
        self.chat = chat
        self.lastBreakout = lastBreakout
        self.polls = polls
    }
}

extension StoredMeeting {
    /// All that have not ended, the oldest first; `unreadable` are the identifiers of those that are none.
    static func all(_ db: Database) throws -> (meetings: [StoredMeeting], unreadable: [String]) {
        var meetings: [StoredMeeting] = []
        var unreadable: [String] = []
        let rows = try Row.fetchCursor(db, sql: "SELECT * FROM meeting WHERE ended_at IS NULL ORDER BY created_at, id")
        while let row = try rows.next() {
            guard var meeting = StoredMeeting(row) else {
                unreadable.append(row["id"])
                continue
            }
            meeting.chat = ChatLog(try ChatMessage.latest(db, in: meeting.record.id))
            meeting.lastBreakout = try ChatMessage.lastBreakout(db, in: meeting.record.id)
            meeting.polls = try Poll.all(db, in: meeting.record.id)
            meetings.append(meeting)
        }
        return (meetings, unreadable)
    }

    /// The meeting without what people wrote in it; nil where there is none. `isOver`: it has ended, and has no more than its
    /// identifier.
    static func find(_ id: MeetingID, _ db: Database) throws -> (isOver: Bool, meeting: StoredMeeting?)? {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT * FROM meeting WHERE id = ?"), arguments: [id.rawValue])
        return row.map { row in
            let isOver = (row["ended_at"] as Int64?) != nil
            return (isOver, isOver ? nil : StoredMeeting(row))
        }
    }

    /// Nil where somebody changed what only the program writes. The table is STRICT: its columns have their types.
    private init?(_ row: Row) {
        guard let id = MeetingID(row["id"]), let number = MeetingNumber(String(row["number"] as Int64)),
            let plan = MeetingPlan(row), let hostKey = row["host_key"] as String?
        else { return nil }
        let salt = row["password_salt"] as Data?
        let digest = row["password_digest"] as Data?
        let password = salt.flatMap { salt in digest.map { PasswordHash(salt: Array(salt), digest: Array($0)) } }
        self.init(
            MeetingRecord(
                id: id, number: number, owner: row["owner"], createdAt: Timestamp(milliseconds: row["created_at"]),
                hostKey: hostKey, plan: plan, password: password), isLocked: row["is_locked"])
    }
}

extension MeetingPlan {
    fileprivate init?(_ row: Row) {
        guard let type = MeetingType(rawValue: row["type"]),
            let recording = MeetingSettings.Recording(rawValue: row["recording"])
        else { return nil }
        self.init(
            topic: row["topic"], type: type,
            startTime: (row["start_time"] as Int64?).map { Timestamp(milliseconds: $0) }, duration: row["duration"],
            timezone: row["timezone"], recurrence: row["recurrence"],
            settings: MeetingSettings(
                waitingRoom: row["waiting_room"], muteOnEntry: row["mute_on_entry"],
                joinBeforeHost: row["join_before_host"], allowScreenShare: row["allow_screen_share"],
                allowChat: row["allow_chat"], allowUnmute: row["allow_unmute"],
                maxParticipants: row["max_participants"], recording: recording, hostVideo: row["host_video"],
                participantVideo: row["participant_video"], e2ee: row["e2ee"],
                webinar: row["webinar"]))
    }
}

extension MeetingRecord {
    /// Its columns, each with its value.
    private static let columns: [(name: String, value: @Sendable (MeetingRecord) -> (any DatabaseValueConvertible)?)] =
        [
            ("id", { $0.id.rawValue }), ("number", { Int64($0.number.value) }), ("owner", { $0.owner }),
            ("created_at", { $0.createdAt.milliseconds }), ("topic", { $0.plan.topic }),
            ("type", { $0.plan.type.rawValue }), ("start_time", { $0.plan.startTime?.milliseconds }),
            ("duration", { $0.plan.duration }), ("timezone", { $0.plan.timezone }),
            ("recurrence", { $0.plan.recurrence }), ("waiting_room", { $0.plan.settings.waitingRoom }),
            ("mute_on_entry", { $0.plan.settings.muteOnEntry }),
            ("join_before_host", { $0.plan.settings.joinBeforeHost }),
            ("allow_screen_share", { $0.plan.settings.allowScreenShare }),
            ("allow_chat", { $0.plan.settings.allowChat }), ("allow_unmute", { $0.plan.settings.allowUnmute }),
            ("max_participants", { $0.plan.settings.maxParticipants }),
            ("recording", { $0.plan.settings.recording.rawValue }), ("host_video", { $0.plan.settings.hostVideo }),
            ("participant_video", { $0.plan.settings.participantVideo }), ("e2ee", { $0.plan.settings.e2ee }),
            ("webinar", { $0.plan.settings.webinar }),
            ("host_key", { $0.hostKey }), ("password_salt", { $0.password.map { Data($0.salt) } }),
            ("password_digest", { $0.password.map { Data($0.digest) } }),
        ]

    /// Makes the meeting, or changes it; one that has ended stays as it is.
    private static let statement: String = {
        let names = columns.map(\.name)
        let changes = names.dropFirst().map { "\($0) = excluded.\($0)" }
        let places = names.map { _ in "?" }
        return """
            INSERT INTO meeting (\(names.joined(separator: ", "))) VALUES (\(places.joined(separator: ", ")))
            ON CONFLICT (id) DO UPDATE SET \(changes.joined(separator: ", ")) WHERE ended_at IS NULL
            """
    }()

    func put(_ db: Database) throws {
        // Not the initializer of any values, which may fail.
        let arguments: StatementArguments = StatementArguments(Self.columns.map { $0.value(self) })
        try db.cachedStatement(sql: Self.statement).execute(arguments: arguments)
    }
}
