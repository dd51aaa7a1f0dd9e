import Foundation
import Logging
import Meetings
import Store
import Testing
import Webhooks

@testable import Api

/// What of meetings is to be told, as operators see it, and what it says.
@Suite(.timeLimit(.minutes(1))) struct WebhookCalls {
    private static let path = "/api/v1/webhooks"

    private static func run(
        _ endpoints: [WebhookSubscription] = [
            WebhookSubscription(endpoint: "crm", events: Set(EventType.allCases)),
            WebhookSubscription(endpoint: "few", events: [.meetingEnded]),
        ], configuration: ApiConfiguration = ApiNode.configuration,
        _ body: @escaping @Sendable (ApiNode) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "needletail-hooks-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let store = try MeetingStore(
            path: folder.appending(path: "meetings.db").path, webhooks: endpoints, logger: logger)
        try await ApiNode.run(configuration, store: store, body)
        await store.close()
    }

    private static func deliveries(_ node: ApiNode, _ query: String = "") async throws -> [Value] {
        let answer = try await node.call("GET", "\(path)/deliveries\(query)", ops: true)
        #expect(answer.status == 200)
        guard case .list(let list) = answer.json["deliveries"] else { return [] }
        return list
    }

    /// What they say, each held against its description.
    private static func bodies(_ node: ApiNode, _ query: String) async throws -> [Value] {
        var bodies: [Value] = []
        for delivery in try await deliveries(node, query) {
            guard case .number(let id) = delivery["id"] else { throw CancellationError() }
            let answer = try await node.call("GET", "\(path)/deliveries/\(Int(id))", ops: true)
            let text = try #require(answer.json["body"]?.string)
            let body = try JSONDecoder().decode(Value.self, from: Data(text.utf8))
            #expect(SignalingSchema.webhooks.complaint(aboutEvent: body) == nil)
            bodies.append(body)
        }
        return bodies
    }

    @Test func aMeetingsLifeIsToldAsItIsDescribed() async throws {
        try await Self.run { node in
            let token = try await node.token()
            let meeting = try await node.meeting(["topic": "Standup", "password": "sesame", "duration": 30])
            let id = try #require(meeting["meeting_id"]?.string)
            let key = try #require(meeting["host_key"])
            let host = try await node.enter(meeting, "Ada", ["host_key": key])
            let guest = try await node.enter(meeting, "Bob", ["password": "sesame"])
            _ = try await host.socket.ask(["type": "chat", "id": 2, "text": "Hello"])
            _ = try await host.socket.ask(
                ["type": "set_role", "id": 3, "participant_id": .string(guest.id), "role": "co_host"])
            let poll = try await node.call(
                "POST", "/api/v1/meetings/\(id)/polls", token: token,
                body: ["question": "Tea?", "options": ["Yes", "No"]])
            let pollID = try #require(poll.json["poll_id"]?.string)
            #expect(
                try await node.call("POST", "/api/v1/meetings/\(id)/polls/\(pollID)/close", token: token).status == 200)
            _ = try await guest.socket.ask(["type": "leave", "id": 4])
            let change = try await node.call("PATCH", "/api/v1/meetings/\(id)", token: token, body: ["topic": "Other"])
            #expect(change.status == 200)
            #expect(try await node.call("DELETE", "/api/v1/meetings/\(id)", token: token).status == 204)

            let bodies = try await Self.bodies(node, "?endpoint=crm")
            let types = bodies.compactMap { $0["type"]?.string }
            #expect(Set(types) == Set(EventType.allCases.map(\.rawValue)))
            #expect(bodies.compactMap { $0["sequence"] } == (1...types.count).map { .number(Double($0)) })
            let text = "\(bodies)"
            #expect(!text.contains(key.string ?? "?") && !text.contains("sesame"))
            let few = try await Self.bodies(node, "?endpoint=few")
            #expect(few.map { $0["type"] } == ["meeting.ended"])
        }
    }

    @Test func operatorsSeeAndTakeOutWhatWaits() async throws {
        try await Self.run { node in
            for _ in 0..<3 { _ = try await node.meeting() }
            let endpoints = try await node.call("GET", Self.path, ops: true).json["endpoints"]
            guard case .list(let list) = endpoints else { throw CancellationError() }
            #expect(list.map { $0["name"] } == ["crm", "few"])
            #expect(list.map { $0["pending"] } == [6, 0] && list[0]["oldest_pending_s"] != nil)
            let page = try await node.call("GET", "\(Self.path)/deliveries?limit=4", ops: true).json
            guard case .list(let first) = page["deliveries"], case .number(let next) = page["next"] else {
                throw CancellationError()
            }
            #expect(first.count == 4 && first[0]["state"] == "pending" && first[0]["body"] == nil)
            #expect(try await Self.deliveries(node, "?limit=4&after=\(Int(next))").count == 2)
            #expect(try await Self.deliveries(node, "?state=dead").isEmpty)

            guard case .number(let id) = first[0]["id"] else { throw CancellationError() }
            let one = "\(Self.path)/deliveries/\(Int(id))"
            #expect(try await node.call("POST", "\(one)/redeliver", ops: true).status == 202)
            #expect(try await node.call("DELETE", one, ops: true).status == 204)
            for method in ["GET", "DELETE"] {
                #expect(try await node.call(method, one, ops: true).code == "delivery_not_found")
            }
            #expect(try await node.call("POST", "\(Self.path)/redeliver", ops: true).status == 202)
            #expect(
                try await node.call("POST", "\(Self.path)/redeliver", text: "{\"endpoint\":\"none\"}", ops: true).status
                    == 422)
            for query in ["state=odd", "limit=0", "limit=1001", "after=-1", "after=x"] {
                let answer = try await node.call("GET", "\(Self.path)/deliveries?\(query)", ops: true)
                #expect(answer.code == "invalid_field", "\(query)")
            }
            let metrics = try await node.call("GET", "/metrics", ops: true).body
            #expect(metrics.contains("needletail_webhook_pending{endpoint=\"crm\"} 5\n"))
            #expect(metrics.contains("needletail_webhook_deliveries_total{endpoint=\"crm\",result=\"delivered\"} 0\n"))
        }
    }

    @Test func nobodyElseSeesThem() async throws {
        try await Self.run([]) { node in
            #expect(try await node.call("GET", Self.path, ops: true).code == "no_webhooks")
            // A page in a browser.
            let page = try await node.call("GET", Self.path, headers: ["Origin": "http://evil.example"], ops: true)
            #expect(page.status == 403)
            #expect(try await node.call("GET", Self.path).status == 404)
        }
        var configuration = ApiNode.configuration
        configuration.ops = .init(host: "0.0.0.0", port: 0)
        try await Self.run(configuration: configuration) { node in
            let (service, admin) = (try await node.token(), try await node.token([Grants.admin]))
            for (token, status) in [(nil, 401), (service, 403), (admin, 200)] {
                let answer = try await node.call("GET", Self.path, token: token, ops: true)
                #expect(answer.status == status)
            }
        }
    }
}
