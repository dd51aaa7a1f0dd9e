import Dispatch
import GRDB
import Meetings
import Synchronization
import Testing

@testable import Store

/// Holds transactions before their end once it is shut, and counts those.
final class Gate: Sendable {
    private let open = DispatchSemaphore(value: 0)
    private let came = DispatchSemaphore(value: 0)
    private let state = Mutex((isShut: false, commits: 0, acknowledged: 0))

    var count: Int { state.withLock { $0.commits } }

    /// As tasks of the test note it.
    var acknowledged: Int { state.withLock { $0.acknowledged } }

    func noteAcknowledged() { state.withLock { $0.acknowledged += 1 } }

    func shut() { state.withLock { $0.isShut = true } }

    func pass() {
        let isShut = state.withLock { state in
            if state.isShut { state.commits += 1 }
            return state.isShut
        }
        guard isShut else { return }
        came.signal()
        open.wait()
    }

    /// Waits off the cooperative pool until a transaction is about to end.
    func awaitCommit() async {
        await withCheckedContinuation { waiter in
            DispatchQueue.global().async { [came] in
                came.wait()
                waiter.resume()
            }
        }
    }

    func letGo(_ times: Int = 1) { for _ in 0..<times { open.signal() } }
}

@Suite(.timeLimit(.minutes(1))) struct GroupCommit {
    @Test func manyWritesAreOneTransactionAndAcknowledgedBehindIt() async throws {
        let stage = try StoreStage()
        let gate = Gate()
        let store = try stage.open(beforeCommit: { gate.pass() })
        try await store.until { $0.waiting == 0 }
        gate.shut()
        let records = (0..<51).map { _ in stage.record() }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            // It is under way with the first, and holds the others up.
            tasks.addTask { try await store.keep(records[0], nil) }
            await gate.awaitCommit()
            for record in records.dropFirst() {
                tasks.addTask {
                    try await store.keep(record, nil)
                    gate.noteAcknowledged()
                }
            }
            try await store.until { $0.waiting >= 51 }
            gate.letGo()
            await gate.awaitCommit()
            // All is written, and nothing of it committed: nobody was told.
            #expect(gate.acknowledged == 0)
            #expect(try stage.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM meeting") } == 1)
            gate.letGo(9)
            try await tasks.waitForAll()
        }
        #expect(gate.count == 2)
        #expect(try stage.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM meeting") } == 51)
        await store.close()
    }

    @Test func whatIsAcknowledgedIsOnTheDisk() async throws {
        let stage = try StoreStage()
        let store = try stage.open()
        let settings = try await store.file.database.read { db in
            try ["journal_mode", "synchronous", "foreign_keys"].map { try String.fetchOne(db, sql: "PRAGMA \($0)") }
        }
        #expect(settings == ["wal", "2", "1"])
        await store.close()
    }

    @Test func aDiskThatIsTooSlowKeepsNobodyAndLeavesNothingBehind() async throws {
        let stage = try StoreStage()
        let gate = Gate()
        let store = try stage.open(patience: .seconds(1), beforeCommit: { gate.pass() })
        let (known, unknown, later) = (stage.record(), stage.record(), stage.record())
        try await store.keep(known, nil)
        gate.shut()
        var changed = known
        changed.plan.topic = "Changed"

        let change = Task { try await store.change(changed, from: known, nil) }
        await gate.awaitCommit()
        // Waits behind it.
        let create = Task { try await store.keep(unknown, nil) }
        try await store.until { $0.waiting == 2 }
        await #expect(throws: StoreFailure.late) { try await change.value }
        await #expect(throws: StoreFailure.self) { try await create.value }
        #expect(!store.reading.isUp)
        // While it is so, nobody waits at all.
        await #expect(throws: StoreFailure.self) { try await store.keep(later, nil) }
        await #expect(throws: StoreFailure.late) {
            try await store.end(later.id, at: StoreStage.now, reason: "ended", nil)
        }
        // The disk is back: the change, of which nobody knew, is taken back.
        gate.letGo(99)
        try await store.until { $0.isUp && $0.waiting == 0 }
        #expect(try store.meetings() == [StoredMeeting(known)])
        await store.close()
    }

    @Test func ofACreationThatIsLateNothingComesBack() async throws {
        let stage = try StoreStage()
        let gate = Gate()
        let store = try stage.open(patience: .milliseconds(200), beforeCommit: { gate.pass() })
        try await store.until { $0.waiting == 0 }
        gate.shut()
        let record = stage.record()
        await #expect(throws: StoreFailure.late) { try await store.keep(record, nil) }
        gate.letGo(99)
        try await store.until { $0.isUp && $0.waiting == 0 }
        #expect(try store.meetings() == [])
        let reason = try stage.read { try String.fetchOne($0, sql: "SELECT end_reason FROM meeting") }
        #expect(reason == "not_acknowledged")
        await store.close()
    }
}
