import GRDB
import Meetings
import TestSupport
import Testing

@testable import Store

@Suite(.timeLimit(.minutes(1))) struct RoundTrip {
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func whatWasKeptIsThereAgain(_ seed: UInt64) async throws {
        let stage = try StoreStage(seed: seed)
        var expected: [MeetingID: StoredMeeting] = [:]
        let store = try stage.open()
        for _ in 0..<40 {
            var record = stage.record()
            try await store.keep(record, nil)
            expected[record.id] = StoredMeeting(record)
            switch Int.random(in: 0...3, using: &stage.generator) {
            case 0:
                let before = record
                record.plan = stage.plan()
                record.password = nil
                try await store.change(record, from: before, nil)
                expected[record.id] = StoredMeeting(record)
            case 1:
                store.noteLock(true, of: record.id, nil)
                expected[record.id]?.isLocked = true
            case 2:
                try await store.end(record.id, at: StoreStage.now, reason: "ended", nil)
                // One that has ended is not begun again.
                store.noteLock(true, of: record.id, nil)
                try await store.change(record, from: record, nil)
                expected[record.id] = nil
            default: break
            }
        }
        await store.close()
        let again = try stage.open().meetings()
        #expect(again.count == expected.count)
        for meeting in again { #expect(meeting == expected[meeting.record.id]) }
        #expect(again.map(\.record.createdAt) == again.map(\.record.createdAt).sorted())
    }

    @Test func anEndedMeetingKeepsNoSecretsAndGivesItsNumberBack() async throws {
        let stage = try StoreStage()
        let store = try stage.open()
        var record = stage.record()
        record.password = PasswordHash(salt: [1], digest: [2])
        try await store.keep(record, nil)
        let namesake = MeetingRecord(
            id: MeetingID(using: &stage.generator), number: record.number, owner: "user-2",
            createdAt: StoreStage.now, hostKey: "key", plan: MeetingPlan(), password: nil)
        await #expect(throws: StoreFailure.unavailable("refused")) { try await store.keep(namesake, nil) }
        #expect(store.reading.isUp && store.reading.errors == 1)
        try await store.end(record.id, at: StoreStage.now, reason: "empty", nil)
        try await store.keep(namesake, nil)
        let row = try stage.read { try Row.fetchOne($0, sql: "SELECT * FROM meeting WHERE end_reason = 'empty'") }
        #expect(row?["host_key"] as String? == nil && row?["password_digest"] as String? == nil)
        #expect(row?["ended_at"] == StoreStage.now.milliseconds)
    }

    @Test func anOwnersNameComesBackWholeOrNotAtAll() async throws {
        let stage = try StoreStage()
        let store = try stage.open()
        let record = MeetingRecord(
            id: MeetingID(using: &stage.generator), number: MeetingNumber(using: &stage.generator),
            owner: "admin\0eve", createdAt: StoreStage.now, hostKey: "key", plan: MeetingPlan(), password: nil)
        await #expect(throws: StoreFailure.self) { try await store.keep(record, nil) }
        #expect(try store.meetings().isEmpty)
    }

    @Test func sessionsAndDecisionsFollow() async throws {
        let stage = try StoreStage()
        let store = try stage.open()
        let record = stage.record()
        try await store.keep(record, stage.decision(.create, of: record.id))
        let stayed = try stage.participant()
        let left = try stage.participant()
        for participant in [stayed, left] { store.noteJoin(participant, in: record.id) }
        store.noteLeave(left.id, at: StoreStage.now + .seconds(9), reason: "left")
        // A second one says nothing new.
        store.noteLeave(left.id, at: StoreStage.now + .seconds(99), reason: "lost")
        let lock = HostDecision(
            .lock, of: record.id, by: .init(.participant(stayed.id), from: "2001:db8::1"), at: StoreStage.now)
        store.noteLock(true, of: record.id, lock)
        store.note(
            HostDecision(
                .remove, of: record.id, by: .init(.participant(stayed.id), from: "2001:db8::1"), at: StoreStage.now,
                target: left.id))
        try await store.end(record.id, at: StoreStage.now, reason: "ended", stage.decision(.end, of: record.id))
        await store.close()

        let sessions = try stage.read { try Row.fetchAll($0, sql: "SELECT * FROM session ORDER BY left_at") }
        #expect(sessions.map { $0["participant_id"] } == [stayed.id.rawValue, left.id.rawValue])
        #expect(sessions.map { $0["display_name"] } == ["Ada", "Ada"])
        #expect(sessions[1]["left_at"] == 1_800_000_009_000 && sessions[1]["leave_reason"] == "left")
        #expect(sessions[0]["leave_reason"] as String? == nil)
        let audit = try stage.read { try Row.fetchAll($0, sql: "SELECT * FROM audit ORDER BY id") }
        #expect(audit.map { $0["action"] } == ["create", "lock", "remove", "end"])
        let host = stayed.id.rawValue
        #expect(audit.map { $0["actor"] } == ["user-1", host, host, "user-1"])
        #expect(audit.map { $0["actor_kind"] } == ["service", "participant", "participant", "service"])
        #expect(audit.map { $0["address"] } == ["192.0.2.7", "2001:db8::1", "2001:db8::1", "192.0.2.7"])
        #expect(audit.map { $0["target"] } == [nil, nil, left.id.rawValue, nil])

        // Of who was still here nobody knows when it left: this start is another.
        await (try stage.open()).close()
        let reason = try stage.read {
            try String.fetchOne($0, sql: "SELECT leave_reason FROM session WHERE left_at IS NULL")
        }
        #expect(reason == "unknown")
    }

    @Test func aRowThatIsNoMeetingIsLeftOut() async throws {
        let stage = try StoreStage()
        let store = try stage.open()
        let (good, bad) = (stage.record(), stage.record())
        for record in [good, bad] { try await store.keep(record, nil) }
        try await store.file.database.write {
            try $0.execute(sql: "UPDATE meeting SET type = 'séance' WHERE id = ?", arguments: [bad.id.rawValue])
        }
        #expect(try store.meetings().map(\.record.id) == [good.id])
    }
}
