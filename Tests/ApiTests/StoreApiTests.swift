import Foundation
import GRDB
import Logging
import Meetings
import Store
import Testing

@testable import Api

/// A file of the Store that several nodes have one after the other.
final class StoreFolder: Sendable {
    let path: String
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("needletail-api-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        path = folder.appendingPathComponent("meetings.db").path
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// A node from its start to its end, which the Store sees.
    func run(_ body: @escaping @Sendable (ApiNode) async throws -> Void) async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let store = try MeetingStore(path: path, logger: logger)
        try await ApiNode.run(store: store, body)
        await store.close()
    }

    /// What another program of ours writes while no node runs.
    func write(_ body: (MeetingStore) -> Void) async throws {
        let store = try MeetingStore(path: path, logger: Logger(label: "test"))
        body(store)
        await store.close()
    }

    /// What befalls it, and its end.
    func takeAway() throws { try FileManager.default.moveItem(atPath: path, toPath: path + ".away") }
    func putBack() throws { try FileManager.default.moveItem(atPath: path + ".away", toPath: path) }

    func rows(_ sql: String) throws -> [[String]] {
        let rows = try DatabaseQueue(path: path).read { try Row.fetchAll($0, sql: sql) }
        return rows.map { row in row.databaseValues.map { String.fromDatabaseValue($0) ?? "\($0.storage.value ?? "-")" }
        }
    }
}

extension ApiNode {
    fileprivate func metric(_ name: String) async throws -> Double? {
        let page = try await call("GET", "/metrics", ops: true).body
        return page.split(separator: "\n").first { $0.hasPrefix("\(name) ") }?.split(separator: " ").last
            .flatMap { Double($0) }
    }
}

