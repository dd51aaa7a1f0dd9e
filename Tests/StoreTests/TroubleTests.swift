import Foundation
import GRDB
import Meetings
import Testing

@testable import Store

/// What may befall a file, each with its way there and back.
struct Trouble: Sendable, CustomTestStringConvertible {
    let name: String
    let begin: @Sendable (MeetingStore, String) throws -> Void
    let end: @Sendable (MeetingStore, String) throws -> Void
    var testDescription: String { name }

    private static let another = MutexBox()

    static let all = [
        Trouble(
            name: "a full disk",
            begin: { store, _ in
                let pages = try store.file.database.read { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 }
                try store.pragma("max_page_count = \(pages)")
            }, end: { store, _ in try store.pragma("max_page_count = 1000000") }),
        Trouble(
            name: "a file that cannot be written", begin: { store, _ in try store.pragma("query_only = 1") },
            end: { store, _ in try store.pragma("query_only = 0") }),
        Trouble(
            name: "a file that is gone",
            begin: { _, path in try FileManager.default.moveItem(atPath: path, toPath: path + ".away") },
            end: { _, path in try FileManager.default.moveItem(atPath: path + ".away", toPath: path) }),
        Trouble(
            name: "somebody who holds the lock",
            begin: { _, path in
                var configuration = Configuration()
                configuration.allowsUnsafeTransactions = true
                configuration.busyMode = .timeout(5)
                let other = try DatabaseQueue(path: path, configuration: configuration)
                try other.unsafeReentrantWrite { try $0.beginTransaction(.immediate) }
                another.value = other
            },
            end: { _, _ in
                try another.value?.unsafeReentrantWrite { try $0.rollback() }
                another.value = nil
            }),
    ]
}

/// The other's connection, of one test at a time.
private final class MutexBox: @unchecked Sendable {
    private let lock = NSLock()
    private var kept: DatabaseQueue?

    var value: DatabaseQueue? {
        get { lock.withLock { kept } }
        set { lock.withLock { kept = newValue } }
    }
}

@Suite(.timeLimit(.minutes(1))) struct Troubles {
    /// As much as needs pages of its own.
    private static func big(_ stage: StoreStage) -> MeetingRecord {
        var record = stage.record()
        record.plan.topic = String(repeating: "x", count: 60_000)
        return record
    }

    @Test(arguments: Trouble.all)
    func itIsToldAndNothingThatStaysIsLost(_ trouble: Trouble) async throws {
        let stage = try StoreStage()
        let store = try stage.open(patience: .seconds(8))
        let record = stage.record()
        try await store.keep(record, nil)
        try trouble.begin(store, stage.path)
        let refused = Self.big(stage)
        await #expect(throws: StoreFailure.self) { try await store.keep(refused, nil) }
        #expect(!store.reading.isUp && store.reading.errors > 0)

        // Nobody waits while it is down; what stays does, and in its order.
        var changed = record
        changed.plan.topic = "Changed"
        await #expect(throws: StoreFailure.self) { try await store.change(changed, from: record, nil) }
        let participant = try stage.participant()
        store.noteJoin(participant, in: record.id)
        store.noteLock(true, of: record.id, nil)
        await #expect(throws: StoreFailure.late) {
            try await store.end(record.id, at: StoreStage.now, reason: "ended", stage.decision(.end, of: record.id))
        }
        #expect(store.reading.waiting >= 4)

        try trouble.end(store, stage.path)
        try await store.until { $0.isUp && $0.waiting == 0 }
        let next = stage.record()
        try await store.keep(next, nil)
        #expect(try store.meetings() == [StoredMeeting(next)])
        await store.close()
        #expect(try stage.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM session") } == 1)
        #expect(try stage.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM audit") } == 1)
        #expect(store.reading.lost == 0)
    }

    @Test func aDiskThatIsStillFullIsNotTakenForOneThatIsNot() async throws {
        let stage = try StoreStage()
        let store = try stage.open(patience: .milliseconds(400))
        try await store.until { $0.waiting == 0 }
        let full = try #require(Trouble.all.first)
        try full.begin(store, stage.path)
        let big = Self.big(stage)
        await #expect(throws: StoreFailure.self) { try await store.keep(big, nil) }
        let errors = store.reading.errors
        // Tried again and again, with nothing that waits.
        try await store.until { $0.errors >= errors + 2 }
        #expect(!store.reading.isUp)
        try full.end(store, stage.path)
        try await store.until(\.isUp)
        #expect(try stage.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM room_check") } == 0)
        await store.close()
    }

    @Test func aQueueThatIsFullTakesNoMoreAndSaysHowMuch() async throws {
        let stage = try StoreStage()
        let store = try stage.open(patience: .seconds(8))
        let (record, ended) = (stage.record(), stage.record())
        for record in [record, ended] { try await store.keep(record, nil) }
        try await store.until { $0.waiting == 0 }
        let gone = Trouble.all[2]
        try gone.begin(store, stage.path)
        await #expect(throws: StoreFailure.self) { try await store.keep(stage.record(), nil) }
        let first = try stage.participant()
        store.noteJoin(first, in: record.id)
        for _ in 1..<StoreQueue.followingLimit { store.noteLeave(first.id, at: StoreStage.now, reason: "left") }
        #expect(store.reading.lost == 0)
        for _ in 0..<3 { store.noteJoin(try stage.participant(), in: record.id) }
        #expect(store.reading.lost == 3)
        #expect(store.reading.waiting == StoreQueue.followingLimit)
        // The end of a meeting has its place.
        store.noteEnd(of: ended.id, at: StoreStage.now, reason: "empty")
        try gone.end(store, stage.path)
        try await store.until { $0.isUp && $0.waiting == 0 }
        let sessions = try stage.read { try String.fetchAll($0, sql: "SELECT participant_id FROM session") }
        #expect(sessions == [first.id.rawValue])
        #expect(try store.meetings() == [StoredMeeting(record)])
        await store.close()
    }

    @Test func whatTheDatabaseRefusesKeepsNothingElseFromIt() async throws {
        let stage = try StoreStage()
        let store = try stage.open()
        let record = stage.record()
        // Of a meeting that there is not: a foreign key.
        store.noteJoin(try stage.participant(), in: record.id)
        try await store.keep(record, nil)
        try await store.until { $0.waiting == 0 }
        #expect(store.reading.isUp && store.reading.errors == 1)
        #expect(try store.meetings() == [StoredMeeting(record)])
        await store.close()
        await #expect(throws: StoreFailure.unavailable("closed")) { try await store.keep(record, nil) }
    }
}
