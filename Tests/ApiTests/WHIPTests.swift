import Agents
import Conference
import Meetings
import Testing

@testable import Api

/// Publishers without a socket.
@Suite(.timeLimit(.minutes(1))) struct WHIPTests {
    @Test func aPublisherIsAParticipantLikeOthers() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let client = try await WHIPClient(node, .whip, meeting)
            let answer = try await client.open("?name=Camera%201")
            #expect(answer.status == 201)
            #expect(answer.headers["content-type"] == "application/sdp")
            #expect(answer.headers["accept-patch"] == "application/trickle-ice-sdpfrag")
            #expect(answer.headers["etag"]?.wholeMatch(of: /"[a-z0-9]{20}"/) != nil)
            #expect(answer.headers["cache-control"] == "no-store")
            #expect(answer.headers["access-control-allow-origin"] == "*")
            for name in ["Location", "Link", "ETag"] {
                #expect(answer.headers["access-control-expose-headers"]?.contains(name) == true)
            }
            #expect(answer.body.hasPrefix("answer to v=0\r\n"))
            #expect(answer.body.contains("\r\na=sendonly\r\n"), "it is sent nothing")
            let session = try #require(answer.headers["location"])
            let id = try #require(session.split(separator: "/").last.flatMap { ParticipantID(String($0)) })
            #expect(session == "\(client.endpoint)/\(id)")
            let heard = try await ada.socket.next()
            #expect(heard["type"] == "participant_joined")
            #expect(
                heard["participant"] == [
                    "participant_id": .string(id.rawValue), "display_name": "Camera 1", "role": "host", "audio": true,
                    "video": true, "screen": false, "hand_raised": false,
                ])
            let ben = try await node.enter(meeting, "Ben")
            #expect(ben.joined["participants"]?.count == 2)
            _ = try await ada.socket.next()

            let ended = try await node.call("DELETE", session, token: client.token)
            #expect(ended.status == 200)
            #expect(
                try await ada.socket.next()
                    == ["type": "participant_left", "participant_id": .string(id.rawValue), "reason": "left"])
            #expect(node.media.calls.last == .disconnect(id))
            let again = try await node.call("DELETE", session, token: client.token)
            #expect(again.status == 404)
            #expect(again.code == "participant_not_found")
        }
    }

    @Test func whatAHostMutedStaysMutedAfterAnotherOffer() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let host = try await node.enter(meeting, "Ada", ["host_key": try #require(meeting["host_key"])])
            let guest = try await node.join(meeting, "Camera")
            var client = try await WHIPClient(node, .whip, meeting)
            client.token = try #require(guest["session_token"]?.string)
            let id = try #require(guest["participant_id"]?.string)
            _ = try await client.session()
            #expect(try await host.socket.next("participant_joined")["participant"]?["audio"] == true)
            _ = try await host.socket.ask(["type": "mute_participant", "id": 2, "participant_id": .string(id)])
            _ = try await client.session()
            let participant = try #require(ParticipantID(id))
            let silenced = PublishedMedia(video: true, isSilenced: true)
            #expect(node.media.calls.contains(.state(participant, silenced)))
            let last = node.media.calls.last { if case .connect(participant, _, _, _) = $0 { true } else { false } }
            guard case .connect(_, _, let sends, _) = last else { return #expect(Bool(false), "no offer came") }
            #expect(!sends.audio && sends.isSilenced)
        }
    }

    @Test func whereUnmutingIsForbiddenItPublishesWithoutSound() async throws {
        for settings: Value in [["allow_unmute": false], ["mute_on_entry": true]] {
            try await ApiNode.run { node async throws in
                let meeting = try await node.meeting(["topic": "Standup", "settings": settings])
                let ada = try await node.enter(meeting, "Ada")
                let guest = try await node.join(meeting, "Camera")
                var client = try await WHIPClient(node, .whip, meeting)
                client.token = try #require(guest["session_token"]?.string)
                let sound = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=sendrecv\r\n"
                #expect(try await client.open(offer: WHIPClient.offer + sound).status == 201)
                let seen = try await ada.socket.next("participant_joined")["participant"]
                #expect(seen?["audio"] == false && seen?["video"] == true)
            }
        }
    }

    @Test func itIsHereForAsLongAsItsMediaIs() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let client = try await WHIPClient(node, .whip, meeting)
            let session = try await client.session()
            let joined = try await ada.socket.next()
            #expect(joined["participant"]?["display_name"] == "Stream")
            // Joins without a socket are given up after 15 s.
            await node.clock.advance(by: .seconds(10_000))
            await node.clock.advance(by: .seconds(1))
            let id = try #require(joined["participant"]?["participant_id"]?.string.flatMap { ParticipantID($0) })
            #expect(try await client.patch(session, tag: nil).status == 428)
            node.media.tell(.failed(id, reason: .closedByPeer))
            #expect(
                try await ada.socket.next()
                    == ["type": "participant_left", "participant_id": .string(id.rawValue), "reason": "lost"])
            #expect(try await client.patch(session, tag: "*").status == 404)
        }
    }

    @Test func aParticipantWithASocketIsNotEndedWithItsMedia() async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            node.media.tell(.failed(try #require(ParticipantID(ada.id)), reason: .consent))
            #expect(try await ada.socket.next()["code"] == "media_failed")
            #expect(try await ada.socket.ask(["type": "ping", "id": 1])["type"] == "pong")
        }
    }

    // MARK: who may

    @Test func theOwnersTokenOpensALockedMeetingAndAnotherUsersDoesNot() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting(["password": "sesame"])
            var client = try await WHIPClient(node, .whip, meeting)
            _ = try await client.session()
            client.token = try await node.token([], user: "user-2")
            #expect(try await client.open().code == "password_required")
            client.token = try await node.token([Grants.admin], user: "user-2")
            _ = try await client.session()
        }
    }

    @Test func theHostKeyAndThePasswordAreTokensToo() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting(["password": "sesame"])
            let ada = try await node.enter(meeting, "Ada", ["password": "sesame"])
            var client = try await WHIPClient(node, .whip, meeting)
            client.token = "sesame"
            _ = try await client.session()
            #expect(try await ada.socket.next()["participant"]?["role"] == "participant")
            client.token = try #require(meeting["host_key"]?.string)
            _ = try await client.session()
            #expect(try await ada.socket.next()["participant"]?["role"] == "host")
        }
    }

    @Test func aTokenThatOpensNothingIsRefused() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting(["password": "sesame"])
            var client = try await WHIPClient(node, .whip, meeting)
            for (token, code) in [
                (nil, "token_missing"), ("guess", "token_invalid"),
                (try await node.token(expires: .seconds(-60)), "token_expired"),
            ] {
                client.token = token
                let answer = try await client.open()
                #expect(answer.status == 401)
                #expect(answer.code == code)
                #expect(answer.headers["www-authenticate"] == "Bearer")
                #expect(answer.headers["access-control-allow-origin"] == "*")
            }
            client.token = try await node.join(node.meeting(), "Ada")["session_token"]?.string
            #expect(try await client.open().code == "forbidden")
        }
    }

    @Test func aSessionTokenPublishesAsWhoJoined() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            var client = try await WHIPClient(node, .whip, meeting)
            let place = try await node.join(meeting, "Studio")
            client.token = place["session_token"]?.string
            let first = try await client.open("?name=Nobody")
            #expect(first.status == 201)
            #expect(first.headers["location"]?.hasSuffix("/\(try #require(place["participant_id"]?.string))") == true)
            #expect(try await ada.socket.next()["participant"]?["display_name"] == "Studio")
            // A client that lost its connection asks again, with the token that it has, as the same participant.
            await node.clock.advance(by: .seconds(600))
            let second = try await client.open()
            #expect(second.status == 201)
            #expect(second.headers["location"] == first.headers["location"])
            #expect(second.headers["etag"] != first.headers["etag"])
            let session = try #require(second.headers["location"])
            #expect(try await client.patch(session, tag: first.headers["etag"]).status == 412)
            #expect(try await client.patch(session, tag: second.headers["etag"]).status == 204)
            #expect(try await ada.socket.ask(["type": "ping", "id": 1])["type"] == "pong")
        }
    }

    @Test func aParticipantHasASocketOrASession() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            var client = try await WHIPClient(node, .whip, meeting)
            client.token = ada.token
            let refused = try await client.open()
            #expect(refused.status == 409)
            #expect(refused.code == "already_joined")
            client.token = try await node.join(meeting, "Studio")["session_token"]?.string
            _ = try await client.session()
            let socket = try await SignalingClient.connect(port: node.port)
            let answer = try await socket.ask([
                "type": "join", "id": 1, "session_token": .string(try #require(client.token)),
            ])
            #expect(answer["code"] == "already_joined")
            try await socket.vanish()
        }
    }

    @Test func aSessionTokenThatWaitedTooLongIsRefused() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            var client = try await WHIPClient(node, .whip, meeting)
            client.token = try await node.join(meeting, "Studio")["session_token"]?.string
            await node.clock.advance(by: .seconds(15))
            await node.clock.advance(by: .zero)
            let answer = try await client.open()
            #expect(answer.status == 401)
            #expect(answer.code == "token_expired")
        }
    }

    // MARK: what comes and goes meanwhile

    @Test func aScreenIsPublishedWhereTheMeetingAllowsIt() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting(["settings": ["allow_screen_share": false]])
            let ada = try await node.enter(meeting, "Ada")
            var client = try await WHIPClient(node, .whip, meeting)
            node.media.setPublishes(PublishedMedia(screen: true))
            _ = try await client.session()
            #expect(try await ada.socket.next()["participant"]?["screen"] == true)
            guard case .state(_, PublishedMedia(screen: true)) = node.media.calls.last else {
                Issue.record("\(String(describing: node.media.calls.last))")
                return
            }
            client.token = try await node.join(meeting, "Ben")["session_token"]?.string
            let refused = try await client.open()
            #expect(refused.status == 403)
            #expect(refused.code == "screen_share_forbidden")
            #expect(node.media.connectedCount == 1)
        }
    }

    @Test func anOfferOfWhichNothingIsTakenLeavesNobodyBehind() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting(["settings": ["max_participants": 2]])
            let client = try await WHIPClient(node, .whip, meeting)
            node.media.setPublishes(PublishedMedia())
            for _ in 0..<3 { #expect(try await client.open().status == 422) }
            for (offer, status, code) in [
                ("bad", 400, "bad_offer"), ("strange", 422, "unsupported"), ("full", 503, "full"),
            ] {
                let answer = try await client.open(offer: offer)
                #expect(answer.status == status)
                #expect(answer.code == code)
            }
            #expect(node.media.connectedCount == 0)
            node.media.setPublishes(PublishedMedia(audio: true))
            _ = try await client.session()
        }
    }

    @Test func whoHearsOfItBeforeItsAnswerIsMadeHearsWhatItSends() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let viewer = try #require(ParticipantID(ada.id))
            let client = try await WHIPClient(node, .whip, meeting)
            node.media.setPublishes(PublishedMedia(video: true))
            let place = try await node.join(meeting, "Studio")
            let id = try #require(place["participant_id"]?.string.flatMap { ParticipantID($0) })
            node.media.setBeforeAnswer { media in
                media.tell(.slots(viewer, [SlotAssignment(mid: "5", participant: id, source: .video)]))
                let heard = try await ada.socket.next()
                #expect(heard["type"] == "participant_joined")
                #expect(heard["participant"]?["video"] == true)
                #expect(heard["participant"]?["audio"] == false)
            }
            var studio = client
            studio.token = place["session_token"]?.string
            #expect(try await studio.open().status == 201)
            #expect(try await ada.socket.next()["type"] == "slots")
        }
    }

    @Test func whoLeavesWhileTheAnswerIsMadeHasNoSessionLeft() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let client = try await WHIPClient(node, .whip, meeting)
            let token = try await node.token()
            let id = client.meeting
            node.media.setBeforeAnswer { _ in
                let ended = try await node.call("DELETE", "/api/v1/meetings/\(id)", token: token)
                #expect(ended.status == 204)
            }
            #expect(try await client.open().status == 404)
            #expect(node.media.connectedCount == 0)
        }
    }

    @Test func aDrainRefusesNewcomersAndEndsThoseInsideAtItsDeadline() async throws {
        try await ApiNode.run { node async throws in
            let client = try await WHIPClient(node, .whip, node.meeting())
            let session = try await client.session()
            node.drain.begin(for: .seconds(3), at: node.clock.now)
            let refused = try await client.open()
            #expect(refused.status == 503)
            #expect(refused.headers["retry-after"] == "5")
            #expect(try await client.patch(session, tag: nil).status == 428, "those inside go on")
            await node.clock.advance(by: .seconds(3))
            await node.clock.advance(by: .seconds(1))
            #expect(node.drain.state.phase == .drained)
            #expect(node.media.connectedCount == 0)
            #expect(try await client.patch(session, tag: nil).status == 404)
        }
    }

    @Test func theRelayIsToldAsLinks() async throws {
        var configuration = ApiNode.configuration
        var turn = TURNConfiguration(secrets: TURNSecrets(["a shared secret of the tests"]))
        turn.urls = ["turn:192.0.2.2:3478?transport=udp", "turns:turn.test:443?transport=tcp"]
        configuration.turn = turn
        try await ApiNode.run(configuration) { node async throws in
            let client = try await WHIPClient(node, .whip, node.meeting())
            let answer = try await client.open()
            let id = try #require(answer.headers["location"]?.split(separator: "/").last)
            let links = try #require(answer.headers["link"]).split(separator: ", ")
            #expect(links.count == 2)
            let form =
                /<turn:192\.0\.2\.2:3478\?transport=udp>; rel="ice-server"; username="\d+:(p_\w+)"; credential="[^"]+"; credential-type="password"/
            #expect(try links.first?.wholeMatch(of: form)?.output.1 == id)
            #expect(links.last?.hasPrefix("<turns:turn.test:443?transport=tcp>; rel=\"ice-server\"") == true)
        }
    }

    @Test func streamsAreCounted() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            _ = try await WHIPClient(node, .whip, meeting).session()
            for _ in 0..<2 { _ = try await WHIPClient(node, .whep, meeting).session() }
            let page = try await node.call("GET", "/metrics", ops: true).body
            #expect(page.contains("needletail_streams{protocol=\"whip\"} 1\n"))
            #expect(page.contains("needletail_streams{protocol=\"whep\"} 2\n"))
            #expect(page.contains("needletail_participants 3\n"))
        }
    }
}
