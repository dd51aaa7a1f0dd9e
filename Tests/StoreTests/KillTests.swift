import Foundation
import GRDB
import Glibc
import Meetings
import TestSupport
import Testing

@testable import Store

@Suite(.timeLimit(.minutes(5))) struct Kills {
    /// `NEEDLETAIL_STORE_KILLS=100` for more.
    private static let count = ProcessInfo.processInfo.environment["NEEDLETAIL_STORE_KILLS"].flatMap { Int($0) } ?? 10

    /// Beside the tests.
    private static let writer = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("StoreWriter").path

    /// What was acknowledged last of each meeting: the number of its change, -1 for its end.
    private typealias Promises = [String: Int]

    @Test func nothingAcknowledgedIsLostByAKill() async throws {
        let stage = try StoreStage(seed: UInt64(Self.count))
        var promises: Promises = [:]
        for _ in 0..<Self.count {
            try Self.writeUntilKilled(
                stage.path, after: Int.random(in: 1...150, using: &stage.generator), into: &promises)
            let store = try stage.open()
            let found = Dictionary(
                uniqueKeysWithValues: try store.meetings().map {
                    ($0.record.id.rawValue, Int($0.record.plan.topic) ?? -2)
                })
            for (id, step) in promises {
                // What was under way may be stored too.
                if step >= 0 {
                    #expect(found[id].map { $0 >= step } ?? (step == 3), "\(id): \(step), found \(found[id] ?? -1)")
                } else {
                    #expect(found[id] == nil, "\(id) has ended")
                }
            }
            await store.close()
            try Self.checkEvents(stage)
        }
        #expect(promises.count > Self.count)
    }

    /// Each change that is there is written down for others, and nothing else is.
    private static func checkEvents(_ stage: StoreStage) throws {
        let meetings = try stage.read { try Row.fetchAll($0, sql: "SELECT * FROM meeting") }
        for meeting in meetings {
            let id: String = meeting["id"]
            let types = try stage.read {
                try String.fetchAll(
                    $0, sql: "SELECT type FROM webhook WHERE meeting_id = ? ORDER BY row_id", arguments: [id])
            }
            let changes = Int(meeting["topic"] as String) ?? -1
            let isOver = (meeting["ended_at"] as Int64?) != nil
            #expect(
                types == ["meeting.created"] + Array(repeating: "meeting.updated", count: changes)
                    + (isOver ? ["meeting.ended"] : []), "\(id)")
            #expect(meeting["last_event"] as Int == types.count)
        }
        #expect(!meetings.isEmpty)
    }

    private static func writeUntilKilled(_ path: String, after lines: Int, into promises: inout Promises) throws {
        let program = try ChildProgram(writer, [path])
        var said: [UInt8] = []
        var count = 0
        while count < lines, case let more = program.read(), !more.isEmpty {
            said += more
            count += more.count { $0 == 0x0a }
        }
        // Before it has ended nothing more than the socket's room is left to read.
        let ending = program.kill()
        while case let more = program.read(), !more.isEmpty { said += more }
        try #require(ending == .killed(signal: SIGKILL), "the writer ended by itself")
        // A line that was cut short was not said.
        for line in String(decoding: said, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .dropLast()
        {
            let parts = line.split(separator: " ")
            try #require(parts.count == 2)
            let step: Int = try #require(Int(parts[1]))
            promises[String(parts[0])] = step
        }
    }
}
