import GRDB
import Meetings
import TestSupport
import Testing

@testable import Store

@Suite(.timeLimit(.minutes(1))) struct StoredPolls {
    private static let ada = ParticipantID("p_ada")!
    private static let bob = ParticipantID("p_bob")!

    /// A poll in which Ada chose the first option and Bob the second, by his second vote.
    private static func poll(_ id: String, isAnonymous: Bool = false, isOpen: Bool = true) throws -> Poll {
        let options = ["Yes", "'); DROP TABLE poll; --", "\"\\ 会議 👩‍💻"]
        let draft = PollDraft(question: "Tea?", options: options, isMultiple: true, isAnonymous: isAnonymous)
        let ballots = [
            ada: Ballot(PollChoice(bits: 1), name: isAnonymous ? "" : "Ada", turn: 1),
            bob: Ballot(PollChoice(bits: 6), name: isAnonymous ? "" : "Bob", turn: 2),
        ]
        return try #require(
            Poll(
                id: PollID(id)!, draft, author: Poll.Author(id: ada, name: "Ada"),
                createdAt: StoreStage.now, isOpen: isOpen, counts: [1, 1, 1], voters: 2,
                ballots: isOpen || !isAnonymous ? ballots : [:]))
    }

    @Test func pollsAndTheirVotesAreThereAgain() async throws {
        let stage = try StoreStage()
        let record = stage.record()
        let store = try stage.open()
        try await store.keep(record, nil)
        let empty = try #require(
            Poll(
                id: PollID("q_2")!, PollDraft(question: "?", options: ["a", "b"]), author: nil,
                createdAt: StoreStage.now, isOpen: true, counts: [0, 0], voters: 0))
        let polls = [try Self.poll("q_3"), empty, try Self.poll("q_1", isOpen: false)]
        for poll in polls { store.notePoll(poll, in: record.id) }
        // Told twice, nothing is there twice.
        store.notePoll(polls[0], in: record.id, stage.decision(.pollCreate, of: record.id))
        let gone = try Self.poll("q_gone")
        store.notePoll(gone, in: record.id)
        store.noteDeletion(of: gone.id, stage.decision(.pollDelete, of: record.id))
        await store.close()

        let again = try stage.open()
        #expect(try again.meetings() == [StoredMeeting(record, polls: PollBook(polls))])
        let audit = try stage.read { try String.fetchAll($0, sql: "SELECT action FROM audit ORDER BY id") }
        #expect(audit == ["poll_create", "poll_delete"])
        try await again.end(record.id, at: StoreStage.now, reason: "ended", nil)
        // What was on its way comes too late.
        again.notePoll(polls[0], in: record.id)
        await again.close()
        let rows = try stage.read {
            try Int.fetchOne($0, sql: "SELECT (SELECT count(*) FROM poll) + (SELECT count(*) FROM poll_vote)")
        }
        #expect(rows == 0)
    }

    @Test func whileTheDatabaseIsAwayTheLatestOfAPollWaits() async throws {
        let stage = try StoreStage()
        let record = stage.record()
        let store = try stage.open(patience: .seconds(8))
        try await store.keep(record, nil)
        try await store.until { $0.waiting == 0 }
        let gone = Trouble.all[2]
        try gone.begin(store, stage.path)
        await #expect(throws: StoreFailure.self) { try await store.keep(stage.record(), nil) }
        let before = store.reading.waiting
        for _ in 0..<100 { for id in ["q_1", "q_2"] { store.notePoll(try Self.poll(id), in: record.id) } }
        #expect(store.reading.waiting == before + 2)
        let closed = try Self.poll("q_1", isOpen: false)
        store.notePoll(closed, in: record.id)
        try gone.end(store, stage.path)
        try await store.until { $0.isUp && $0.waiting == 0 }
        #expect(try store.meetings().first?.polls == PollBook([closed, try Self.poll("q_2")]))
        await store.close()
    }

    @Test func ofAnAnonymousPollTheCountsAloneAreWritten() async throws {
        let stage = try StoreStage()
        let record = stage.record()
        let store = try stage.open()
        try await store.keep(record, nil)
        for isOpen in [true, false] {
            store.notePoll(try Self.poll("q_1", isAnonymous: true, isOpen: isOpen), in: record.id)
        }
        await store.close()
        let votes = try stage.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM poll_vote") }
        #expect(votes == 0)
        let again = try stage.open()
        let poll = try #require(try again.meetings().first?.polls.polls.first)
        #expect(poll.counts == [1, 1, 1] && poll.voters == 2 && !poll.isOpen && poll.ballots.isEmpty)
        await again.close()
    }

    @Test func aVoteThatWasChangedIsWhatItIsNow() async throws {
        let stage = try StoreStage()
        let record = stage.record()
        let store = try stage.open()
        try await store.keep(record, nil)
        var book = PollBook([try Self.poll("q_1")])
        let id = book.polls[0].id
        store.notePoll(book.polls[0], in: record.id)
        book.apply(.vote(id, Self.ada, Ballot(PollChoice(bits: 4), name: "Ada", turn: 2)))
        store.notePoll(book.polls[0], in: record.id)
        await store.close()
        let again = try stage.open()
        #expect(try again.meetings().first?.polls == book)
        #expect(book.polls[0].counts == [0, 1, 2])
        await again.close()
    }

    @Test func whatSomebodyElseWroteIsLeftOut() async throws {
        let stage = try StoreStage()
        let record = stage.record()
        let store = try stage.open()
        try await store.keep(record, nil)
        for id in ["q_1", "q_2", "q_3"] { store.notePoll(try Self.poll(id), in: record.id) }
        await store.close()
        let database = try DatabaseQueue(path: stage.path)
        try await database.write { db in
            try db.execute(sql: "UPDATE poll SET counts = '[9,9' WHERE id = 'q_1'")
            try db.execute(sql: "UPDATE poll_vote SET choice = 70000 WHERE poll_id = 'q_3'")
        }
        try database.close()
        let again = try stage.open()
        #expect(try again.meetings().first?.polls.polls.map(\.id.rawValue) == ["q_2"])
        await again.close()
    }
}
