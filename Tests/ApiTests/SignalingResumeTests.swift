import Conference
import Meetings
import Testing

@testable import Api

@Suite(.timeLimit(.minutes(1))) struct SignalingAgain {
    /// Ada and Bob; Bob's socket is lost, and Ada knows.
    private func lose(_ node: ApiNode) async throws -> (ada: Visitor, bob: Visitor) {
        let meeting = try await node.meeting()
        let ada = try await node.enter(meeting, "Ada")
        let bob = try await node.enter(meeting, "Bob")
        _ = try await ada.socket.next()
        _ = try await bob.socket.ask(["type": "offer", "id": 2, "sdp": "v=0"])
        try await bob.socket.vanish()
        #expect(
            try await ada.socket.next() == [
                "type": "participant_update", "participant_id": .string(bob.id), "connection": "interrupted",
            ])
        return (ada, bob)
    }

    private func rejoin(_ node: ApiNode, _ visitor: Visitor, resume: String?) async throws -> (SignalingClient, Value) {
        let socket = try await SignalingClient.connect(port: node.port)
        var message: [String: Value] = ["type": "join", "id": 1, "session_token": .string(visitor.token)]
        if let resume { message["resume"] = .string(resume) }
        return (socket, try await socket.ask(.object(message)))
    }

    @Test func aDroppedSocketComesBackToTheSamePlace() async throws {
        try await ApiNode.run { node async throws in
            let (ada, bob) = try await lose(node)
            let id = try #require(ParticipantID(ada.id))
            node.media.setSlots([SlotAssignment(mid: "7", participant: id, source: .video)])
            _ = try await ada.socket.ask(["type": "media_state", "id": 2, "video": true])
            await node.clock.advance(by: .seconds(14))
            let (socket, joined) = try await rejoin(node, bob, resume: bob.resume)
            #expect(joined["resumed"] == true)
            #expect(joined["you"]?["participant_id"]?.string == bob.id)
            #expect(joined["participants"]?[0]?["video"] == true)
            #expect(try await socket.next()["slots"]?[0]?["mid"] == "7")
            #expect(try await ada.socket.next()["connection"] == "connected")
            let bobID = try #require(ParticipantID(bob.id))
            #expect(node.media.calls.filter { $0 == .repeatWanted(bobID) }.count == 1, "it may have missed some")
            #expect(!node.media.calls.contains(.disconnect(bobID)))
            // The grace of the lost socket does not strike later.
            await node.clock.advance(by: .seconds(60))
            #expect(try await socket.ask(["type": "ping", "id": 3])["type"] == "pong")
        }
    }

    @Test func whatAHostDidMeanwhileIsNotUndone() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let host = try await node.enter(meeting, "Ada", ["host_key": try #require(meeting["host_key"])])
            let bob = try await node.enter(meeting, "Bob")
            _ = try await bob.socket.ask(["type": "media_state", "id": 2, "audio": true, "video": true])
            try await bob.socket.vanish()
            while try await host.socket.next("participant_update")["connection"] != "interrupted" {}
            let target: Value = .string(bob.id)
            for source: Value in ["audio", "video"] {
                _ = try await host.socket.ask([
                    "type": "mute_participant", "id": 3, "participant_id": target, "source": source,
                ])
            }
            _ = try await host.socket.ask(["type": "ask_unmute", "id": 4, "participant_id": target])
            let socket = try await SignalingClient.connect(port: node.port)
            let joined = try await socket.ask([
                "type": "join", "id": 1, "session_token": .string(bob.token), "resume": .string(bob.resume),
                "media_state": ["audio": true, "video": true],
            ])
            #expect(joined["resumed"] == true)
            let told = try await socket.next("media_state")
            #expect(told["turned_off"] == ["audio", "video"] && told["muted_by_host"] == true)
            #expect(try await socket.next("unmute_asked")["participant_id"]?.string == host.id)
            let last = node.media.calls.last { if case .state = $0 { true } else { false } }
            #expect(last == .state(try #require(ParticipantID(bob.id)), PublishedMedia(isSilenced: true)))
            // Its own decision counts again.
            _ = try await socket.ask(["type": "media_state", "id": 5, "audio": true, "video": true])
            #expect(try await host.socket.ask(["type": "ping", "id": 6])["type"] == "pong")
        }
    }

    @Test func afterTheGraceTheParticipantHasLeft() async throws {
        try await ApiNode.run { node async throws in
            let (ada, bob) = try await lose(node)
            await node.clock.advance(by: .seconds(15))
            #expect(
                try await ada.socket.next() == [
                    "type": "participant_left", "participant_id": .string(bob.id), "reason": "lost",
                ])
            let (_, refused) = try await rejoin(node, bob, resume: bob.resume)
            #expect(refused["code"] == "resume_expired")
            let id = try #require(ParticipantID(bob.id))
            #expect(node.media.calls.contains(.disconnect(id)))
        }
    }

    @Test func anotherResumeTokenIsRefused() async throws {
        try await ApiNode.run { node async throws in
            let (ada, bob) = try await lose(node)
            let (_, refused) = try await rejoin(node, bob, resume: ada.resume)
            #expect(refused["code"] == "resume_invalid")
        }
    }

    @Test func aSessionTokenAloneTakesNoPlaceThatHasAResumeToken() async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            let (_, refused) = try await rejoin(node, ada, resume: nil)
            #expect(refused["code"] == "resume_required")
            #expect(refused["status"] == 403)
            #expect(try await ada.socket.ask(["type": "ping", "id": 2])["type"] == "pong")
            try await ada.socket.vanish()
            let (_, still) = try await rejoin(node, ada, resume: nil)
            #expect(still["code"] == "resume_required")
        }
    }

    @Test(arguments: [false, true]) func theSocketMayBeAwayForAsLongAsMediaComes(_ isEnded: Bool) async throws {
        try await ApiNode.run { node async throws in
            let (ada, bob) = try await lose(node)
            let id = try #require(ParticipantID(bob.id))
            node.media.tell(.connected(id))
            // Behind it the first is taken.
            node.media.tell(.quality(try #require(ParticipantID(ada.id)), MediaQuality(level: .good)))
            #expect(try await ada.socket.next()["type"] == "quality")
            await node.clock.advance(by: .seconds(600))
            await node.clock.advance(by: .seconds(1))
            let (socket, joined) = try await rejoin(node, bob, resume: bob.resume)
            #expect(joined["resumed"] == true)
            #expect(try await ada.socket.next()["connection"] == "connected")
            try await socket.vanish()
            #expect(try await ada.socket.next()["connection"] == "interrupted")
            await node.clock.advance(by: .seconds(20))
            // The sweep of then is over.
            await node.clock.advance(by: .zero)
            // Nothing comes any more, or the media side has ended it.
            node.media.tell(isEnded ? .failed(id, reason: .consent) : .silent(id))
            node.media.tell(.quality(try #require(ParticipantID(ada.id)), MediaQuality(level: .good)))
            #expect(try await ada.socket.next()["type"] == "quality")
            await node.clock.advance(by: .seconds(1))
            #expect(
                try await ada.socket.next() == [
                    "type": "participant_left", "participant_id": .string(bob.id), "reason": "lost",
                ])
        }
    }

    @Test(arguments: [true, false]) func aLostSocketAndClosedMediaAreALeave(_ socketFirst: Bool) async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let bob = try await node.enter(meeting, "Bob")
            _ = try await ada.socket.next()
            let (me, id) = (try #require(ParticipantID(ada.id)), try #require(ParticipantID(bob.id)))
            node.media.tell(.connected(id))
            if socketFirst {
                try await bob.socket.vanish()
                #expect(try await ada.socket.next()["connection"] == "interrupted")
            }
            node.media.tell(.failed(id, reason: .closedByPeer))
            if !socketFirst {
                node.media.tell(.quality(me, MediaQuality(level: .good)))
                #expect(try await ada.socket.next()["type"] == "quality")
                try await bob.socket.vanish()
            }
            #expect(
                try await ada.socket.next() == [
                    "type": "participant_left", "participant_id": .string(bob.id), "reason": "left",
                ])
        }
    }

    @Test func aSecondJoinReplacesTheFirstSocket() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let bob = try await node.enter(meeting, "Bob")
            _ = try await ada.socket.next()
            let (socket, joined) = try await rejoin(node, bob, resume: bob.resume)
            #expect(joined["you"]?["participant_id"]?.string == bob.id)
            #expect(try await bob.socket.next() == ["type": "removed", "reason": "replaced"])
            #expect(await bob.socket.closeCode() == 4_001)
            // Ada noticed nothing, and hears the new socket.
            _ = try await socket.ask(["type": "media_state", "id": 2, "audio": true])
            #expect(try await ada.socket.next()["type"] == "media_state")
        }
    }

    @Test func aSessionTokenOpensTheFirstSocketForAWhileOnly() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let place = try await node.join(meeting, "Ada")
            await node.clock.advance(by: .seconds(15))
            await node.clock.advance(by: .zero)
            let socket = try await SignalingClient.connect(port: node.port)
            let token = try #require(place["session_token"])
            let refused = try await socket.ask(["type": "join", "id": 1, "session_token": token])
            #expect(refused["code"] == "token_expired")
            #expect(refused["status"] == 401)
        }
    }

    @Test func aCallInProgressOutlivesItsToken() async throws {
        try await ApiNode.run { node async throws in
            let ada = try await node.enter(node.meeting(), "Ada")
            await node.clock.advance(by: .seconds(10_000))
            let (_, joined) = try await rejoin(node, ada, resume: ada.resume)
            #expect(joined["type"] == "joined")
        }
    }
}
