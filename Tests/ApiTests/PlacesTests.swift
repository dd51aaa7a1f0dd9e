import Meetings
import Testing

@testable import Api

/// Places are for people: those that wait for their participants are few, short, and in nobody's way.
@Suite(.timeLimit(.minutes(1))) struct Places {
    private func post(
        _ node: ApiNode, _ meeting: Value, _ more: [String: Value] = [:], token: String? = nil,
        headers: [String: String] = [:]
    ) async throws -> Answer {
        let id = try #require(meeting["meeting_id"]?.string)
        let body = Value.object(more.merging(["display_name": "Ada"]) { $1 })
        return try await node.call("POST", "/api/v1/meetings/\(id)/join", token: token, body: body, headers: headers)
    }

    private func enter(
        _ node: ApiNode, _ meeting: Value, _ more: [String: Value] = [:]
    ) async throws -> (SignalingClient, Value) {
        let socket = try await SignalingClient.connect(port: node.port)
        let number = try #require(meeting["meeting_number"])
        let join: [String: Value] = ["type": "join", "id": 1, "meeting": number, "display_name": "Bob"]
        return (socket, try await socket.ask(.object(join.merging(more) { $1 })))
    }

    @Test func anAddressHasFewThatWait() async throws {
        var configuration = ApiNode.configuration
        configuration.unattachedPerAddress = 2
        try await ApiNode.run(configuration) { node async throws in
            let meeting = try await node.meeting()
            for _ in 0..<2 { #expect(try await post(node, meeting).status == 200) }
            node.clock.advanceUnheard(by: .seconds(4))
            let refused = try await post(node, meeting)
            #expect(refused.status == 429)
            #expect(refused.code == "too_many_unattached")
            #expect(refused.headers["retry-after"] == "11")
            // Another meeting's, and those that a service asks for.
            #expect(try await post(node, node.meeting()).status == 200)
            #expect(try await post(node, meeting, token: node.token([Grants.host])).status == 200)
            await node.clock.advance(by: .seconds(11))
            await node.clock.advance(by: .zero)
            #expect(try await post(node, meeting).status == 200)
        }
    }

    @Test func whenAllOfTheNodeWaitHostsAndServicesStillComeIn() async throws {
        var configuration = ApiNode.configuration
        configuration.unattachedPerAddress = 100
        try await ApiNode.run(configuration) { node async throws in
            let meeting = try await node.meeting()
            // A quarter of the node's places.
            for _ in 0..<25 { #expect(try await post(node, meeting).status == 200) }
            let other = try await node.meeting()
            let refused = try await post(node, other)
            #expect(refused.status == 503 && refused.code == "full")
            #expect(try await post(node, other, ["host_key": #require(other["host_key"])]).status == 200)
            #expect(try await post(node, other, token: node.token([Grants.host])).status == 200)
            #expect(try await post(node, other).status == 503)
        }
    }

    @Test func oneThatItsParticipantTookIsNotCounted() async throws {
        var configuration = ApiNode.configuration
        configuration.unattachedPerAddress = 1
        try await ApiNode.run(configuration) { node async throws in
            let meeting = try await node.meeting()
            for name in ["Ada", "Bob", "Cleo"] { _ = try await node.enter(meeting, name) }
            let page = try await node.call("GET", "/metrics", ops: true).body
            #expect(page.contains("needletail_participants 3\n"))
            #expect(page.contains("needletail_participants_unattached 0\n"))
        }
    }

    @Test func aStreamCountsUntilItsMediaFlows() async throws {
        var configuration = ApiNode.configuration
        configuration.unattachedPerAddress = 1
        try await ApiNode.run(configuration) { node async throws in
            let meeting = try await node.meeting(["password": "sesame"])
            var client = try await WHIPClient(node, .whip, meeting)
            client.token = "sesame"
            let session = try await client.session()
            #expect(try await client.open().code == "too_many_unattached")
            let id = try #require(ParticipantID(String(session.split(separator: "/").last ?? "")))
            node.media.tell(.connected(id))
            while try await !node.call("GET", "/metrics", ops: true).body.contains("_unattached 0\n") {}
            _ = try await client.session()
        }
    }

    @Test func theyNeverMakeTheNodeUnready() async throws {
        var status = FakeStatus()
        status.capacity = NodeCapacity(sessions: 4, tracks: 8, sinks: 8)
        try await ApiNode.run(status: status) { node async throws in
            for _ in 0..<16 { #expect(try await post(node, node.meeting()).status == 200) }
            let refused = try await post(node, node.meeting())
            #expect(refused.code == "full")
            #expect(refused.headers["retry-after"] == "15")
            // Those that services and hosts answer for are more, and not without end.
            let token = try await node.token([Grants.host])
            for _ in 0..<48 { #expect(try await post(node, node.meeting(), token: token).status == 200) }
            #expect(try await post(node, node.meeting(), token: token).code == "full")
            #expect(try await node.call("GET", "/readyz", ops: true).status == 200)
            let (socket, joined) = try await enter(node, node.meeting())
            #expect(joined["type"] == "joined")
            try await socket.vanish()
        }
    }

    @Test func oneThatWaitsGivesWayToWhoIsHere() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting(["settings": ["max_participants": 2]])
            let first = try await post(node, meeting)
            let second = try await post(node, meeting)
            #expect(try await post(node, meeting).code == "meeting_full")
            let (_, joined) = try await enter(node, meeting)
            #expect(joined["type"] == "joined")
            func code(_ place: Answer) async throws -> String? {
                let socket = try await SignalingClient.connect(port: node.port)
                let token = try #require(place.json["session_token"])
                return try await socket.ask(["type": "join", "id": 1, "session_token": token])["code"]?.string
            }
            #expect(try await code(first) == "participant_not_found")
            #expect(try await code(second) == nil)
            // Now both are people.
            let (_, refused) = try await enter(node, meeting)
            #expect(refused["code"] == "meeting_full")
        }
    }

    @Test func aHostGetsIntoAFullMeeting() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting(["settings": ["max_participants": 2]])
            for _ in 0..<2 { #expect(try await enter(node, meeting).1["type"] == "joined") }
            #expect(try await enter(node, meeting).1["code"] == "meeting_full")
            let key = try #require(meeting["host_key"])
            #expect(try await enter(node, meeting, ["host_key": key]).1["you"]?["role"] == "host")
            #expect(try await enter(node, meeting).1["code"] == "meeting_full")
            #expect(try await post(node, meeting, token: node.token([Grants.host])).status == 200)
        }
    }

    @Test func hostsHavePlacesOnAFullNode() throws {
        let admission = Admission(places: 64)
        try admission.admit(isDraining: false, participants: 59)
        #expect(throws: Problem.self) { try admission.admit(isDraining: false, participants: 60) }
        try admission.admit(isDraining: false, participants: 63, isHost: true)
        #expect(throws: Problem.self) { try admission.admit(isDraining: false, participants: 64, isHost: true) }
        #expect(!admission.condition(participants: 60).isMet)
    }

    // MARK: pages

    @Test(arguments: ["text/plain", "application/x-www-form-urlencoded", "text/plain; application/json", ""])
    func aJoinIsJSON(_ type: String) async throws {
        try await ApiNode.run { node async throws in
            let answer = try await post(node, node.meeting(), headers: ["Content-Type": type])
            #expect(answer.status == 415)
            #expect(answer.code == "unsupported_media_type")
        }
    }

    @Test func foreignPagesJoinNobody() async throws {
        var configuration = ApiNode.configuration
        configuration.allowedOrigins = ["https://portal.example.org"]
        configuration.publicURL = "https://meet.example.org"
        try await ApiNode.run(configuration) { node async throws in
            let meeting = try await node.meeting()
            func answer(_ origin: String, _ more: [String: String] = [:]) async throws -> Answer {
                try await post(node, meeting, headers: more.merging(["Origin": origin]) { $1 })
            }
            for origin in [
                "https://evil.example.org", "null", "https://meet.example.org.evil.example", "http://meet.test",
                "https://portal.example.org.evil.example", "https://",
            ] {
                #expect(try await answer(origin).code == "origin_forbidden", "\(origin)")
            }
            // The host that was asked is meet.test:8080.
            for origin in ["http://meet.test:8080", "https://MEET.test:8080", "https://meet.example.org"] {
                #expect(try await answer(origin).status == 200, "\(origin)")
            }
            #expect(try await answer("https://proxy.example.org", ["Sec-Fetch-Site": "same-origin"]).status == 200)
            let listed = try await answer("https://portal.example.org")
            #expect(listed.status == 200)
            #expect(listed.headers["access-control-allow-origin"] == "https://portal.example.org")
            #expect(listed.headers["vary"] == "Origin")
            // What it is refused it reads, too.
            let path = "/api/v1/meetings/123-456-789/join"
            let refused = try await node.call(
                "POST", path, body: [:], headers: ["Origin": "https://portal.example.org"])
            #expect(refused.status == 404)
            #expect(refused.headers["access-control-allow-origin"] == "https://portal.example.org")
            let asked = try await node.call("OPTIONS", path, headers: ["Origin": "https://portal.example.org"])
            #expect(asked.status == 204)
            #expect(asked.headers["access-control-allow-headers"] == "Authorization, Content-Type")
            #expect(try await node.call("OPTIONS", path, headers: ["Origin": "https://evil.example"]).status == 403)
        }
    }

    @Test func foreignPagesOpenNoSocket() async throws {
        var configuration = ApiNode.configuration
        configuration.allowedOrigins = ["https://portal.example.org"]
        try await ApiNode.run(configuration) { node async throws in
            for origin in ["http://meet.test", "https://portal.example.org"] {
                let socket = try await SignalingClient.connect(port: node.port, headers: ["Origin": origin])
                #expect(try await socket.ask(["type": "ping", "id": 1])["type"] == "pong")
            }
            await #expect(throws: (any Error).self) {
                try await SignalingClient.connect(port: node.port, headers: ["Origin": "https://evil.example"])
            }
            let plain = try await node.call("GET", "/api/v1/signal", headers: ["Origin": "https://evil.example"])
            #expect(plain.code == "origin_forbidden")
        }
    }
}
