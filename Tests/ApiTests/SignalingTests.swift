import Conference
import Meetings
import Testing

@testable import Api

@Suite(.timeLimit(.minutes(1))) struct SignalingBetweenTwo {
    @Test func theyHearOfEachOther() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            #expect(ada.joined["participants"] == [])
            #expect(
                ada.joined["you"] == ["participant_id": .string(ada.id), "display_name": "Ada", "role": "participant"])
            #expect(ada.joined["meeting"]?["topic"] == "Standup")
            #expect(ada.joined["meeting"]?["meeting_number"] == meeting["meeting_number"])
            #expect(ada.joined["meeting"]?["locked"] == false)
            #expect(ada.joined["ice_servers"] == [])
            #expect(ada.joined["resumed"] == false)

            let bob = try await node.enter(meeting, "Bob")
            let person: Value = [
                "participant_id": .string(bob.id), "display_name": "Bob", "role": "participant", "audio": false,
                "video": false, "screen": false, "hand_raised": false,
            ]
            #expect(try await ada.socket.next() == ["type": "participant_joined", "participant": person])
            #expect(bob.joined["participants"]?[0]?["participant_id"]?.string == ada.id)

            #expect(try await bob.socket.ask(["type": "leave", "id": "bye"]) == ["type": "ok", "id": "bye"])
            #expect(await bob.socket.closeCode() == 1_000)
            #expect(
                try await ada.socket.next() == [
                    "type": "participant_left", "participant_id": .string(bob.id), "reason": "left",
                ])
            let id = try #require(ParticipantID(bob.id))
            #expect(try await ada.socket.ask(["type": "ping", "id": 9]) == ["type": "pong", "id": 9])
            #expect(node.media.calls.contains(.disconnect(id)))
        }
    }

    @Test func mediaStateIsToldToTheOtherAndToTheMediaSide() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let bob = try await node.enter(meeting, "Bob")
            _ = try await ada.socket.next()
            #expect(
                try await bob.socket.ask(["type": "media_state", "id": 2, "audio": true, "hand_raised": true])["type"]
                    == "ok")
            #expect(
                try await ada.socket.next() == [
                    "type": "media_state", "participant_id": .string(bob.id), "audio": true, "video": false,
                    "screen": false, "hand_raised": true, "muted_by_host": false,
                ])
            let id = try #require(ParticipantID(bob.id))
            #expect(node.media.calls.contains(.state(id, PublishedMedia(audio: true))))

            try await bob.socket.say(["type": "media_state", "screen": true])
            #expect(try await ada.socket.next()["screen"] == true)
            let refused = try await ada.socket.ask(["type": "media_state", "id": 3, "screen": true])
            #expect(refused["code"] == "screen_share_taken")

            let cyd = try await node.enter(meeting, "Cyd")
            #expect(cyd.joined["participants"]?[1]?["audio"] == true)
        }
    }

    @Test func anOfferIsAnsweredAndTheSlotsFollow() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let id = try #require(ParticipantID(ada.id))
            node.media.setSlots([
                SlotAssignment(mid: "3", participant: id, source: .audio),
                SlotAssignment(mid: "4", participant: nil, source: .video),
            ])
            let answer = try await ada.socket.ask(["type": "offer", "id": 5, "sdp": "v=0"])
            #expect(answer == ["type": "answer", "id": 5, "sdp": "answer to v=0"])
            #expect(
                try await ada.socket.next() == [
                    "type": "slots",
                    "slots": [
                        ["mid": "3", "participant_id": .string(ada.id), "source": "audio"],
                        ["mid": "4", "participant_id": nil, "source": "video"],
                    ],
                ])
            node.media.tell(.slots(id, [SlotAssignment(mid: "4", participant: id, source: .video)]))
            #expect(try await ada.socket.next()["slots"]?[0]?["participant_id"]?.string == ada.id)
        }
    }

    @Test(arguments: [("full", "full", 503), ("bad", "bad_offer", 400), ("strange", "unsupported", 422)])
    func anOfferThatCannotBeServedIsRefused(_ sdp: String, _ code: String, _ status: Int) async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            let refused = try await ada.socket.ask(["type": "offer", "id": 5, "sdp": .string(sdp)])
            #expect(refused["type"] == "error")
            #expect(refused["code"]?.string == code)
            #expect(refused["status"] == .number(Double(status)))
            #expect(try await ada.socket.ask(["type": "offer", "id": 6, "sdp": "v=0"])["type"] == "answer")
        }
    }

    @Test func iceRestartsOnTheSameSession() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let bob = try await node.enter(meeting, "Bob")
            _ = try await ada.socket.next()
            let early = try await ada.socket.ask(["type": "ice_restart", "id": 1, "sdp": "again"])
            #expect(early["code"] == "no_session" && early["status"] == 409)
            _ = try await ada.socket.ask(["type": "offer", "id": 2, "sdp": "v=0"])
            _ = try await ada.socket.next()
            #expect(
                try await ada.socket.ask(["type": "ice_restart", "id": 3, "sdp": "again"])
                    == ["type": "answer", "id": 3, "sdp": "restart of again"])
            for (sdp, code): (Value, Value) in [
                ("bad", "bad_offer"), ("another", "no_session"), (7, "malformed"), (nil, "malformed"),
            ] {
                let refused = try await ada.socket.ask(["type": "ice_restart", "id": 4, "sdp": sdp])
                #expect(refused["code"] == code)
            }
            let id = try #require(ParticipantID(ada.id))
            #expect(node.media.calls.count { $0 == .restart(id, "again") } == 1)
            // Nobody else hears of it.
            #expect(try await bob.socket.ask(["type": "ping", "id": 5]) == ["type": "pong", "id": 5])
        }
    }

    @Test func theViewReachesTheMediaSideWithThoseWhoMayCome() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let bob = try await node.enter(meeting, "Bob")
            let view: Value = [
                "type": "view", "id": 1, "layout": "speaker",
                "visible": [.string(bob.id), "p_away", .string(bob.id), "not an id"],
                "pinned": .string(bob.id), "heights": .object([bob.id: 360, "p_away": 90, "not an id": 90]),
            ]
            #expect(try await ada.socket.ask(view)["type"] == "ok")
            let (me, other) = (try #require(ParticipantID(ada.id)), try #require(ParticipantID(bob.id)))
            let away = try #require(ParticipantID("p_away"))
            let expected = MediaView(
                layout: .speaker, visible: [other, away], pinned: other, heights: [other: 360, away: 90])
            #expect(node.media.calls.last == .view(me, expected))
            for bad: Value in [
                ["type": "view", "id": 2, "layout": "wall"], ["type": "view", "id": 2, "visible": 7],
                ["type": "view", "id": 2, "heights": .object([bob.id: -1])],
                ["type": "view", "id": 2, "visible": .list(Array(repeating: "p_x", count: 101))],
            ] { #expect(try await ada.socket.ask(bad)["type"] == "error") }
        }
    }

    @Test func speakersAndQualityAreTold() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let id = try #require(ParticipantID(ada.id))
            let home = try #require(meeting["meeting_id"]?.string.flatMap { MeetingID($0) })
            node.media.tell(.activeSpeakers(MeetingRoom(home), [id]))
            #expect(try await ada.socket.next() == ["type": "active_speaker", "participants": [.string(ada.id)]])
            node.media.tell(.quality(id, MediaQuality(level: .poor, layer: "q", estimate: 150_000)))
            #expect(
                try await ada.socket.next() == [
                    "type": "quality", "participant_id": .string(ada.id), "level": "poor", "layer": "q",
                    "estimate_bits_per_second": 150_000,
                ])
        }
    }

    @Test func theServerSaysGoodByeWhenItStops() async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            await node.stop()
            #expect(try await ada.socket.next() == ["type": "meeting_ended", "reason": "shutdown"])
            #expect(await ada.socket.closeCode() == 1_001)
        }
    }

    @Test func theServerPingsAndDropsTheSilent() async throws {
        var configuration = ApiNode.configuration
        configuration.keepalive = .milliseconds(200)
        try await ApiNode.run(configuration) { node async throws in
            let socket = try await SignalingClient.connect(port: node.port)
            // This client answers no ping.
            #expect(await socket.event() == .ping)
            #expect(await socket.closeCode() == nil)
        }
    }
}