@Suite(.timeLimit(.minutes(1))) struct StoredMeetings {
    @Test func meetingsAreThereAgainAfterARestart() async throws {
        let folder = try StoreFolder()
        let made = Box<[String: Value]>([:])
        try await folder.run { node async throws in
            let token = try await node.token()
            let scheduled = try await node.meeting([
                "topic": "Review", "type": "scheduled", "start_time": "2027-02-01T09:00:00Z", "duration": 30,
                "timezone": "Europe/Berlin", "password": "sesame", "settings": ["max_participants": 7],
            ])
            let instant = try await node.meeting(["topic": "Now"])
            let over = try await node.meeting()
            let id = try #require(scheduled["meeting_id"]?.string)
            let patched = try await node.call("PATCH", "/api/v1/meetings/\(id)", token: token, body: ["topic": "Retro"])
            #expect(patched.status == 200)
            #expect(try await node.call("POST", "/api/v1/meetings/\(id)/lock", token: token).status == 204)
            let gone = try #require(over["meeting_id"]?.string)
            #expect(try await node.call("DELETE", "/api/v1/meetings/\(gone)", token: token).status == 204)
            // Somebody is in it as the node stops.
            _ = try await node.enter(instant, "Ada")
            made.value = ["scheduled": scheduled, "instant": instant, "over": over]
        }
        try await folder.run { node async throws in
            let scheduled = try #require(made.value["scheduled"])
            let id = try #require(scheduled["meeting_id"]?.string)
            let list = try await node.call("GET", "/api/v1/meetings", token: node.token())
            #expect(list.json["meetings"]?.count == 2)
            let read = try await node.call("GET", "/api/v1/meetings/\(id)", token: node.token())
            #expect(read.json["topic"] == "Retro" && read.json["locked"] == true && read.json["type"] == "scheduled")
            for field in ["meeting_number", "start_time", "duration", "timezone", "created_at", "settings", "join_url"]
            {
                #expect(read.json[field] == scheduled[field], "\(field)")
            }
            let path = "/api/v1/meetings/\(try #require(scheduled["meeting_number"]?.string))"
            let host = try await node.call(
                "POST", path + "/join", body: ["display_name": "Ada", "host_key": try #require(scheduled["host_key"])])
            #expect(host.status == 200 && host.json["role"] == "host")
            #expect(try await node.call("POST", path + "/unlock", token: node.token()).status == 204)
            let wrong = try await node.call("POST", path + "/join", body: ["display_name": "Eve", "password": "wrong"])
            #expect(wrong.code == "wrong_password")
            let right = try await node.call(
                "POST", path + "/join", body: ["display_name": "Bob", "password": "sesame"])
            #expect(right.status == 200)
            _ = try await node.join(try #require(made.value["instant"]), "Ada")
            let over = try #require(made.value["over"]?["meeting_id"]?.string)
            #expect(try await node.call("GET", "/api/v1/meetings/\(over)", token: node.token()).status == 404)
        }
    }

    @Test func whoWasThereAndWhatHostsDecidedIsWrittenDown() async throws {
        let folder = try StoreFolder()
        try await folder.run { node async throws in
            let meeting = try await node.meeting()
            let id = try #require(meeting["meeting_id"]?.string)
            let host = try await node.enter(meeting, "Ada", ["host_key": try #require(meeting["host_key"])])
            let guest = try await node.enter(meeting, "Bob")
            // A place without a socket is nobody's presence.
            _ = try await node.join(meeting, "Eve")
            _ = try await host.socket.ask(["type": "lock", "id": 2])
            // What is not the guest's to decide is written down too, and not all that it tries.
            let mute: Value = ["type": "mute_participant", "id": 6, "participant_id": .string(host.id)]
            #expect(try await guest.socket.ask(mute)["code"] == "forbidden")
            #expect(try await node.call("POST", "/api/v1/meetings/\(id)/end", token: guest.token).status == 403)
            for _ in 0..<20 {
                #expect(try await guest.socket.ask(["type": "unlock", "id": 7])["code"] == "forbidden")
            }
            let camera: Value = [
                "type": "mute_participant", "id": 8, "participant_id": .string(guest.id), "source": "video",
            ]
            #expect(try await host.socket.ask(camera)["type"] == "ok")
            node.clock.advanceUnheard(by: .seconds(5))
            let left = try await guest.socket.ask(["type": "leave", "id": 3])
            #expect(left["type"] == "ok")
            let refused = try await node.call("POST", "/api/v1/meetings/\(id)/end", token: guest.token)
            #expect(refused.status == 403)
            let ended = try await host.socket.ask(["type": "end", "id": 4])
            #expect(ended["type"] == "ok")
        }
        let sessions = try folder.rows(
            "SELECT display_name, role, left_at - joined_at, leave_reason FROM session ORDER BY display_name")
        #expect(sessions == [["Ada", "host", "5000", "ended"], ["Bob", "participant", "5000", "left"]])
        let audit = try folder.rows(
            "SELECT action, actor_kind, address, at - 1800000000000 FROM audit WHERE NOT is_refused ORDER BY id")
        #expect(
            audit == [
                ["create", "service", "127.0.0.1", "0"], ["lock", "participant", "127.0.0.1", "0"],
                ["mute_video", "participant", "127.0.0.1", "0"], ["end", "participant", "127.0.0.1", "5000"],
            ])
        let refused = try folder.rows(
            "SELECT action, actor = (SELECT participant_id FROM session WHERE display_name = 'Bob'), target IS NULL "
                + "FROM audit WHERE is_refused ORDER BY id")
        #expect(refused.prefix(2) == [["mute_audio", "1", "0"], ["end", "1", "1"]])
        #expect(refused.count == MeetingHub.refusalBurst && refused.last == ["unlock", "1", "1"])
    }

    @Test func withoutItsFileCallsGoOnAndNothingIsPromised() async throws {
        let folder = try StoreFolder()
        let kept = Box<Value>(.null)
        try await folder.run { node async throws in
            let token = try await node.token()
            let (one, two) = (try await node.meeting(), try await node.meeting())
            let (id, other) = (try #require(one["meeting_id"]?.string), try #require(two["meeting_id"]?.string))
            kept.value = one
            let ada = try await node.enter(one, "Ada", ["host_key": try #require(one["host_key"])])
            #expect(try await node.metric("needletail_store_up") == 1)
            try folder.takeAway()
            let refused = try await node.call("POST", "/api/v1/meetings", token: token, body: [:])
            #expect(refused.status == 503 && refused.code == "store_unavailable")
            #expect(refused.headers["retry-after"] == "5")
            #expect(try await node.metric("needletail_store_up") == 0)
            #expect(try await node.metric("needletail_store_errors_total") ?? 0 > 0)
            // Of which nothing is left.
            #expect(try await node.call("GET", "/api/v1/meetings", token: token).json["meetings"]?.count == 2)
            let changed = try await node.call("PATCH", "/api/v1/meetings/\(id)", token: token, body: ["topic": "New"])
            #expect(changed.code == "store_unavailable")
            #expect(try await node.call("GET", "/api/v1/meetings/\(id)", token: token).json["topic"] == "Standup")

            // Meetings in memory are what they were, and the node is ready.
            _ = try await node.enter(one, "Bob")
            #expect(try await ada.socket.next("participant_joined")["participant"]?["display_name"] == "Bob")
            #expect(try await ada.socket.ask(["type": "lock", "id": 7])["type"] == "ok")
            #expect(try await node.call("GET", "/readyz", ops: true).status == 200)
            // A host ends a meeting all the same; that is stored later.
            let ended = try await node.call("DELETE", "/api/v1/meetings/\(other)", token: token)
            #expect(ended.code == "store_unavailable")
            #expect(try await node.call("GET", "/api/v1/meetings/\(other)", token: token).status == 404)
            #expect(try await node.metric("needletail_store_queue") ?? 0 >= 3)
            try folder.putBack()
        }
        try await folder.run { node async throws in
            let list = try await node.call("GET", "/api/v1/meetings", token: node.token())
            #expect(list.json["meetings"]?.count == 1)
            let id = try #require(kept.value["meeting_id"]?.string)
            let read = try await node.call("GET", "/api/v1/meetings/\(id)", token: node.token())
            #expect(read.json["locked"] == true)
        }
    }

    @Test func aDrainEndsCallsAndNoMeetings() async throws {
        let folder = try StoreFolder()
        try await folder.run { node async throws in
            let meeting = try await node.meeting()
            let id = try #require(meeting["meeting_id"]?.string)
            let ada = try await node.enter(meeting, "Ada")
            let drained = try await node.call("POST", "/api/v1/node/drain", body: ["deadline_s": 0], ops: true)
            #expect(drained.status == 202)
            _ = try await ada.socket.next("meeting_ended")
            while node.drain.state.phase != .drained { await Task.yield() }
            #expect(try await node.call("DELETE", "/api/v1/node/drain", ops: true).status == 204)
            let read = try await node.call("GET", "/api/v1/meetings/\(id)", token: node.token())
            #expect(read.status == 200 && read.json["participant_count"] == 0)
            _ = try await node.join(meeting, "Ada")
        }
    }

    @Test func aMeetingThatNobodyMissesDoesNotComeBack() async throws {
        let folder = try StoreFolder()
        try await folder.run { node async throws in
            _ = try await node.meeting()
            await node.clock.advance(by: .seconds(3_600))
            await node.clock.advance(by: .seconds(1))
        }
        #expect(try folder.rows("SELECT end_reason FROM meeting") == [["empty"]])
    }
}

/// What one node's test leaves for the next.
final class Box<Content: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var content: Content

    init(_ content: Content) { self.content = content }

    var value: Content {
        get { lock.withLock { content } }
        set { lock.withLock { content = newValue } }
    }
}
