import Testing

@testable import Api

/// Who waits takes nothing from those who are in.
extension WaitingRoomCalls {
    /// Lets somebody in who knocks.
    private static func letIn(
        _ node: ApiNode, _ meeting: Value, _ name: String, by host: Visitor
    ) async throws -> Guest {
        let guest = try await knock(node, meeting, name)
        try await say(host, "admit", guest)
        _ = try await guest.socket.next("admitted")
        #expect(try await guest.join()["type"] == "joined")
        return guest
    }

    private static func isHere(_ guest: Guest) async throws -> Bool {
        try await guest.socket.ask(["type": "view", "id": 50, "visible": []])["type"] == "ok"
    }

    @Test func whoKnocksTakesNobodysPlace() async throws {
        try await ApiNode.run { node async throws in
            let (meeting, ada) = try await Self.scene(node, ["max_participants": 2])
            let bob = try await Self.letIn(node, meeting, "Bob", by: ada)
            // Without media somebody gives way to a newcomer who has a place.
            await node.clock.advance(by: .seconds(31))
            let cyd = try await Self.knock(node, meeting, "Cyd")
            #expect(try await Self.isHere(bob))
            #expect(try await Self.code(ada, "admit", cyd) == "meeting_full")
            // The room is opened: Cyd waits on, also with another socket, until there is a place.
            try await Self.say(ada, "allow", nil, ["enter": true])
            _ = try await ada.socket.next("meeting_update")
            var back = cyd
            back.socket = try await SignalingClient.connect(port: node.port)
            #expect(try await back.join()["type"] == "waiting")
            #expect(try await bob.socket.ask(["type": "leave", "id": 3])["type"] == "ok")
            _ = try await back.socket.next("admitted")
            #expect(try await back.join()["type"] == "joined")
        }
    }

    @Test func whoCameInStaysInWhenTheDoorIsShut() async throws {
        try await ApiNode.run { node async throws in
            let (meeting, ada) = try await Self.scene(node)
            let place = try await node.join(meeting, "Bob")
            try await Self.say(ada, "allow", nil, ["enter": true])
            _ = try await ada.socket.next("meeting_update")
            let token = try #require(place["session_token"])
            let first = try await SignalingClient.connect(port: node.port)
            let joined = try await first.ask(["type": "join", "id": 1, "session_token": token])
            #expect(joined["type"] == "joined")
            try await Self.say(ada, "allow", nil, ["enter": false])
            _ = try await ada.socket.next("meeting_update")
            try await first.vanish()
            _ = try await ada.socket.next("participant_update")
            let second = try await SignalingClient.connect(port: node.port)
            let back = try await second.ask([
                "type": "join", "id": 1, "session_token": token, "resume": try #require(joined["resume"]),
            ])
            #expect(back["type"] == "joined" && back["resumed"] == true)
        }
    }

    @Test func socketsThatComeAndGoCountAsThoseWhoWait() async throws {
        try await ApiNode.run { node async throws in
            let (meeting, ada) = try await Self.scene(node, ["max_participants": 2])
            for number in 1...25 {
                let guest = try await Self.knock(node, meeting, "Guest \(number)")
                try await guest.socket.vanish()
                while try await ada.socket.next("waiting_room")["left"]?.count != 1 {}
            }
            #expect(try await Self.join(node, meeting, "Mallory").1["code"] == "too_many_waiting")
            await node.clock.advance(by: .seconds(16))
            await node.clock.advance(by: .zero)
            _ = try await Self.letIn(node, meeting, "Bob", by: ada)
        }
    }

    @Test func oneWhoKnocksAgainIsToldToNobody() async throws {
        try await ApiNode.run { node async throws in
            let (meeting, ada) = try await Self.scene(node)
            let bob = try await Self.knock(node, meeting, "Bob")
            for _ in 0..<3 { #expect(try await bob.join()["type"] == "waiting") }
            let cyd = try await Self.knock(node, meeting, "Cyd")
            #expect(try await ada.socket.next("waiting_room") == Self.room(arrived: [bob]))
            #expect(try await ada.socket.next("waiting_room") == Self.room(arrived: [cyd]))
            // A host who comes back hears who waits by now.
            try await ada.socket.vanish()
            let again = try await SignalingClient.connect(port: node.port)
            let back = try await again.ask([
                "type": "join", "id": 1, "session_token": .string(ada.token), "resume": .string(ada.resume),
            ])
            #expect(back["resumed"] == true)
            #expect(try await again.next("waiting_room") == Self.room(whole: true, arrived: [bob, cyd]))
        }
    }

    @Test func aLockedMeetingAndOneWithoutItsHostAreNotOpened() async throws {
        try await ApiNode.run { node async throws in
            let (meeting, ada) = try await Self.scene(node)
            let bob = try await Self.knock(node, meeting, "Bob")
            for (type, more) in [("lock", [:]), ("allow", ["enter": true])] as [(String, [String: Value])] {
                try await Self.say(ada, type, nil, more)
                _ = try await ada.socket.next("meeting_update")
            }
            #expect(try await bob.join()["type"] == "waiting")
            try await Self.say(ada, "unlock")
            _ = try await bob.socket.next("admitted")
            // For whom the owner's service answers does not wait, and so not for the host either.
            let hosted = try await node.meeting([
                "topic": "Hosted", "settings": ["waiting_room": true, "join_before_host": false],
            ])
            let id = try #require(hosted["meeting_id"]?.string)
            let eve: Value = ["display_name": "Eve"]
            let own = try await node.call("POST", "/api/v1/meetings/\(id)/join", token: node.token(), body: eve)
            #expect(own.code == "host_not_here")
            let other = try await node.call(
                "POST", "/api/v1/meetings/\(id)/join", token: node.token(user: "user-2"), body: eve)
            #expect(other.status == 200, "waits as anybody does")
        }
    }
}
