import Meetings
import NIOCore
import Testing

@testable import Api

@Suite(.timeLimit(.minutes(1))) struct Guesses {
    /// A node that believes the tests where they come from.
    private static var configuration: ApiConfiguration {
        var configuration = ApiNode.configuration
        configuration.trustedProxies = TrustedProxies([.init(address: .init(v4: 0x7f00_0001), length: 32)])
        configuration.unattachedPerAddress = .max
        return configuration
    }

    private func guess(
        _ node: ApiNode, _ meeting: Value, _ shown: [String: Value], from address: String = "192.0.2.1"
    ) async throws -> Answer {
        let id = try #require(meeting["meeting_id"]?.string)
        let body = Value.object(shown.merging(["display_name": "Eve"]) { $1 })
        return try await node.call(
            "POST", "/api/v1/meetings/\(id)/join", body: body, headers: ["X-Forwarded-For": address])
    }

    @Test(arguments: [("password", "wrong_password"), ("host_key", "wrong_host_key")])
    func whoGuessesWaitsLongerAndLonger(_ field: String, _ code: String) async throws {
        try await ApiNode.run(Self.configuration) { node async throws in
            let meeting = try await node.meeting(["password": "sesame"])
            for _ in 0..<21 { #expect(try await guess(node, meeting, [field: "x"]).code == code) }
            var waits: [String] = []
            for _ in 0..<4 {
                let refused = try await guess(node, meeting, [field: "x"])
                #expect(refused.status == 429)
                #expect(refused.code == "too_many_guesses")
                let wait = try #require(refused.headers["retry-after"])
                waits.append(wait)
                node.clock.advanceUnheard(by: .seconds(try #require(Int(wait))))
                // Then it is looked at.
                #expect(try await guess(node, meeting, [field: "x"]).code == code)
            }
            #expect(waits == ["2", "2", "4", "8"])
            // From elsewhere, in another meeting, and by a service nothing is delayed.
            let right = try #require(meeting[field])
            #expect(try await guess(node, meeting, [field: right], from: "192.0.2.2").status == 200)
            let other = try await node.meeting(["password": "sesame"])
            #expect(try await guess(node, other, [field: try #require(other[field])]).status == 200)
            let page = try await node.call("GET", "/metrics", ops: true).body
            #expect(page.contains("needletail_guesses_total{secret=\"\(field)\",outcome=\"wrong\"} 25\n"))
            #expect(page.contains("needletail_guesses_total{secret=\"\(field)\",outcome=\"refused\"} 4\n"))
        }
    }

    @Test func aSiteWithManySubnetsIsOne() async throws {
        try await ApiNode.run(Self.configuration) { node async throws in
            let meeting = try await node.meeting(["password": "sesame"])
            for subnet in 1...21 {
                let from = "2001:db8:1:\(subnet)::1"
                #expect(try await guess(node, meeting, ["password": "x"], from: from).code == "wrong_password")
            }
            let next = try await guess(node, meeting, ["password": "x"], from: "2001:db8:1:fff::1")
            #expect(next.code == "too_many_guesses")
            let other = try await guess(node, meeting, ["password": "x"], from: "2001:db8:2:1::1")
            #expect(other.code == "wrong_password")
        }
    }

    @Test func rightOnesAreNotCounted() async throws {
        var status = FakeStatus()
        status.capacity.sessions = 1_000
        try await ApiNode.run(Self.configuration, status: status) { node async throws in
            let meeting = try await node.meeting(["password": "sesame"])
            // An office: one of six mistypes.
            for number in 0..<60 {
                if number % 6 == 0 {
                    #expect(try await guess(node, meeting, ["password": "sesam"]).code == "wrong_password")
                }
                #expect(try await guess(node, meeting, ["password": "sesame"]).status == 200)
            }
        }
    }

    @Test func theSocketAndStreamsCountToo() async throws {
        try await ApiNode.run(Self.configuration) { node async throws in
            let meeting = try await node.meeting(["password": "sesame"])
            let headers = ["X-Forwarded-For": "192.0.2.1"]
            let socket = try await SignalingClient.connect(port: node.port, headers: headers)
            let number = try #require(meeting["meeting_number"])
            let join: Value = [
                "type": "join", "id": 1, "meeting": number, "display_name": "Eve", "password": "x",
            ]
            for _ in 0..<21 { #expect(try await socket.ask(join)["code"] == "wrong_password") }
            let refused = try await socket.ask(join)
            #expect(refused["code"] == "too_many_guesses")
            #expect(refused["retry_after_s"] == 2)
            #expect(try await guess(node, meeting, ["password": "x"]).code == "too_many_guesses")
            var client = try await WHIPClient(node, .whip, meeting)
            client.token = "x"
            let all = headers.merging(["Content-Type": "application/sdp"]) { $1 }
            for _ in 0..<21 { #expect(try await client.open(headers: all).code == "token_invalid") }
            #expect(try await client.open(headers: all).code == "too_many_guesses")
            client.token = "sesame"
            #expect(try await client.open(headers: all).code == "too_many_guesses")
            client.token = try await node.token([Grants.host])
            #expect(try await client.open(headers: all).status == 201)
        }
    }

    // MARK: the table

    private static let meeting = MeetingID("m_1")!

    private func subject(_ address: String) -> GuessLimits.Subject {
        GuessLimits.Subject(meeting: Self.meeting, secret: .password, site: address)
    }

    @Test func aThousandGuessesAreFew() {
        var limits = GuessLimits()
        var now = Timestamp(milliseconds: 0)
        var looked = 0
        var lines = 0
        for _ in 0..<1_000 {
            now = now + .milliseconds(10)
            guard (try? limits.admit(subject("a"), at: now)) != nil else { continue }
            looked += 1
            lines += limits.noteWrong(subject("a"), at: now) == nil ? 0 : 1
        }
        #expect(looked == 24)
        #expect(lines == 1)
        #expect(limits.refused[.password] == 976)
    }

    @Test func theyAreForgotten() throws {
        var limits = GuessLimits()
        var now = Timestamp(milliseconds: 0)
        for _ in 0..<21 { _ = limits.noteWrong(subject("a"), at: now) }
        #expect(throws: Problem.self) { try limits.admit(subject("a"), at: now) }
        now = now + .seconds(20 * 60)
        for _ in 0..<19 { #expect(limits.noteWrong(subject("a"), at: now) == nil) }
        try limits.admit(subject("a"), at: now)
    }

    @Test func theLongestWaitIsFiveMinutes() {
        var limits = GuessLimits()
        let now = Timestamp(milliseconds: 0)
        for _ in 0..<100 { _ = limits.noteWrong(subject("a"), at: now) }
        #expect { try limits.admit(subject("a"), at: now) } throws: { ($0 as? Problem)?.retryAfter == 300 }
    }

    @Test func theTableIsBounded() throws {
        var limits = GuessLimits(capacity: 4)
        let now = Timestamp(milliseconds: 0)
        for _ in 0..<21 { _ = limits.noteWrong(subject("a"), at: now) }
        for address in ["b", "c", "d", "e"] { _ = limits.noteWrong(subject(address), at: now) }
        // The fifth address began the table anew.
        try limits.admit(subject("a"), at: now)
    }
}
