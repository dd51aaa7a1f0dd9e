import GRDB
import Meetings
import TestSupport
import Testing

@testable import Store

@Suite(.timeLimit(.minutes(1))) struct StoredChats {
    private static let ada = ParticipantID("p_ada")!
    private static let bob = ParticipantID("p_bob")!

    private static func message(
        _ number: UInt64, _ text: String, to recipient: ParticipantID? = nil, in meeting: MeetingID,
        isDeleted: Bool = false
    ) -> ChatMessage {
        ChatMessage(
            id: ChatMessageID("\(meeting)-\(number)")!, sender: ada, senderName: "Ada", recipient: recipient,
            replyTo: number > 1 ? ChatMessageID("\(meeting)-1") : nil,
            sentAt: StoreStage.now + .seconds(Int64(number)), text: text, isDeleted: isDeleted, number: number)
    }

    private static func find(
        _ store: MeetingStore, _ direction: ChatQuery.Direction, in meeting: MeetingID, end: UInt64 = .max,
        for reader: ChatReader = .everybody, search: String? = nil, limit: Int = 200, from cursor: String? = nil
    ) async throws -> [UInt64]? {
        let query = ChatQuery(
            direction, end: end, reader: reader, search: try search.map { try ChatSearch($0) }, limit: limit)
        return try await store.chat(query, in: meeting, from: cursor.flatMap { ChatMessageID($0) })?.map(\.number)
    }

    @Test func theLatestAreThereAgainAndAllAreKept() async throws {
        let stage = try StoreStage()
        let record = stage.record()
        let store = try stage.open()
        try await store.keep(record, nil)
        var log = ChatLog()
        for number in 1...450 as ClosedRange<UInt64> {
            let put = log.put(Self.message(0, "text \(number)", in: MeetingID("x_\(number)")!))
            store.noteChat(try #require(put), in: record.id)
        }
        // What was edited is as it was said last, whatever is told twice.
        let last = try #require(log.messages.last)
        for text in ["edited", "edited"] {
            let changed = ChatMessage(
                id: last.id, sender: last.sender, senderName: last.senderName, sentAt: last.sentAt, text: text,
                editedAt: StoreStage.now, revision: 1, number: last.number)
            log.put(changed)
            store.noteChat(changed, in: record.id)
        }
        await store.close()
        let again = try stage.open()
        #expect(try again.meetings() == [StoredMeeting(record, chat: log)])
        #expect(try await Self.find(again, .before(.max), in: record.id, limit: 3) == [448, 449, 450])
        #expect(try await Self.find(again, .after(0), in: record.id, limit: 3) == [1, 2, 3])
        #expect(try await Self.find(again, .before(.max), in: record.id, search: "edited") == [450])
        #expect(try await Self.find(again, .before(.max), in: record.id, search: "450") == [])
        await again.close()
    }

    @Test func aPageIsOfOneMeetingAndOneReader() async throws {
        let stage = try StoreStage()
        let store = try stage.open()
        let (one, other) = (stage.record(), stage.record())
        for record in [one, other] { try await store.keep(record, nil) }
        for number in 1...20 as ClosedRange<UInt64> {
            let recipient = number % 5 == 0 ? Self.bob : nil
            let text = number % 2 == 0 ? "Die Brücke, \(number)" : "bridge_\(number)"
            store.noteChat(Self.message(number, text, to: recipient, in: one.id), in: one.id)
            store.noteChat(Self.message(number, "Brücke", in: other.id), in: other.id)
        }
        store.noteChat(Self.message(21, "", in: one.id, isDeleted: true), in: one.id)
        try await store.until { $0.waiting == 0 }
        #expect(try await Self.find(store, .before(11), in: one.id, limit: 3) == [7, 8, 9])
        #expect(
            try await Self.find(store, .before(11), in: one.id, for: .participant(Self.bob), limit: 3) == [8, 9, 10])
        #expect(try await Self.find(store, .after(13), in: one.id, end: 18) == [14, 16, 17])
        #expect(try await Self.find(store, .before(.max), in: one.id, search: "BRÜ die 1") == [12, 14, 16, 18])
        #expect(try await Self.find(store, .before(.max), in: one.id, search: "bridge_1", limit: 2) == [17, 19])
        #expect(try await Self.find(store, .before(.max), in: other.id, search: "brücke")?.count == 20)
        // A message names the place.
        #expect(try await Self.find(store, .before(0), in: one.id, limit: 2, from: "\(one.id)-9") == [7, 8])
        #expect(try await Self.find(store, .after(0), in: one.id, end: 12, from: "\(one.id)-9") == [11])
        for cursor in ["\(one.id)-10", "\(other.id)-9", "c_1"] {
            #expect(try await Self.find(store, .after(0), in: one.id, from: cursor) == nil, "\(cursor)")
        }
        // Words of the search's own language are words.
        for query in ["NOT", "text", "\"", "meeting_id", "a* OR b", "NEAR(x)"] {
            if let search = try? ChatSearch(query) {
                let query = ChatQuery(.before(.max), end: .max, reader: .everybody, search: search, limit: 5)
                #expect(try await store.chat(query, in: one.id) == [], "\(query)")
            }
        }
        await store.close()
    }

    /// Each word may begin many others: the words are looked for once, and not again for each message.
    @Test func aSearchTakesNoLongerThanItsWords() async throws {
        let stage = try StoreStage()
        let store = try stage.open()
        let record = stage.record()
        try await store.keep(record, nil)
        let plan = try stage.read { db in
            try ChatQuery(.before(.max), end: .max, reader: .everybody, search: try ChatSearch("e"), limit: 5)
                .plan(db, in: record.id)
        }
        let words = plan.firstIndex { $0.contains("chat_word") }
        let messages = plan.firstIndex { $0.contains("SEARCH chat USING") }
        #expect(words != nil && messages != nil && words! < messages!, "\(plan)")
        await store.close()
    }

    @Test func whatCannotBeWrittenIsMissedAndSaid() async throws {
        let stage = try StoreStage()
        let store = try stage.open(patience: .milliseconds(500))
        let record = stage.record()
        try await store.keep(record, nil)
        // What was said just now is there.
        store.noteChat(Self.message(1, "one", in: record.id), in: record.id)
        #expect(try await Self.find(store, .after(0), in: record.id) == [1])
        try store.pragma("query_only = 1")
        store.noteChat(Self.message(2, "two", in: record.id), in: record.id)
        await #expect(throws: StoreFailure.self) { try await Self.find(store, .after(0), in: record.id) }
        try store.pragma("query_only = 0")
        try await store.until { $0.isUp && $0.waiting == 0 }
        #expect(try await Self.find(store, .after(0), in: record.id) == [1, 2])
        // What was written in a meeting goes with it.
        try await store.end(record.id, at: StoreStage.now, reason: "ended", nil)
        #expect(try stage.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM chat") } == 0)
        await store.close()
    }

    @Test func readsThatWaitHaveALimit() async throws {
        let stage = try StoreStage()
        let gate = Gate()
        let store = try stage.open(patience: .milliseconds(100), beforeCommit: { gate.pass() })
        try await store.until { $0.waiting == 0 }
        gate.shut()
        let record = stage.record()
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try? await store.keep(record, nil) }
            await gate.awaitCommit()
            // The writer has the file until the gate opens.
            for _ in 0..<MeetingStore.readLimit {
                tasks.addTask {
                    await #expect(throws: StoreFailure.late) { try await Self.find(store, .after(0), in: record.id) }
                }
            }
            try? await store.until { _ in store.readsThatWait == MeetingStore.readLimit }
            await #expect(throws: StoreFailure.late) { try await Self.find(store, .after(0), in: record.id) }
            #expect(store.readsThatWait == MeetingStore.readLimit)
            await tasks.waitForAll()
            gate.letGo(8)
        }
        try await store.until { _ in store.readsThatWait == 0 }
        #expect(try await Self.find(store, .after(0), in: record.id) == [])
        await store.close()
    }
}
