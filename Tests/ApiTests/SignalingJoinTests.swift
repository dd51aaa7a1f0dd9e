import Conference
import Meetings
import Testing

@testable import Api

/// The socket's own way into a meeting, without a call of REST before it.
@Suite(.timeLimit(.minutes(1))) struct SignalingJoin {
    private func number(_ meeting: Value) -> Value { meeting["meeting_number"] ?? .null }

    @Test func oneMessageIsAllThatAJoinTakes() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let id = try #require(ParticipantID(ada.id))
            node.media.setSlots([SlotAssignment(mid: "3", participant: id, source: .audio)])
            let socket = try await SignalingClient.connect(port: node.port)
            let joined = try await socket.ask([
                "type": "join", "id": 1, "meeting": number(meeting), "display_name": "Bob", "offer": "v=0",
                "media_state": ["audio": true, "video": true],
                "view": [
                    "layout": "speaker", "visible": [.string(ada.id), "p_away"], "heights": .object([ada.id: 360]),
                ],
            ])
            #expect(joined["type"] == "joined")
            #expect(joined["sdp"] == "answer to v=0")
            #expect(joined["slots"] == [["mid": "3", "participant_id": .string(ada.id), "source": "audio"]])
            #expect(joined["participants"]?[0]?["participant_id"]?.string == ada.id)
            #expect(joined["resumed"] == false)
            let bob = try #require(joined["you"]?["participant_id"]?.string.flatMap { ParticipantID($0) })
            let home = try #require(meeting["meeting_id"]?.string.flatMap { MeetingID($0) })
            let away = try #require(ParticipantID("p_away"))
            let view = MediaView(layout: .speaker, visible: [id, away], heights: [id: 360])
            #expect(node.media.calls == [.connect(bob, home, PublishedMedia(audio: true, video: true), view)])
            let told = try await ada.socket.next()
            #expect(told["type"] == "participant_joined")
            #expect(told["participant"]?["video"] == true)
        }
    }

    @Test func whatJoinedBringsOpensAnotherSocketToTheSamePlace() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let socket = try await SignalingClient.connect(port: node.port)
            let joined = try await socket.ask([
                "type": "join", "id": 1, "meeting": number(meeting), "display_name": "Ada",
            ])
            #expect(joined["sdp"] == nil && joined["slots"] == nil)
            try await socket.vanish()
            let again = try await SignalingClient.connect(port: node.port)
            let resumed = try await again.ask([
                "type": "join", "id": 2, "session_token": #require(joined["session_token"]),
                "resume": #require(joined["resume"]), "offer": "v=1",
            ])
            #expect(resumed["resumed"] == true)
            #expect(resumed["sdp"] == "answer to v=1")
            #expect(resumed["you"] == joined["you"])
        }
    }

    @Test func aSocketComesBackToThePoPThatHasItsPlace() async throws {
        var configuration = ApiNode.configuration
        configuration.publicURL = "https://meet.example.org"
        configuration.signalingURL = "https://pop1.example.org/"
        try await ApiNode.run(configuration) { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            #expect(ada.joined["signaling_url"] == "wss://pop1.example.org/api/v1/signal")
        }
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            #expect(ada.joined["signaling_url"] == nil)
        }
    }

    @Test(arguments: [("full", "full"), ("bad", "bad_offer"), ("strange", "unsupported")])
    func aJoinWhoseOfferCannotBeServedLeavesNothing(_ sdp: String, _ code: String) async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let socket = try await SignalingClient.connect(port: node.port)
            let message: Value = [
                "type": "join", "id": 1, "meeting": number(meeting), "display_name": "Bob", "offer": .string(sdp),
            ]
            #expect(try await socket.ask(message)["code"]?.string == code)
            // The socket may try again; Ada hears of nobody but the one who came in.
            let joined = try await socket.ask([
                "type": "join", "id": 2, "meeting": number(meeting), "display_name": "Bob", "offer": "v=0",
            ])
            #expect(joined["type"] == "joined")
            #expect(joined["participants"]?[1] == nil)
            #expect(try await ada.socket.next()["participant"]?["participant_id"] == joined["you"]?["participant_id"])
            #expect(try await ada.socket.ask(["type": "ping", "id": 9])["type"] == "pong")
            let id = try #require(meeting["meeting_id"]?.string)
            let listed = try await node.call("GET", "/api/v1/meetings/\(id)", token: node.token())
            #expect(listed.json["participant_count"] == 2)
        }
    }

    @Test func aJoinIsRefusedAsByRest() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting(["password": "sesame"])
            let socket = try await SignalingClient.connect(port: node.port)
            func code(_ fields: [String: Value]) async throws -> String? {
                try await socket.ask(.object(fields.merging(["type": "join", "id": 1]) { $1 }))["code"]?.string
            }
            let number = number(meeting)
            #expect(try await code(["meeting": number]) == "malformed")
            #expect(try await code(["meeting": "999-999-999", "display_name": "Ada"]) == "meeting_not_found")
            #expect(try await code(["meeting": number, "display_name": "Ada"]) == "password_required")
            #expect(try await code(["meeting": number, "display_name": "Ada", "password": "x"]) == "wrong_password")
            #expect(try await code(["meeting": number, "display_name": " "]) == "invalid_field")
            let many = Value.list(Array(repeating: "p_x", count: 101))
            let right: [String: Value] = ["meeting": number, "display_name": "Ada", "password": "sesame"]
            #expect(try await code(right.merging(["view": ["visible": many]]) { $1 }) == "invalid_field")
            #expect(try await code(right) == nil)
            #expect(try await code(right) == "already_joined")
        }
    }

    @Test func anAddressJoinsAsOftenAsByRest() async throws {
        var configuration = ApiNode.configuration
        configuration.rateLimit = .init(burst: 2, perSecond: 0.001)
        try await ApiNode.run(configuration) { node async throws in
            // The first call makes the meeting.
            let meeting = try await node.meeting()
            let first = try await SignalingClient.connect(port: node.port)
            let message: Value = ["type": "join", "id": 1, "meeting": number(meeting), "display_name": "Ada"]
            #expect(try await first.ask(message)["type"] == "joined")
            let second = try await SignalingClient.connect(port: node.port)
            #expect(try await second.ask(message)["code"] == "too_many_requests")
        }
    }

    @Test func aNewcomerInASlotIsIntroducedBeforeItsJoinIsAnswered() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let bob = try await node.join(meeting, "Bob")
            let (me, other) = (try #require(ParticipantID(ada.id)), try #require(bob["participant_id"]?.string))
            let socket = try await SignalingClient.connect(port: node.port)
            node.media.setBeforeAnswer { media async throws in
                media.tell(.slots(me, [SlotAssignment(mid: "4", participant: ParticipantID(other), source: .video)]))
                // The answer is held back until Ada has heard of it.
                #expect(try await ada.socket.next()["participant"]?["participant_id"]?.string == other)
                #expect(try await ada.socket.next()["slots"]?[0]?["participant_id"]?.string == other)
            }
            let joined = try await socket.ask([
                "type": "join", "id": 1, "session_token": #require(bob["session_token"]), "offer": "v=0",
            ])
            #expect(joined["resumed"] == false)
            #expect(try await ada.socket.ask(["type": "ping", "id": 9])["type"] == "pong")
        }
    }

    @Test func aPictureThatChangedOrPausedIsToldToWhoSeesIt() async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            let id = try #require(ParticipantID(ada.id))
            node.media.tell(
                .slotSwitched(id, SlotPicture(mid: "4", participant: id, source: .video, layer: 2, timestamp: 90_000)))
            #expect(
                try await ada.socket.next() == [
                    "type": "slot_switched", "mid": "4", "participant_id": .string(ada.id), "source": "video",
                    "layer": 2, "rtp_timestamp": 90_000,
                ])
            node.media.tell(.slotPaused(id, mid: "4"))
            #expect(try await ada.socket.next() == ["type": "slot_paused", "mid": "4"])
        }
    }

    @Test func aPublisherIsToldWhatAnybodyWantsOfIt() async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            let id = try #require(ParticipantID(ada.id))
            let all: [(WantedLayers, Value)] = [
                (
                    WantedLayers(mid: "1", rids: ["q", "h"]),
                    ["type": "layers_wanted", "mid": "1", "rids": ["q", "h"]]
                ),
                (WantedLayers(mid: "1", rids: []), ["type": "layers_wanted", "mid": "1", "rids": []]),
                (WantedLayers(mid: "2", isWanted: true), ["type": "layers_wanted", "mid": "2", "wanted": true]),
                (WantedLayers(mid: "2", isWanted: false), ["type": "layers_wanted", "mid": "2", "wanted": false]),
            ]
            for (wanted, message) in all {
                node.media.tell(.layersWanted(id, wanted))
                #expect(try await ada.socket.next() == message)
            }
            #expect(!node.media.calls.contains(.repeatWanted(id)), "it missed nothing")
        }
    }

    @Test func whoWasNotListeningYetIsToldAgainWhatIsWantedOfIt() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let bob = try await node.join(meeting, "Bob")
            let (me, id) = (try #require(ParticipantID(ada.id)), try #require(bob["participant_id"]?.string))
            let other = try #require(ParticipantID(id))
            let socket = try await SignalingClient.connect(port: node.port)
            node.media.setBeforeAnswer { media async throws in
                media.tell(.layersWanted(other, WantedLayers(mid: "1", rids: [])))
                media.tell(
                    .slotSwitched(me, SlotPicture(mid: "4", participant: me, source: .video, layer: 0, timestamp: 1)))
                // The answer is held back until the hub has heard both.
                #expect(try await ada.socket.next()["type"] == "slot_switched")
            }
            _ = try await socket.ask([
                "type": "join", "id": 1, "session_token": #require(bob["session_token"]), "offer": "v=0",
            ])
            #expect(try await socket.ask(["type": "ping", "id": 2])["type"] == "pong")
            #expect(node.media.calls.contains(.repeatWanted(other)))
        }
    }
}
