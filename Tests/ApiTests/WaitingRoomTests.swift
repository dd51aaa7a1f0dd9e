import Conference
import Meetings
import Testing
import Wire

@testable import Api

@Suite(.timeLimit(.minutes(3))) struct WaitingRoomCalls {
    /// Ada is the host of a meeting with a waiting room.
    static func scene(_ node: ApiNode, _ settings: [String: Value] = [:]) async throws -> (Value, Visitor) {
        let settings = Value.object(settings.merging(["waiting_room": true]) { $1 })
        let meeting = try await node.meeting(["topic": "Standup", "settings": settings])
        let ada = try await node.enter(meeting, "Ada", ["host_key": try #require(meeting["host_key"])])
        #expect(try await ada.socket.next("waiting_room") == room(whole: true))
        return (meeting, ada)
    }

    static func room(whole: Bool = false, arrived: [Guest] = [], left: [Guest] = []) -> Value {
        [
            "type": "waiting_room", "whole": .bool(whole),
            "arrived": .list(
                arrived.map { ["participant_id": .string($0.id), "display_name": .string($0.name)] }),
            "left": .list(left.map { .string($0.id) }),
        ]
    }

    struct Guest {
        var name: String
        var id: String
        var token: Value
        var socket: SignalingClient

        /// Joins with the token of `waiting`.
        func join(over other: SignalingClient? = nil) async throws -> Value {
            try await (other ?? socket).ask(["type": "join", "id": 2, "session_token": token, "offer": "v=0"])
        }
    }

    static func join(_ node: ApiNode, _ meeting: Value, _ name: String) async throws -> (SignalingClient, Value) {
        let socket = try await SignalingClient.connect(port: node.port)
        let number = try #require(meeting["meeting_number"])
        let answer = try await socket.ask([
            "type": "join", "id": 1, "meeting": number, "display_name": .string(name), "offer": "v=0",
        ])
        return (socket, answer)
    }

    static func knock(_ node: ApiNode, _ meeting: Value, _ name: String) async throws -> Guest {
        let (socket, answer) = try await join(node, meeting, name)
        try #require(answer["type"] == "waiting")
        #expect(answer["meeting"] == ["meeting_id": try #require(meeting["meeting_id"]), "topic": "Standup"])
        return Guest(
            name: name, id: try #require(answer["participant_id"]?.string),
            token: try #require(answer["session_token"]), socket: socket)
    }

    static func order(_ type: String, _ guest: Guest?, _ more: [String: Value]) -> Value {
        var message: [String: Value] = ["type": .string(type)]
        if let guest { message["participant_id"] = .string(guest.id) }
        return .object(message.merging(more) { $1 })
    }

    static func say(
        _ person: Visitor, _ type: String, _ guest: Guest? = nil, _ more: [String: Value] = [:]
    ) async throws {
        try await person.socket.say(order(type, guest, more))
    }

    /// Of the error that comes of it.
    static func code(
        _ person: Visitor, _ type: String, _ guest: Guest? = nil, _ more: [String: Value] = [:]
    ) async throws -> String? {
        try await person.socket.say(order(type, guest, more))
        return try await person.socket.next("error")["code"]?.string
    }

    /// The session token of one who waits opens nothing.
    static func checkShutOut(_ guest: Guest, of meeting: Value, _ node: ApiNode) async throws {
        let id = try #require(meeting["meeting_id"]?.string)
        let token = try #require(guest.token.string)
        let history = try await node.call("GET", "/api/v1/meetings/\(id)/chat", token: token)
        #expect(history.code == "not_joined")
        let message = try await node.call("POST", "/api/v1/meetings/\(id)/chat", token: token, body: ["text": "Hello"])
        #expect(message.code == "not_joined")
        for stream in ["whip", "whep"] {
            let opened = try await node.call(
                "POST", "/\(stream)/\(id)", token: token, text: "v=0", headers: ["Content-Type": "application/sdp"])
            #expect(opened.status == 403 && opened.code == "waiting_room", "\(stream)")
        }
    }

    @Test func whoKnocksIsSeenByHostsAloneAndComesInWhenItIsLetIn() async throws {
        try await ApiNode.run { node async throws in
            let (meeting, ada) = try await Self.scene(node)
            let bob = try await Self.knock(node, meeting, "Bob")
            #expect(try await ada.socket.next("waiting_room") == Self.room(arrived: [bob]))
            #expect(node.media.calls.allSatisfy { if case .connect = $0 { false } else { true } })
            let refused = try await bob.socket.ask(["type": "chat", "id": 3, "text": "Hello"])
            #expect(refused["code"] == "not_joined")
            try await Self.checkShutOut(bob, of: meeting, node)
            try await Self.say(ada, "admit", bob)
            #expect(try await bob.socket.next("admitted") == ["type": "admitted"])
            #expect(try await ada.socket.next("waiting_room") == Self.room(left: [bob]))
            let joined = try await bob.join()
            #expect(joined["type"] == "joined" && joined["resumed"] == false && joined["sdp"] != nil)
            #expect(joined["you"]?["participant_id"]?.string == bob.id)
            let seen = try await ada.socket.next("participant_joined")["participant"]
            #expect(seen?["participant_id"]?.string == bob.id)
            // Once in, it may come back by itself.
            let resume = try #require(joined["resume"])
            let again = try await SignalingClient.connect(port: node.port)
            let back = try await again.ask(["type": "join", "id": 1, "session_token": bob.token, "resume": resume])
            #expect(back["resumed"] == true)
        }
    }

    @Test func oneIsSentAwayAndMayNotComeBackByItsToken() async throws {
        try await ApiNode.run { node async throws in
            let (meeting, ada) = try await Self.scene(node)
            let bob = try await Self.knock(node, meeting, "Bob")
            _ = try await ada.socket.next("waiting_room")
            try await Self.say(ada, "deny", bob)
            #expect(try await bob.socket.next("denied") == ["type": "denied"])
            #expect(await bob.socket.closeCode() == 1_000)
            #expect(try await ada.socket.next("waiting_room") == Self.room(left: [bob]))
            let again = try await SignalingClient.connect(port: node.port)
            #expect(try await bob.join(over: again)["code"] == "participant_not_found")
            for type in ["admit", "deny"] {
                #expect(try await Self.code(ada, type, bob) == "participant_not_found")
            }
        }
    }

    @Test func whoLosesItsSocketWaitsOn() async throws {
        try await ApiNode.run { node async throws in
            let (meeting, ada) = try await Self.scene(node)
            var bob = try await Self.knock(node, meeting, "Bob")
            _ = try await ada.socket.next("waiting_room")
            try await bob.socket.vanish()
            #expect(try await ada.socket.next("waiting_room") == Self.room(left: [bob]))
            #expect(try await Self.code(ada, "admit", bob) == "participant_not_found")
            bob.socket = try await SignalingClient.connect(port: node.port)
            #expect(try await bob.join()["type"] == "waiting")
            #expect(try await ada.socket.next("waiting_room") == Self.room(arrived: [bob]))
            // Another socket takes its place.
            let former = bob.socket
            bob.socket = try await SignalingClient.connect(port: node.port)
            #expect(try await bob.join()["type"] == "waiting")
            #expect(try await former.next("removed")["reason"] == "replaced")
            #expect(try await bob.socket.ask(["type": "leave", "id": 3])["type"] == "ok")
            #expect(try await ada.socket.next("waiting_room") == Self.room(left: [bob]))
            #expect(
                try await ada.socket.ask(["type": "ping", "id": 4])["type"] == "pong", "nobody was seen to come or go")
        }
    }

    @Test func whoWasLetInAndDoesNotComeIsGivenUp() async throws {
        try await ApiNode.run { node async throws in
            let (meeting, ada) = try await Self.scene(node)
            var bob = try await Self.knock(node, meeting, "Bob")
            try await Self.say(ada, "admit", bob)
            _ = try await bob.socket.next("admitted")
            await node.clock.advance(by: .seconds(16))
            await node.clock.advance(by: .zero)
            #expect(await bob.socket.closeCode() == 1_000)
            bob.socket = try await SignalingClient.connect(port: node.port)
            #expect(try await bob.join()["code"] == "token_expired")
        }
    }

    @Test func allAreLetInWhoFitAndTheOthersHaveNoPlaceMeanwhile() async throws {
        try await ApiNode.run { node async throws in
            let (meeting, ada) = try await Self.scene(node, ["max_participants": 3])
            var guests: [Guest] = []
            for name in ["Bob", "Cyd", "Dan"] { guests.append(try await Self.knock(node, meeting, name)) }
            for guest in guests {
                #expect(try await ada.socket.next("waiting_room") == Self.room(arrived: [guest]))
            }
            #expect(try await Self.code(ada, "admit", nil, ["all": true]) == "meeting_full")
            for guest in guests.prefix(2) { #expect(try await guest.join()["type"] == "joined") }
            #expect(try await guests[2].join()["type"] == "waiting")
            #expect(try await guests[0].socket.ask(["type": "leave", "id": 3])["type"] == "ok")
            try await Self.say(ada, "admit", nil, ["all": true])
            _ = try await guests[2].socket.next("admitted")
            #expect(try await guests[2].join()["type"] == "joined")
            #expect(try await Self.code(ada, "admit") == "malformed")
        }
    }

    @Test func aMeetingThatIsOpenedLetsInWhoWaits() async throws {
        try await ApiNode.run { node async throws in
            let (meeting, ada) = try await Self.scene(node)
            let bob = try await Self.knock(node, meeting, "Bob")
            try await Self.say(ada, "allow", nil, ["enter": true])
            let settings = try await ada.socket.next("meeting_update")["meeting"]?["settings"]
            #expect(settings?["waiting_room"] == false)
            _ = try await bob.socket.next("admitted")
            #expect(try await bob.join()["type"] == "joined")
            #expect(try await Self.join(node, meeting, "Cyd").1["type"] == "joined")
            // Those who are in stay, and who comes from now on waits.
            try await Self.say(ada, "allow", nil, ["enter": false])
            let dan = try await Self.knock(node, meeting, "Dan")
            #expect(dan.name == "Dan")
        }
    }

    @Test func theRoleBringsTheListAndWithoutItNobodyIsLetIn() async throws {
        try await ApiNode.run { node async throws in
            let (meeting, ada) = try await Self.scene(node)
            let first = try await Self.knock(node, meeting, "Bob")
            try await Self.say(ada, "admit", first)
            _ = try await first.socket.next("admitted")
            let joined = try await first.join()
            let bob = Visitor(
                id: first.id, token: "", resume: "", joined: joined, socket: first.socket)
            let cyd = try await Self.knock(node, meeting, "Cyd")
            for type in ["admit", "deny"] { #expect(try await Self.code(bob, type, cyd) == "forbidden") }
            try await Self.say(ada, "set_role", first, ["role": "co_host"])
            #expect(try await bob.socket.next("waiting_room") == Self.room(whole: true, arrived: [cyd]))
            try await Self.say(bob, "admit", cyd)
            #expect(try await bob.socket.next("waiting_room") == Self.room(left: [cyd]))
        }
    }

    @Test func whomAServiceKnowsDoesNotWaitAndAHostIsNotWaitedFor() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting([
                "topic": "Standup", "settings": ["waiting_room": true, "join_before_host": false],
            ])
            let bob = try await Self.knock(node, meeting, "Bob")
            let ada = try await node.enter(meeting, "Ada", ["host_key": try #require(meeting["host_key"])])
            #expect(try await ada.socket.next("waiting_room") == Self.room(whole: true, arrived: [bob]))
            let id = try #require(meeting["meeting_id"]?.string)
            let place = try await node.call(
                "POST", "/api/v1/meetings/\(id)/join", token: node.token(), body: ["display_name": "Eve"])
            let socket = try await SignalingClient.connect(port: node.port)
            let joined = try await socket.ask([
                "type": "join", "id": 1, "session_token": try #require(place.json["session_token"]),
            ])
            #expect(joined["type"] == "joined")
            // A place by REST is none before it is let in.
            let other = try await node.join(meeting, "Dan")
            let dan = try await SignalingClient.connect(port: node.port)
            let waits = try await dan.ask([
                "type": "join", "id": 1, "session_token": try #require(other["session_token"]),
            ])
            #expect(waits["type"] == "waiting")
        }
    }

    @Test func oneAddressDoesNotFillTheList() async throws {
        try await ApiNode.run { node async throws in
            let (meeting, _) = try await Self.scene(node)
            var guests: [Guest] = []
            for number in 1...25 { guests.append(try await Self.knock(node, meeting, "Guest \(number)")) }
            let (socket, answer) = try await Self.join(node, meeting, "Mallory")
            #expect(answer["code"] == "too_many_waiting" && answer["status"] == 429)
            #expect(try await guests[0].socket.ask(["type": "leave", "id": 3])["type"] == "ok")
            let again = try await socket.ask([
                "type": "join", "id": 2, "meeting": try #require(meeting["meeting_number"]),
                "display_name": "Mallory",
            ])
            #expect(again["type"] == "waiting")
        }
    }

    @Test func aStreamCannotWait() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting([
                "topic": "Standup", "password": "secret", "settings": ["waiting_room": true],
            ])
            let id = try #require(meeting["meeting_id"]?.string)
            let answer = try await node.call(
                "POST", "/whip/\(id)", token: "secret", text: "v=0", headers: ["Content-Type": "application/sdp"])
            #expect(answer.status == 403 && answer.code == "waiting_room")
            #expect(node.media.calls.allSatisfy { if case .connect = $0 { false } else { true } })
        }
    }

    @Test func whoWaitsHearsThatTheMeetingHasEnded() async throws {
        try await ApiNode.run { node async throws in
            let (meeting, ada) = try await Self.scene(node)
            let bob = try await Self.knock(node, meeting, "Bob")
            try await ada.socket.say(["type": "end", "id": 3])
            #expect(try await bob.socket.next("meeting_ended")["reason"] == "ended")
            #expect(await bob.socket.closeCode() == 1_000)
        }
    }
}
