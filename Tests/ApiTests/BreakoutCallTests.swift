import Conference
import Meetings
import Testing
import Wire

@testable import Api

@Suite(.timeLimit(.minutes(3))) struct BreakoutCalls {
    /// Ada is the host, Bob, Cyd and Dan are guests; nobody has anything to hear any more.
    private static func people(_ node: ApiNode) async throws -> (people: [Visitor], meeting: Value) {
        let meeting = try await node.meeting(["topic": "Workshop"])
        var people = [try await node.enter(meeting, "Ada", ["host_key": try #require(meeting["host_key"])])]
        for name in ["Bob", "Cyd", "Dan"] {
            let newcomer = try await node.enter(meeting, name)
            for person in people { _ = try await person.socket.next("participant_joined") }
            people.append(newcomer)
        }
        return (people, meeting)
    }

    private static func ask(_ person: Visitor, _ type: String, _ fields: [String: Value] = [:]) async throws -> Value {
        try await person.socket.ask(.object(fields.merging(["type": .string(type), "id": 7]) { $1 }))
    }

    private static func code(_ person: Visitor, _ type: String, _ fields: [String: Value] = [:]) async throws -> String?
    {
        try await person.socket.say(.object(fields.merging(["type": .string(type), "id": 7]) { $1 }))
        return try await person.socket.next("error")["code"]?.string
    }

    private static func say(_ person: Visitor, _ type: String, _ fields: [String: Value] = [:]) async throws {
        try await person.socket.say(.object(fields.merging(["type": .string(type)]) { $1 }))
    }

    /// Bob and Cyd in the first room, Dan in the second; all have heard it.
    private static func open(_ people: [Visitor], _ more: [String: Value] = [:]) async throws {
        let rooms: Value = [
            ["name": "One", "participant_ids": [.string(people[1].id), .string(people[2].id)]],
            ["name": "Two", "participant_ids": [.string(people[3].id), "p_nobody", "?"]],
        ]
        try await say(people[0], "breakout_create", more.merging(["rooms": rooms]) { $1 })
        for person in people {
            let state = try await person.socket.next("breakout")
            #expect(state["rooms"] == [["room_id": "r1", "name": "One"], ["room_id": "r2", "name": "Two"]])
            let moved = try await person.socket.next("breakout_moved")
            #expect(
                moved["moves"] == [
                    ["participant_id": .string(people[1].id), "room_id": "r1"],
                    ["participant_id": .string(people[2].id), "room_id": "r1"],
                    ["participant_id": .string(people[3].id), "room_id": "r2"],
                ])
        }
    }

    private static func arranged(_ node: ApiNode) -> [Breakouts] {
        node.media.calls.compactMap { if case .arrange(let breakouts, _, _) = $0 { breakouts } else { nil } }
    }

    @Test func roomsOpenAndCloseAndTheMediaSideFollows() async throws {
        try await ApiNode.run { node async throws in
            let (people, meeting) = try await Self.people(node)
            try await Self.open(people, ["duration_s": 600])
            let bob = try #require(ParticipantID(people[1].id))
            #expect(Self.arranged(node).last?.places[bob]?.rawValue == "r1")
            #expect(Self.arranged(node).last?.places.count == 3)
            #expect(
                try await Self.code(people[0], "breakout_create", ["rooms": [["name": "Three"]]]) == "breakout_open")
            // One who comes later is in the main room and sees where the others are.
            let late = try await node.enter(meeting, "Eve")
            #expect(
                late.joined["breakout"]?["rooms"] == [
                    ["room_id": "r1", "name": "One"], ["room_id": "r2", "name": "Two"],
                ])
            #expect(late.joined["breakout"]?["closes_at"]?.string?.isEmpty == false)
            #expect(late.joined["you"]?["room_id"] == nil)
            let seen = (0..<4).map { late.joined["participants"]?[$0]?["room_id"]?.string }
            #expect(seen == [nil, "r1", "r1", "r2"])
            try await Self.say(people[0], "breakout_close")
            for person in people {
                let state = try await person.socket.next("breakout")
                #expect(state["rooms"] == [] && state["closes_at"] == nil)
                let moves = try #require(try await person.socket.next("breakout_moved")["moves"])
                #expect(moves.count == 3 && (0..<3).allSatisfy { moves[$0]?["room_id"] == .null })
            }
            #expect(Self.arranged(node).last?.places.isEmpty == true)
            #expect(try await Self.code(people[0], "breakout_close") == "breakout_closed")
        }
    }

    @Test func aHostMovesPeopleAndOthersThemselvesWhereTheyMayChoose() async throws {
        try await ApiNode.run { node async throws in
            let (people, _) = try await Self.people(node)
            try await Self.open(people)
            let dan = Value.string(people[3].id)
            #expect(try await Self.code(people[1], "breakout_choose", ["room_id": "r2"]) == "breakout_choose_forbidden")
            let move: Value = [["participant_id": dan, "room_id": "r1"]]
            #expect(try await Self.code(people[1], "breakout_assign", ["moves": move]) == "forbidden")
            #expect(
                try await Self.code(
                    people[0], "breakout_assign", ["moves": [["participant_id": dan, "room_id": "r9"]]])
                    == "breakout_not_found")
            #expect(
                try await Self.code(
                    people[0], "breakout_assign", ["moves": [["participant_id": dan, "room_id": "one"]]])
                    == "breakout_not_found")
            #expect(
                try await Self.code(
                    people[0], "breakout_assign", ["moves": [["participant_id": "p_nobody", "room_id": "r1"]]])
                    == "participant_not_found")
            try await Self.say(people[0], "breakout_assign", ["moves": move])
            for person in people { #expect(try await person.socket.next("breakout_moved")["moves"] == move) }
            // A host wanders.
            try await Self.say(people[0], "breakout_choose", ["room_id": "r2"])
            for person in people {
                let moves = try await person.socket.next("breakout_moved")["moves"]
                #expect(moves == [["participant_id": .string(people[0].id), "room_id": "r2"]])
            }
            try await Self.say(people[0], "breakout_choose", ["room_id": .null])
            for person in people {
                let moves = try await person.socket.next("breakout_moved")["moves"]
                #expect(moves == [["participant_id": .string(people[0].id), "room_id": .null]])
            }
        }
    }

    @Test func speakersReactionsAndARoomsChatStayInTheRoom() async throws {
        try await ApiNode.run { node async throws in
            let (people, meeting) = try await Self.people(node)
            try await Self.open(people)
            let (ada, bob, cyd, dan) = (people[0], people[1], people[2], people[3])
            let home = try #require(meeting["meeting_id"]?.string.flatMap { MeetingID($0) })
            let id = try #require(ParticipantID(bob.id))
            node.media.tell(.activeSpeakers(MeetingRoom(home, BreakoutRoomID("r1")), [id]))
            for person in [bob, cyd] {
                #expect(try await person.socket.next("active_speaker")["participants"] == [.string(bob.id)])
            }
            try await Self.say(bob, "reaction", ["text": "\u{1f44d}"])
            for person in [bob, cyd] { _ = try await person.socket.next("reaction") }
            try await Self.say(bob, "chat", ["text": "Here", "room": true])
            for person in [bob, cyd] {
                #expect(try await person.socket.next("chat")["message"]?["room_id"] == "r1")
            }
            #expect(try await Self.code(ada, "chat", ["text": "Here", "room": true]) == "breakout_closed")
            // What all hear next is the first that the others hear.
            try await Self.say(bob, "chat", ["text": "Everywhere"])
            for person in [ada, dan] {
                let next = try await person.socket.next()
                #expect(next["type"] == "chat" && next["message"]?["text"] == "Everywhere")
            }
            for person in [bob, cyd] {
                #expect(try await person.socket.next("chat")["message"]?["text"] == "Everywhere")
            }
            // Nor is it in their history.
            let path = "/api/v1/meetings/\(home)/chat"
            for (person, count) in [(bob, 2), (cyd, 2), (ada, 1), (dan, 1)] {
                let page = try await node.call("GET", path, token: person.token)
                #expect(page.json["messages"]?.count == count, "\(person.id)")
            }
        }
    }

    @Test func aHostSpeaksToAllRooms() async throws {
        try await ApiNode.run { node async throws in
            let (people, _) = try await Self.people(node)
            #expect(try await Self.code(people[0], "breakout_broadcast", ["text": "Hello"]) == "breakout_closed")
            try await Self.open(people)
            #expect(try await Self.code(people[1], "breakout_broadcast", ["text": "Hello"]) == "forbidden")
            #expect(try await Self.code(people[0], "breakout_broadcast", ["text": " "]) == "invalid_field")
            try await Self.say(people[0], "breakout_broadcast", ["text": " Five minutes ", "voice": true])
            for person in people {
                let notice = try await person.socket.next("breakout_message")
                #expect(notice["text"] == "Five minutes" && notice["display_name"] == "Ada")
                #expect(try await person.socket.next("breakout")["voice"] == .string(people[0].id))
            }
            #expect(Self.arranged(node).last?.voice?.rawValue == people[0].id)
            try await Self.say(people[0], "breakout_broadcast", ["voice": false])
            for person in people { #expect(try await person.socket.next("breakout")["voice"] == nil) }
            // Nor is one heard who has left.
            try await Self.say(people[0], "breakout_broadcast", ["voice": true])
            for person in people { #expect(try await person.socket.next("breakout")["voice"] != nil) }
            try await Self.say(people[0], "leave")
            for person in people.dropFirst() { #expect(try await person.socket.next("breakout")["voice"] == nil) }
            #expect(Self.arranged(node).last?.voice == nil)
        }
    }

    @Test func whoSharesAScreenStopsWhenItGoesElsewhere() async throws {
        try await ApiNode.run { node async throws in
            let (people, _) = try await Self.people(node)
            try await Self.open(people)
            try await Self.say(people[1], "media_state", ["screen": true])
            for person in [people[0], people[2], people[3]] { _ = try await person.socket.next("media_state") }
            let move: Value = [["participant_id": .string(people[1].id), "room_id": "r2"]]
            try await Self.say(people[0], "breakout_assign", ["moves": move])
            for person in people {
                let told = try await person.socket.next("media_state")
                #expect(told["participant_id"] == .string(people[1].id))
                #expect(told["screen"] == false && told["turned_off"] == ["screen"])
            }
        }
    }

    @Test func aViewOfTheFormerRoomIsForgotten() async throws {
        try await ApiNode.run { node async throws in
            let (people, _) = try await Self.people(node)
            let view: [String: Value] = ["layout": "speaker", "visible": [.string(people[1].id)]]
            #expect(try await Self.ask(people[3], "view", view)["type"] == "ok")
            try await Self.open(people)
            #expect(try await Self.ask(people[3], "offer", ["sdp": "v=0"])["type"] == "answer")
            guard
                case .connect(_, _, _, let known)? = node.media.calls.last(where: {
                    if case .connect = $0 { true } else { false }
                })
            else { return #expect(Bool(false), "no offer came") }
            #expect(known == MediaView(layout: .speaker))
        }
    }

    @Test func roomsCloseAtTheirTime() async throws {
        try await ApiNode.run { node async throws in
            let clock = node.clock
            let (people, _) = try await Self.people(node)
            try await Self.open(people)
            #expect(try await Self.code(people[0], "breakout_close", ["after_s": 301]) == "invalid_field")
            try await Self.say(people[0], "breakout_close", ["after_s": 30])
            for person in people { #expect(try await person.socket.next("breakout")["closes_at"]?.string != nil) }
            for _ in 0..<29 { await clock.advance(by: .seconds(1)) }
            await clock.advance(by: .zero)
            #expect(Self.arranged(node).last?.isOpen == true)
            for _ in 0..<2 { await clock.advance(by: .seconds(1)) }
            for person in people { #expect(try await person.socket.next("breakout")["rooms"] == []) }
        }
    }
}
