import Conference
import Meetings
import Testing

@testable import Api

/// Players without a socket.
@Suite(.timeLimit(.minutes(1))) struct WHEPTests {
    /// What the media side was told that the last player shows.
    private func shown(_ node: ApiNode) -> MediaView.Subject? {
        for case .connect(_, _, let state, let view) in node.media.calls.reversed() {
            #expect(state == PublishedMedia())
            return view.subject
        }
        return nil
    }

    @Test func aPlayerIsSeenByThoseWhomItSees() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let client = try await WHIPClient(node, .whep, meeting)
            let answer = try await client.open()
            #expect(answer.status == 201)
            #expect(answer.headers["location"]?.hasPrefix("/whep/") == true)
            #expect(answer.headers["etag"] != nil)
            #expect(answer.body.contains("\r\na=recvonly\r\n"), "nothing is taken of it")
            #expect(shown(node) == .speaker)
            let heard = try await ada.socket.next()
            #expect(heard["type"] == "participant_joined")
            #expect(heard["participant"]?["display_name"] == "Player")
            #expect(heard["participant"]?["video"] == false)
            let session = try #require(answer.headers["location"])
            #expect(try await node.call("DELETE", session, token: client.token).status == 200)
            #expect(try await ada.socket.next()["type"] == "participant_left")
        }
    }

    @Test func itPlaysTheSpeakerTheScreenOrOneParticipant() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let client = try await WHIPClient(node, .whep, meeting)
            _ = try await client.session("?source=speaker")
            #expect(shown(node) == .speaker)
            _ = try await client.session("?source=screen&name=Wall")
            #expect(shown(node) == .screen)
            _ = try await client.session("?participant=\(ada.id)")
            #expect(shown(node) == .participant(try #require(ParticipantID(ada.id))))
            for (query, status, code) in [
                ("?source=all", 422, "invalid_field"), ("?participant=\(ada.id)&source=screen", 422, "invalid_field"),
                ("?participant=p_nobody", 404, "participant_not_found"),
                ("?participant=", 404, "participant_not_found"),
                ("?name=", 422, "invalid_field"),
            ] {
                let answer = try await client.open(query)
                #expect(answer.status == status, "\(query)")
                #expect(answer.code == code)
            }
            #expect(node.media.connectedCount == 3)
        }
    }

    @Test func aPlayerOfOneEndsWhenThatOneLeaves() async throws {
        try await ApiNode.run { node async throws in
            let meeting = try await node.meeting()
            let camera = try await WHIPClient(node, .whip, meeting)
            let published = try await camera.session()
            let id = try #require(published.split(separator: "/").last)
            let ada = try await node.enter(meeting, "Ada")
            let player = try await WHIPClient(node, .whep, meeting)
            let session = try await player.session("?participant=\(id)")
            let other = try await player.session()
            #expect(try await ada.socket.next()["type"] == "participant_joined")
            #expect(try await ada.socket.next()["type"] == "participant_joined")
            #expect(try await node.call("DELETE", published, token: camera.token).status == 200)
            #expect(try await ada.socket.next()["participant_id"]?.string == String(id))
            #expect(try await ada.socket.next()["type"] == "participant_left")
            #expect(try await node.call("DELETE", session, token: player.token).status == 404)
            #expect(try await node.call("DELETE", other, token: player.token).status == 200)
        }
    }

    @Test func anOfferThatReceivesNothingIsRefused() async throws {
        try await ApiNode.run { node async throws in
            let client = try await WHIPClient(node, .whep, node.meeting())
            node.media.setSlots([])
            let answer = try await client.open()
            #expect(answer.status == 422)
            #expect(answer.code == "unsupported")
            #expect(node.media.connectedCount == 0)
        }
    }
}
