import Logging
import Meetings
import Testing

@testable import Api

@Suite(.timeLimit(.minutes(1))) struct PollCalls {
    /// Ada is the host, Bob and Cyd are guests; nobody has anything to hear any more.
    private static func people(_ node: ApiNode, _ meeting: Value) async throws -> [Visitor] {
        let ada = try await node.enter(meeting, "Ada", ["host_key": try #require(meeting["host_key"])])
        let bob = try await node.enter(meeting, "Bob")
        let cyd = try await node.enter(meeting, "Cyd")
        for socket in [ada.socket, ada.socket, bob.socket] { _ = try await socket.next("participant_joined") }
        return [ada, bob, cyd]
    }

    private static let question: [String: Value] = ["question": "Tea?", "options": ["Yes", "No", "Later"]]

    /// A new poll as all hear it.
    private static func ask(_ people: [Visitor], _ more: [String: Value] = [:]) async throws -> Value {
        let draft = question.merging(more) { $1 }.merging(["type": "poll_create", "id": 50]) { $1 }
        #expect(try await people[0].socket.ask(.object(draft)) == ["type": "ok", "id": 50])
        var told: [Value] = []
        for person in people.dropFirst() { told.append(try await person.socket.next("poll")) }
        #expect(told.allSatisfy { $0 == told[0] })
        return try #require(told[0]["poll"])
    }

    private static func vote(_ options: Value, in poll: Value) throws -> Value {
        ["type": "poll_vote", "id": 60, "poll_id": try #require(poll["poll_id"]), "options": options]
    }

    private static func path(_ meeting: Value) throws -> String {
        "/api/v1/meetings/\(try #require(meeting["meeting_id"]?.string))/polls"
    }

    @Test func aHostAsksAndAllSeeHowItStands() async throws {
        try await ApiNode.run { node async throws in
            let people = try await Self.people(node, node.meeting())
            let (ada, bob, cyd) = (people[0], people[1], people[2])
            let poll = try await Self.ask(people)
            let id = try #require(poll["poll_id"])
            #expect(poll["question"] == "Tea?" && poll["options"] == ["Yes", "No", "Later"] && poll["is_open"] == true)
            #expect(poll["multiple"] == false && poll["anonymous"] == false && poll["vote"] == nil)
            #expect(poll["counts"] == [0, 0, 0] && poll["voters"] == 0 && poll["ballots"] == nil)
            #expect(poll["by"] == ["participant_id": .string(ada.id), "display_name": "Ada"])
            #expect(poll["created_at"]?.string == node.clock.now.rfc3339)

            for (person, option, counts) in [(bob, 0, [1, 0, 0]), (cyd, 1, [1, 1, 0]), (bob, 1, [0, 2, 0])]
                as [(Visitor, Value, Value)]
            {
                let answer = try await person.socket.ask(try Self.vote([option], in: poll))
                #expect(answer == ["type": "ok", "id": 60])
                let results: Value = [
                    "type": "poll_results", "poll_id": id, "counts": counts, "voters": counts == [1, 0, 0] ? 1 : 2,
                ]
                #expect(try await ada.socket.next("poll_results") == results)
                // Who chose what goes to the host alone.
                #expect(
                    try await ada.socket.next() == [
                        "type": "poll_ballots", "poll_id": id,
                        "ballots": [
                            [
                                "participant_id": .string(person.id),
                                "display_name": person.id == bob.id ? "Bob" : "Cyd", "options": [option],
                            ]
                        ],
                    ])
            }
            let gone = try await bob.socket.ask(["type": "leave", "id": 1])
            #expect(gone["type"] == "ok")
            #expect(try await ada.socket.ask(["type": "poll_close", "id": 2, "poll_id": id])["type"] == "ok")
            let closed = try await cyd.socket.next("poll")["poll"]
            #expect(closed?["is_open"] == false && closed?["counts"] == [0, 2, 0] && closed?["voters"] == 2)
            #expect(closed?["vote"] == nil && closed?["ballots"] == nil)
            let late = try await cyd.socket.ask(try Self.vote([0], in: poll))
            #expect(late["code"] == "poll_closed" && late["status"] == 409)
            #expect(try await ada.socket.ask(["type": "poll_delete", "id": 3, "poll_id": id])["type"] == "ok")
            #expect(try await cyd.socket.next("poll_deleted") == ["type": "poll_deleted", "poll_id": id])
        }
    }

    @Test func whatIsWrongIsSaidAndChangesNothing() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let people = try await Self.people(node, meeting)
            let (ada, bob) = (people[0], people[1])
            let poll = try await Self.ask(people)
            let id = try #require(poll["poll_id"])
            func code(_ person: Visitor, _ message: Value) async throws -> String? {
                node.clock.advanceUnheard(by: .seconds(1))
                return try await person.socket.ask(message)["code"]?.string
            }
            for options in [[], [3], [-1], [0, 1], [0, 0], [1_000_000_000]] as [Value] {
                #expect(try await code(bob, Self.vote(options, in: poll)) == "invalid_field", "\(options)")
            }
            for options in [["x"], "0", nil, [.number(0.5)], [.number(1e300)], ["a": 1]] as [Value] {
                #expect(try await code(bob, Self.vote(options, in: poll)) == "malformed", "\(options)")
            }
            for other in ["q_other", "no id", ""] as [Value] {
                let vote: Value = ["type": "poll_vote", "id": 1, "poll_id": other, "options": [0]]
                #expect(try await code(bob, vote) == "poll_not_found")
                #expect(try await code(ada, ["type": "poll_close", "id": 1, "poll_id": other]) == "poll_not_found")
            }
            for (type, more) in [("poll_create", Self.question), ("poll_close", [:]), ("poll_delete", [:])] {
                let message = more.merging(["type": .string(type), "id": 1, "poll_id": id]) { $1 }
                #expect(try await code(bob, .object(message)) == "forbidden")
            }
            for (more, wanted) in [
                (["question": " "], "invalid_field"), (["options": ["one"]], "invalid_field"),
                (["options": "Yes, No"], "malformed"), (["question": nil], "malformed"),
                (["multiple": "yes"], "malformed"), (["options": ["a", 1]], "malformed"),
            ] as [([String: Value], String)] {
                let message = Self.question.merging(more) { $1 }.merging(["type": "poll_create", "id": 1]) { $1 }
                #expect(try await code(ada, .object(message)) == wanted, "\(more)")
            }
            let polls = try await node.call("GET", Self.path(meeting), token: bob.token).json["polls"]
            #expect(polls?.count == 1 && polls?[0]?["counts"] == [0, 0, 0] && polls?[0]?["is_open"] == true)
        }
    }

    @Test func whoComesLateOrBackReadsThemWithItsOwnVote() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let people = try await Self.people(node, meeting)
            let (ada, bob) = (people[0], people[1])
            let named = try await Self.ask(people)
            let secret = try await Self.ask(people, ["anonymous": true, "multiple": true, "question": "Secret?"])
            for poll in [named, secret] {
                let answer = try await bob.socket.ask(Self.vote([2], in: poll))
                #expect(answer["type"] == "ok")
            }
            let dan = try await node.enter(meeting, "Dan")
            let told = try #require(try await dan.socket.next("polls")["polls"])
            #expect(told.count == 2 && told[0]?["poll_id"] == named["poll_id"] && told[0]?["counts"] == [0, 0, 1])
            #expect(told[0]?["vote"] == nil && told[0]?["ballots"] == nil && told[1]?["ballots"] == nil)
            // A host reads who chose what, and never in an anonymous poll.
            let eve = try await node.enter(meeting, "Eve", ["host_key": try #require(meeting["host_key"])])
            let all = try #require(try await eve.socket.next("polls")["polls"])
            #expect(
                all[0]?["ballots"] == [
                    ["participant_id": .string(bob.id), "display_name": "Bob", "options": [2]]
                ])
            #expect(all[1]?["ballots"] == nil && all[1]?["counts"] == [0, 0, 1])
            #expect(try await node.call("GET", Self.path(meeting), token: ada.token).json["polls"] == all)
            #expect(try await node.call("GET", Self.path(meeting), token: node.token()).json["polls"] == all)

            _ = try await ada.socket.ask([
                "type": "poll_delete", "id": 5, "poll_id": try #require(named["poll_id"]),
            ])
            try await bob.socket.vanish()
            var socket = try await SignalingClient.connect(port: node.port)
            let join: Value = [
                "type": "join", "id": 1, "session_token": try #require(bob.joined["session_token"]),
                "resume": .string(bob.resume),
            ]
            #expect(try await socket.ask(join)["resumed"] == true)
            var back = try #require(try await socket.next("polls")["polls"])
            #expect(back.count == 1 && back[0]?["poll_id"] == secret["poll_id"] && back[0]?["vote"] == [2])
            // When it is over nobody knows any more, and without any polls that is said, too.
            for (type, count) in [("poll_close", 1), ("poll_delete", 0)] {
                _ = try await ada.socket.ask([
                    "type": .string(type), "id": 5, "poll_id": try #require(secret["poll_id"]),
                ])
                try await socket.vanish()
                socket = try await SignalingClient.connect(port: node.port)
                #expect(try await socket.ask(join)["resumed"] == true)
                back = try #require(try await socket.next("polls")["polls"])
                #expect(back.count == count && back[0]?["vote"] == nil)
            }
            let fay = try await node.enter(meeting, "Fay")
            #expect(try await fay.socket.ask(["type": "ping", "id": 1]) == ["type": "pong", "id": 1])
        }
    }

    @Test func whoBecomesAHostReadsWhoChoseWhat() async throws {
        try await ApiNode.run { node async throws in
            let people = try await Self.people(node, node.meeting())
            let (ada, bob, cyd) = (people[0], people[1], people[2])
            let poll = try await Self.ask(people)
            _ = try await cyd.socket.ask(Self.vote([1], in: poll))
            _ = try await ada.socket.ask([
                "type": "set_role", "id": 1, "participant_id": .string(bob.id), "role": "co_host",
            ])
            let told = try #require(try await bob.socket.next("polls")["polls"])
            #expect(told[0]?["ballots"]?.count == 1 && told[0]?["ballots"]?[0]?["display_name"] == "Cyd")
            let closed = try await bob.socket.ask([
                "type": "poll_close", "id": 2, "poll_id": try #require(poll["poll_id"]),
            ])
            #expect(closed["type"] == "ok")
        }
    }

    @Test func servicesAndHostsAskByREST() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let people = try await Self.people(node, meeting)
            let (ada, bob) = (people[0], people[1])
            let path = try Self.path(meeting)
            let body = Value.object(Self.question)
            let made = try await node.call("POST", path, token: node.token(), body: body)
            #expect(made.status == 201 && made.headers["location"] == path && made.json["by"] == nil)
            let id = try #require(made.json["poll_id"]?.string)
            #expect(try await bob.socket.next("poll")["poll"]?["poll_id"]?.string == id)
            let own = try await node.call("POST", path, token: ada.token, body: body)
            #expect(own.status == 201 && own.json["by"]?["display_name"] == "Ada" && own.json["ballots"] == [])

            _ = try await bob.socket.ask(Self.vote([0], in: made.json))
            for (method, path, token, status, code) in [
                ("POST", path, bob.token, 403, "forbidden"),
                ("POST", "\(path)/\(id)/close", bob.token, 403, "forbidden"),
                ("DELETE", "\(path)/\(id)", bob.token, 403, "forbidden"),
                ("POST", "\(path)/q_other/close", ada.token, 404, "poll_not_found"),
                ("DELETE", "\(path)/no%20id", ada.token, 404, "poll_not_found"),
                ("GET", path, try await node.token(user: "user-2"), 403, "forbidden"),
                ("POST", path, try await node.token(user: "user-2"), 403, "forbidden"),
            ] as [(String, String, String, Int, String)] {
                let answer = try await node.call(method, path, token: token, body: method == "POST" ? body : nil)
                #expect(answer.status == status && answer.code == code, "\(method) \(path): \(answer.body)")
            }
            #expect(try await node.call("GET", path).status == 401)
            let other = try await node.enter(node.meeting(), "Eve")
            #expect(try await node.call("GET", path, token: other.token).status == 403)
            let read = try await node.call("GET", path, token: bob.token).json["polls"]
            #expect(read?.count == 2 && read?[0]?["vote"] == [0] && read?[0]?["ballots"] == nil)
            // A service may have the same token: what one chose in an anonymous poll is not told by it.
            let anonymous = Value.object(Self.question.merging(["anonymous": true]) { $1 })
            let secret = try await node.call("POST", path, token: node.token(), body: anonymous)
            _ = try await bob.socket.ask(Self.vote([1], in: secret.json))
            let hidden = try await node.call("GET", path, token: bob.token).json["polls"]?[2]
            #expect(hidden?["voters"] == 1 && hidden?["vote"] == nil)
            let closed = try await node.call("POST", "\(path)/\(id)/close", token: node.token())
            #expect(closed.status == 200 && closed.json["is_open"] == false && closed.json["ballots"]?.count == 1)
            let again = try await node.call("POST", "\(path)/\(id)/close", token: ada.token)
            #expect(again.status == 409 && again.code == "poll_closed")
            #expect(try await node.call("DELETE", "\(path)/\(id)", token: ada.token).status == 204)
            #expect(try await bob.socket.next("poll_deleted")["poll_id"]?.string == id)
            let wrong = try await node.call("POST", path, token: ada.token, body: ["question": "?", "options": []])
            #expect(wrong.status == 422)
            let unknown = try await node.call(
                "POST", path, token: ada.token, body: .object(Self.question.merging(["right": 0]) { $1 }))
            #expect(unknown.code == "unknown_field")
        }
    }

    @Test func whoDoesTooMuchMustWait() async throws {
        try await ApiNode.run { node async throws in
            let people = try await Self.people(node, node.meeting())
            let poll = try await Self.ask(people)
            for number in 0..<MeetingHub.pollBurst {
                let answer = try await people[1].socket.ask(Self.vote([number % 2 == 0 ? 0 : 1], in: poll))
                #expect(answer["type"] == "ok")
            }
            let refused = try await people[1].socket.ask(Self.vote([2], in: poll))
            #expect(refused["code"] == "too_many_requests" && refused["retry_after_s"] == 1)
            #expect(try await people[2].socket.ask(Self.vote([2], in: poll))["type"] == "ok")
            node.clock.advanceUnheard(by: .seconds(1))
            #expect(try await people[1].socket.ask(Self.vote([2], in: poll))["type"] == "ok")
        }
    }

    /// Votes of many within a moment are one message, encoded once, and the same bytes for everybody.
    @Test func votesOfAMomentAreOneMessage() async throws {
        let clock = ManualClock()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let hub = MeetingHub(
            limits: Limits(), media: FakeMedia(), gatherTime: .milliseconds(50), clock: clock, logger: logger)
        let meeting = try await hub.create(MeetingPlan(topic: "Standup"), owner: "user-1", password: nil)
        var people: [(id: ParticipantID, socket: NotingSocket)] = []
        for number in 0..<20 {
            let request = JoinRequest(displayName: "\(number)", hostKey: number == 0 ? meeting.hostKey : nil)
            let person = try await hub.admit(meeting.id, request, Arrival(way: .socket, address: "\(number)"))
            people.append((person.id, NotingSocket()))
            try await hub.attach(
                person.id, in: meeting.id, SocketJoin(token: "", isFresh: true), people[number].socket)
        }
        func told(_ number: Int) async -> [String] {
            while await !hub.isQuiet(meeting.id) { await Task.yield() }
            return people[number].socket.take()
        }
        let draft = PollDraft(question: "Tea?", options: ["Yes", "No"])
        try await hub.createPoll(draft, by: people[0].id, people[0].socket, from: "local")
        await clock.advance(by: .milliseconds(50))
        for number in people.indices { _ = await told(number) }
        let id = try #require(await hub.catalog.meetings[meeting.id]?.polls.polls.first?.id)
        for (number, person) in people.enumerated() {
            try await hub.vote([number % 2], in: id, by: person.id, person.socket)
        }
        await clock.advance(by: MeetingHub.pollGather)
        while clock.sleeping == 0 { await Task.yield() }
        await clock.advance(by: .milliseconds(25))
        let results = "\"poll_results\""
        var heard: [String] = []
        for number in people.indices { heard.append(await told(number).joined()) }
        for text in heard { #expect(text.components(separatedBy: results).count == 2, "\(text)") }
        #expect(heard[1].contains("\"counts\":[10,10]") && heard[1].contains("\"voters\":20"))
        #expect(Set(heard.dropFirst()).count == 1)
        #expect(heard[0].contains("poll_ballots") && !heard[1].contains("poll_ballots"))
        // Nothing more follows.
        await clock.wake(after: .seconds(2))
        #expect(people[1].socket.take().isEmpty)
    }

    @Test func pollsLastAsTheirMeetingDoes() async throws {
        let folder = try StoreFolder()
        let made = Box<[Value]>([])
        try await folder.run { node async throws in
            let meeting = try await node.meeting()
            let people = try await Self.people(node, meeting)
            let named = try await Self.ask(people)
            let secret = try await Self.ask(people, ["anonymous": true])
            let gone = try await Self.ask(people)
            for poll in [named, secret] { _ = try await people[1].socket.ask(Self.vote([0], in: poll)) }
            _ = try await people[0].socket.ask([
                "type": "poll_close", "id": 1, "poll_id": try #require(secret["poll_id"]),
            ])
            _ = try await people[0].socket.ask([
                "type": "poll_delete", "id": 1, "poll_id": try #require(gone["poll_id"]),
            ])
            _ = try await people[1].socket.ask(
                .object(Self.question.merging(["type": "poll_create", "id": 1]) { $1 }))
            made.value = [meeting, named, secret, .string(people[1].id)]
        }
        try await folder.run { node async throws in
            let polls = try await node.call("GET", Self.path(made.value[0]), token: node.token()).json["polls"]
            #expect(polls?.count == 2)
            for number in 0...1 {
                #expect(polls?[number]?["poll_id"] == made.value[number + 1]["poll_id"])
                #expect(polls?[number]?["is_open"] == false && polls?[number]?["counts"] == [1, 0, 0])
            }
            #expect(
                polls?[0]?["ballots"] == [["participant_id": made.value[3], "display_name": "Bob", "options": [0]]])
            #expect(polls?[1]?["ballots"] == nil)
        }
        let audit = try folder.rows(
            "SELECT action, is_refused FROM audit WHERE action LIKE 'poll%' ORDER BY id")
        #expect(
            audit == [
                ["poll_create", "0"], ["poll_create", "0"], ["poll_create", "0"], ["poll_close", "0"],
                ["poll_delete", "0"], ["poll_create", "1"],
            ])
        // Nothing ties Bob to what he chose in secret.
        let votes = try folder.rows("SELECT poll_id = '\(made.value[1]["poll_id"]?.string ?? "")' FROM poll_vote")
        #expect(votes == [["1"]])
    }
}
