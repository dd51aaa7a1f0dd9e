import Logging
import Meetings
import TestSupport
import Testing

@testable import Api

@Suite(.timeLimit(.minutes(1))) struct RefusedCalls {
    @Test func everyErrorIsAProblemDocument() async throws {
        try await ApiNode.run { node async throws in
            let answer = try await node.call("POST", "/api/v1/meetings/123-456-789/join", body: ["display_name": "Ada"])
            #expect(answer.status == 404)
            #expect(answer.headers["content-type"] == "application/problem+json")
            #expect(
                answer.json == [
                    "type": "about:blank", "title": "Not Found", "status": 404, "code": "meeting_not_found",
                    "detail": "There is no such meeting, or it has ended.",
                ])
        }
    }

    @Test func aBadServiceTokenIsRefused() async throws {
        try await ApiNode.run { node async throws in
            func code(_ token: String?) async throws -> String? {
                let answer = try await node.call("POST", "/api/v1/meetings", token: token, body: [:])
                #expect(answer.status == 401)
                #expect(answer.headers["www-authenticate"] == "Bearer")
                return answer.code
            }
            #expect(try await code(nil) == "token_missing")
            #expect(try await code("nonsense") == "token_invalid")
            #expect(try await code(node.token(expires: .seconds(-60))) == "token_expired")
            #expect(try await code(node.token(begins: .seconds(61))) == "token_invalid")
            let forged = ApiConfiguration.Key(id: "key-1", secret: TokenAuthority.freshSecret())
            #expect(try await code(node.token(key: forged)) == "token_invalid")
            let unknown = ApiConfiguration.Key(id: "key-2", secret: ApiNode.key.secret)
            #expect(try await code(node.token(key: unknown)) == "token_invalid")
            // alg none, with the claims of a good token.
            let claims = try await node.token().split(separator: ".")[1]
            #expect(try await code("eyJhbGciOiJub25lIn0.\(claims).") == "token_invalid")
            let place = try await node.join(node.meeting(), "Ada")
            #expect(try await code(place["session_token"]?.string) == "token_invalid")
        }
    }

    @Test func clocksMayBeAMinuteApart() async throws {
        try await ApiNode.run { node async throws in
            for token in try await [node.token(expires: .seconds(-59)), node.token(begins: .seconds(60))] {
                #expect(try await node.call("POST", "/api/v1/meetings", token: token, body: [:]).status == 201)
            }
        }
    }

    @Test func aTokenWithoutTheGrantOrOfAnotherUserIsForbidden() async throws {
        try await ApiNode.run { node async throws in
            let create = try await node.call("POST", "/api/v1/meetings", token: node.token(["host"]), body: [:])
            #expect(create.status == 403)
            #expect(create.code == "forbidden")
            let id = try #require(try await node.meeting()["meeting_id"]?.string)
            for method in ["GET", "PATCH", "DELETE"] {
                let answer = try await node.call(method, "/api/v1/meetings/\(id)", token: node.token(user: "user-2"))
                #expect(answer.code == "forbidden")
            }
        }
    }

    @Test(arguments: [
        ("{", 400, "malformed"), ("[]", 400, "malformed"), (#"{"topic": 7}"#, 400, "malformed"),
        (#"{"type": "endless"}"#, 400, "malformed"),
        (#"{"type": "scheduled", "start_time": "soon"}"#, 400, "malformed"),
        (#"{"type": "scheduled", "start_time": "2020-01-01T00:00:00Z"}"#, 400, "start_in_past"),
        (#"{"topic": ""}"#, 422, "invalid_field"), (#"{"settings": {"max_participants": 0}}"#, 422, "invalid_field"),
        (#"{"settings": {"e2ee": true}}"#, 422, "setting_unavailable"),
    ])
    func anImpossibleMeetingIsRefused(_ body: String, _ status: Int, _ code: String) async throws {
        try await ApiNode.run { node async throws in
            let answer = try await node.call("POST", "/api/v1/meetings", token: node.token(), text: body)
            #expect(answer.status == status)
            #expect(answer.code == code)
        }
    }

    /// A slip must not give a meeting without a password.
    @Test(arguments: [
        ("POST", "/api/v1/meetings", #"{"pasword": "x"}"#, "pasword"),
        ("POST", "/api/v1/meetings", #"{"topic": "a", "startTime": "x"}"#, "startTime"),
        ("POST", "/api/v1/meetings", #"{"settings": {"waitingroom": true}}"#, "settings.waitingroom"),
        ("PATCH", "/api/v1/meetings/{id}", #"{"Password": "x"}"#, "Password"),
        ("POST", "/api/v1/meetings/{id}/join", #"{"display_name": "Ada", "hostkey": "x"}"#, "hostkey"),
        ("POST", "/api/v1/node/drain", #"{"deadline": 5}"#, "deadline"),
        (
            "POST", "/api/v1/node/drain", #"{"target": {"signaling_url": "ws://a/", "media_server": "a:1", "a": 1}}"#,
            "target.a"
        ),
    ])
    func aFieldThatABodyDoesNotHaveIsNamed(
        _ method: String, _ path: String, _ body: String, _ field: String
    ) async throws {
        try await ApiNode.run { node async throws in
            let id = try #require(try await node.meeting()["meeting_id"]?.string)
            let answer = try await node.call(
                method, path.replacing("{id}", with: id), token: node.token(["create", "admin"]), text: body,
                headers: ["Content-Type": "application/json"], ops: path.contains("/node/"))
            #expect(answer.status == 400)
            #expect(answer.code == "unknown_field")
            #expect(answer.json["detail"]?.string == "There is no field \(field) here.")
        }
    }

    /// As the wire has them, wherever they are.
    @Test func anErrorNamesTheFieldAsItIsWritten() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let id = try #require(meeting["meeting_id"]?.string)
            func detail(_ path: String, _ body: String) async throws -> String? {
                let answer = try await node.call(
                    "POST", path, token: node.token(), text: body, headers: ["Content-Type": "application/json"])
                #expect(answer.code == "malformed")
                return answer.json["detail"]?.string
            }
            #expect(try await detail("/api/v1/meetings/\(id)/join", "{}") == "The field display_name is missing.")
            let settings = #"{"settings": {"max_participants": "many"}}"#
            #expect(
                try await detail("/api/v1/meetings", settings)
                    == "The field settings.max_participants has the wrong type.")
            let ada = try await node.enter(meeting, "Ada")
            let hand = try await ada.socket.ask(["type": "media_state", "id": 1, "hand_raised": "up"])
            #expect(hand["message"] == "The field hand_raised has the wrong type.")
            let socket = try await SignalingClient.connect(port: node.port)
            let join = try await socket.ask(["type": "join", "id": 1, "media_state": ["hand_raised": 7]])
            #expect(join["message"] == "The field media_state.hand_raised has the wrong type.")
        }
    }

    @Test(arguments: [
        ("2027-02-29T10:00:00Z", 400), ("2027-04-31T10:00:00Z", 400), ("2027-13-01T10:00:00Z", 400),
        ("2027-01-01T24:00:00Z", 400), ("2027-01-01T10:60:00Z", 400), ("2027-01-01T10:00:00", 400),
        ("2027-01-01T10:00:00+25:00", 400), ("2027-01-01", 400), ("2028-02-29T10:00:00Z", 201),
        ("2029-01-01T10:00:00.5+05:30", 201), ("2029-01-01T10:00:00-08:00", 201),
    ])
    func aDateThatDoesNotExistIsRefused(_ time: String, _ status: Int) async throws {
        try await ApiNode.run { node async throws in
            let answer = try await node.call(
                "POST", "/api/v1/meetings", token: node.token(),
                body: ["type": "scheduled", "start_time": .string(time)])
            #expect(answer.status == status)
            if status == 400 { #expect(answer.json["detail"]?.string?.contains("start_time") == true) }
        }
    }

    @Test(arguments: [
        ("Europe/Berlin", true), ("UTC", true), ("Asia/Calcutta", true), ("Etc/GMT+5", true), ("CET", true),
        ("Mars/Olympus", false), ("Europe/berlin", false), ("PST", false), ("GMT+5", false), ("Europe", false),
        ("../etc/passwd", false), ("", false),
    ])
    func aTimeZoneIsOneOfTheDatabase(_ name: String, _ isThere: Bool) async throws {
        try await ApiNode.run { node async throws in
            let answer = try await node.call(
                "POST", "/api/v1/meetings", token: node.token(), body: ["timezone": .string(name)])
            #expect(answer.status == (isThere ? 201 : 422))
            if !isThere { #expect(answer.json["detail"]?.string?.contains("timezone") == true) }
        }
    }

    @Test func aJoinIsRefusedForItsOwnReasons() async throws {
        var configuration = ApiNode.configuration
        configuration.limits.participants = 2
        try await ApiNode.run(configuration) { node async throws in
            let meeting = try await node.meeting(["password": "sesame", "settings": ["max_participants": 2]])
            let id = try #require(meeting["meeting_id"]?.string)
            func join(_ body: Value) async throws -> Answer {
                try await node.call("POST", "/api/v1/meetings/\(id)/join", body: body)
            }
            #expect(try await join([:]).code == "malformed")
            #expect(try await join(["display_name": "Ada"]).code == "password_required")
            #expect(try await join(["display_name": "Ada", "password": "x"]).code == "wrong_password")
            #expect(try await join(["display_name": "Ada", "host_key": "x"]).code == "wrong_host_key")
            #expect(try await join(["display_name": " ", "password": "sesame"]).code == "invalid_field")
            for _ in 0..<2 { #expect(try await join(["display_name": "Ada", "password": "sesame"]).status == 200) }
            let full = try await join(["display_name": "Ada", "password": "sesame"])
            #expect(full.status == 503)
            #expect(full.code == "meeting_full")
        }
    }

    @Test func aFullNodeRefusesAnotherMeeting() async throws {
        var configuration = ApiNode.configuration
        configuration.limits.meetings = 1
        try await ApiNode.run(configuration) { node async throws in
            _ = try await node.meeting()
            let answer = try await node.call("POST", "/api/v1/meetings", token: node.token(), body: [:])
            #expect(answer.status == 503)
            #expect(answer.code == "node_full")
        }
    }

    @Test func aBodyAbove64KiBIsTooLarge() async throws {
        try await ApiNode.run { node async throws in
            let body = "{\"topic\": \"\(String(repeating: "x", count: 70_000))\"}"
            let answer = try await node.call("POST", "/api/v1/meetings", token: node.token(), text: body)
            #expect(answer.status == 413)
            #expect(answer.code == "too_large")
        }
    }

    @Test func tooManyJoinsOfOneAddressMustWait() async throws {
        var configuration = ApiNode.configuration
        configuration.rateLimit = .init(burst: 2, perSecond: 0.5)
        try await ApiNode.run(configuration) { node async throws in
            func join() async throws -> Answer {
                try await node.call("POST", "/api/v1/meetings/123-456-789/join", body: ["display_name": "Ada"])
            }
            #expect(try await join().status == 404)
            #expect(try await join().status == 404)
            let refused = try await join()
            #expect(refused.status == 429)
            #expect(refused.code == "too_many_requests")
            #expect(refused.headers["retry-after"] == "2")
            await node.clock.advance(by: .seconds(2))
            #expect(try await join().status == 404)
        }
    }

    @Test(arguments: ["/api/v1/nothing", "/nothing.js"])
    func whatIsNotThereIsNotFound(_ path: String) async throws {
        try await ApiNode.run { node async throws in
            let answer = try await node.call("GET", path)
            #expect(answer.status == 404)
            #expect(answer.code == "not_found")
        }
    }

    @Test func bytesThatAreNoHTTPEndTheConnectionOnly() async throws {
        try await ApiNode.run { node async throws in
            let answer = try await node.exchange("\u{1}\u{2} nonsense\r\n\r\n", port: node.port)
            #expect(answer.hasPrefix("HTTP/1.1 400"))
            #expect(try await node.call("GET", "/api/v1/dev/token").status == 404)
        }
    }
}

@Suite struct KeysOfServices {
    @Test(arguments: [("key", 31), ("", 32)])
    func aWeakKeyKeepsTheServerFromStarting(_ id: String, _ bytes: Int) async {
        var configuration = ApiNode.configuration
        configuration.keys = [ApiConfiguration.Key(id: id, secret: Array(repeating: 1, count: bytes))]
        let server = ApiServer(
            configuration: configuration, media: FakeMedia(), status: FakeStatus(), logger: Logger(label: "test"))
        await #expect(throws: ApiConfiguration.Refusal.self) { try await server.run() }
    }
}

@Suite struct CountingCalls {
    @Test func theTableOfAddressesIsBounded() throws {
        let limiter = AddressLimiter(.init(burst: 1, perSecond: 1), capacity: 4)
        let clock = ManualClock()
        try limiter.admit("a", at: clock.now)
        #expect(throws: Problem.self) { try limiter.admit("a", at: clock.now) }
        for address in ["b", "c", "d", "e"] { try limiter.admit(address, at: clock.now) }
        // The fifth address began the table anew.
        #expect(throws: Never.self) { try limiter.admit("a", at: clock.now) }
    }
}

@Suite struct ComingAgain {
    /// An office: each comes within ten seconds, and again when it was told to, by whole seconds.
    @Test(arguments: [300, 500]) func whoComesWhenToldIsIn(_ people: Int) throws {
        let limit = ApiConfiguration.RateLimit()
        let limiter = AddressLimiter(limit)
        var random = SplitMix(seed: 7)
        var arrivals: [Int64: [Int]] = [:]
        for person in 0..<people { arrivals[Int64.random(in: 0..<10_000, using: &random), default: []].append(person) }
        var refusals: [Int: Int] = [:]
        var last: Int64 = 0
        for moment in Int64(0)..<120_000 {
            for person in arrivals[moment] ?? [] {
                do {
                    try limiter.admit("office", at: Timestamp(milliseconds: moment))
                    last = moment
                } catch let problem as Problem {
                    refusals[person, default: 0] += 1
                    let wait = Int64(try #require(problem.retryAfter)) * 1_000
                    arrivals[moment + wait + Int64.random(in: 0..<500, using: &random), default: []].append(person)
                }
            }
        }
        #expect(last < 30_000, "the last of \(people) was in after \(last) ms")
        // Who comes for the first time meanwhile may take the place of one who was told to come.
        #expect(refusals.values.allSatisfy { $0 <= 3 }, "\(refusals.values.max() ?? 0) times")
    }

    @Test func eachIsToldATimeOfItsOwn() {
        let limiter = AddressLimiter(.init(burst: 1, perSecond: 1))
        let now = Timestamp(milliseconds: 0)
        func wait() -> Int? {
            do { try limiter.admit("a", at: now) } catch { return (error as? Problem)?.retryAfter }
            return nil
        }
        #expect((0..<5).map { _ in wait() } == [nil, 1, 2, 3, 4])
    }
}
