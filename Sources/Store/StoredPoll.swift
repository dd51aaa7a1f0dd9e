import Foundation
import GRDB
import Meetings

extension Poll {
    /// Adds the poll with its votes as they are now, or changes it to what it has become; the votes of one that is anonymous are
    /// never written but as counts. Of a meeting that has ended meanwhile nothing is.
    func put(_ db: Database, in meeting: MeetingID) throws {
        let isThere = try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM meeting WHERE id = ? AND ended_at IS NULL)",
            arguments: [meeting.rawValue])
        guard isThere == true else { return }
        try db.cachedStatement(
            sql: """
                INSERT INTO poll (id, meeting_id, author_id, author_name, created_at, question, options, is_multiple,
                    is_anonymous, is_open, counts, voters)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET is_open = excluded.is_open, counts = excluded.counts,
                    voters = excluded.voters
                """
        ).execute(arguments: [
            id.rawValue, meeting.rawValue, author?.id.rawValue, author?.name, createdAt.milliseconds, question,
            Self.json(options), isMultiple, isAnonymous, isOpen, Self.json(counts), voters,
        ])
        guard !isAnonymous else { return }
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO poll_vote (poll_id, participant_id, display_name, choice, turn) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (poll_id, participant_id) DO UPDATE SET choice = excluded.choice, turn = excluded.turn
                    WHERE excluded.turn > turn
                """)
        for (voter, ballot) in ballots {
            try statement.execute(arguments: [
                id.rawValue, voter.rawValue, ballot.name, Int64(ballot.choice.bits), Int64(ballot.turn),
            ])
        }
    }

    /// All of a meeting, in the order in which they were made.
    static func all(_ db: Database, in meeting: MeetingID) throws -> PollBook {
        let rows = try Row.fetchAll(
            db, sql: "SELECT * FROM poll WHERE meeting_id = ? ORDER BY row_id", arguments: [meeting.rawValue])
        return PollBook(
            try rows.compactMap { row in
                let votes = try Row.fetchAll(
                    db, sql: "SELECT * FROM poll_vote WHERE poll_id = ?", arguments: [row["id"] as String])
                return Poll(row, votes: votes)
            })
    }

    /// Nil where somebody changed what only the program writes.
    private init?(_ row: Row, votes: [Row]) {
        guard let id = PollID(row["id"]), let options = Self.list(of: String.self, row["options"]),
            let counts = Self.list(of: Int.self, row["counts"])
        else { return nil }
        let author = (row["author_id"] as String?).flatMap { ParticipantID($0) }
            .map { Author(id: $0, name: row["author_name"] ?? "") }
        var ballots: [ParticipantID: Ballot] = [:]
        for vote in votes {
            guard let voter = ParticipantID(vote["participant_id"]),
                let bits = UInt16(exactly: vote["choice"] as Int64), let turn = UInt32(exactly: vote["turn"] as Int64)
            else { return nil }
            ballots[voter] = Ballot(PollChoice(bits: bits), name: vote["display_name"], turn: turn)
        }
        let draft = PollDraft(
            question: row["question"], options: options, isMultiple: row["is_multiple"],
            isAnonymous: row["is_anonymous"])
        self.init(
            id: id, draft, author: author, createdAt: Timestamp(milliseconds: row["created_at"]),
            isOpen: row["is_open"], counts: counts, voters: row["voters"], ballots: ballots)
    }

    private static func json(_ list: some Encodable) -> String {
        (try? JSONEncoder().encode(list)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
    }

    private static func list<Element: Decodable>(of type: Element.Type, _ text: String) -> [Element]? {
        try? JSONDecoder().decode([Element].self, from: Data(text.utf8))
    }
}
