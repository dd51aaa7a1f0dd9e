import Conference
import Fleet
import Meetings
import Testing

@testable import Api

/// A host at one PoP, and people at others.
@Suite(.timeLimit(.minutes(1))) struct HostsOfSharedMeetings {
    private struct Scene {
        let fleet = SharedFleet(3)
        let meeting: Meeting
        let host: SharedPerson
        let bob: SharedPerson
        let cyd: SharedPerson

        /// The host is where the meeting is not at home.
        init() async throws {
            await fleet.linkAll()
            let hub: MeetingHub = fleet.nodes[0].hub
            meeting = try await fleet.run {
                try await hub.create(MeetingPlan(topic: "Standup"), owner: "user-1", password: nil)
            }
            host = try await fleet.join("Ada", meeting, at: 1, hostKey: meeting.hostKey)
            bob = try await fleet.join("Bob", meeting, at: 2)
            cyd = try await fleet.join("Cyd", meeting, at: 0)
            for person in people { _ = person.hears() }
        }

        var people: [SharedPerson] { [host, bob, cyd] }

        func order(_ order: HostOrder, by person: SharedPerson? = nil) async throws {
            let person = person ?? host
            let hub: MeetingHub = fleet.nodes[person.pop].hub
            let (id, socket) = (person.id, person.socket)
            try await fleet.run { try await hub.order(order, by: id, socket, from: "192.0.2.1") }
        }

        func send(_ change: ClientMessage.MediaStateChange, by person: SharedPerson) async throws {
            let hub: MeetingHub = fleet.nodes[person.pop].hub
            let (id, socket) = (person.id, person.socket)
            try await fleet.run { try await hub.setMedia(change, of: id, socket) }
        }

        func role(of person: SharedPerson, at pop: Int) async -> Role? {
            let hub: MeetingHub = fleet.nodes[pop].hub
            return await hub.catalog.participant(person.id)?.role
        }
    }

    @Test func whoIsMutedIsSilencedByItsOwnPoPAndAtAll() async throws {
        let scene = try await Scene()
        let silenced = PublishedMedia(isSilenced: true)
        try await scene.order(.mute(scene.bob.id, .audio))
        for person in scene.people {
            #expect(person.hears("media_state", scene.bob.id.rawValue, "\"muted_by_host\":true"))
        }
        #expect(scene.fleet.nodes[2].media.calls.last == .state(scene.bob.id, silenced))
        #expect(scene.fleet.nodes[0].remotes[scene.bob.id]?.state == silenced)
        // It opens its microphone, and nobody mutes it once more.
        try await scene.send(.init(audio: true), by: scene.bob)
        await scene.fleet.pass(.seconds(3))
        #expect(scene.fleet.nodes[1].remotes[scene.bob.id]?.state == PublishedMedia(audio: true))
        try await scene.order(.muteAll)
        await scene.fleet.pass(.seconds(1))
        #expect(scene.fleet.nodes[1].remotes[scene.bob.id]?.state == silenced)
        #expect(scene.fleet.nodes[1].remotes[scene.cyd.id]?.state == silenced)
        #expect(scene.fleet.nodes[0].remotes[scene.host.id]?.state == PublishedMedia(audio: true))
    }

    @Test func whoIsAskedHearsByWhom() async throws {
        let scene = try await Scene()
        try await scene.order(.askUnmute(scene.bob.id, by: scene.host.id))
        #expect(scene.bob.hears("unmute_asked", scene.host.id.rawValue))
        #expect(!scene.cyd.hears("unmute_asked"))
    }

    @Test func rolesAreKnownEverywhereAndStayWithWhoMoves() async throws {
        let scene = try await Scene()
        try await scene.order(.setRole(scene.bob.id, .coHost))
        for person in scene.people {
            #expect(person.hears("participant_update", scene.bob.id.rawValue, "\"role\":\"co_host\""))
        }
        for pop in 0..<3 { #expect(await scene.role(of: scene.bob, at: pop) == .coHost) }
        try await scene.order(.mute(scene.cyd.id, .audio), by: scene.bob)
        #expect(scene.host.hears("media_state", scene.cyd.id.rawValue, "\"audio\":false"))
        await #expect(throws: MeetingError.forbidden) {
            try await scene.order(.remove(scene.host.id), by: scene.bob)
        }
        let token = try #require(scene.bob.resumeToken())
        _ = try await scene.fleet.comeBack(scene.bob, at: 0, token)
        await scene.fleet.pass(.seconds(6))
        for pop in 0..<3 { #expect(await scene.role(of: scene.bob, at: pop) == .coHost) }
        // The last host leaves: the Home has the co-host take over.
        let hub: MeetingHub = scene.fleet.nodes[1].hub
        let host = scene.host.id
        try await scene.fleet.run { try await hub.leave(host, reason: .left) }
        await scene.fleet.pass(.seconds(1))
        for pop in [0] { #expect(await scene.role(of: scene.bob, at: pop) == .host) }
        #expect(scene.cyd.hears("participant_update", scene.bob.id.rawValue, "\"role\":\"host\""))
    }

    @Test func whatWasDoneOnceIsNotDoneAgainWhereSomebodyMoves() async throws {
        let scene = try await Scene()
        try await scene.order(.mute(scene.bob.id, .audio))
        try await scene.send(.init(audio: true), by: scene.bob)
        let token = try #require(scene.bob.resumeToken())
        _ = try await scene.fleet.comeBack(scene.bob, at: 0, token)
        await scene.fleet.pass(.seconds(6))
        #expect(scene.fleet.nodes[1].remotes[scene.bob.id]?.state == PublishedMedia(audio: true))
    }

    @Test func aMuteReachesWhoComesFromALostPoP() async throws {
        let scene = try await Scene()
        let token = try #require(scene.bob.resumeToken())
        await scene.fleet.restart(2)
        try await scene.order(.mute(scene.bob.id, .audio))
        try await scene.order(.askUnmute(scene.cyd.id, by: scene.host.id))
        let hub: MeetingHub = scene.fleet.nodes[0].hub
        let (bob, meeting, socket) = (scene.bob.id, scene.meeting.id, NotingSocket())
        try await scene.fleet.run {
            _ = try await hub.takeBack(bob, in: meeting, resume: token, Arrival(way: .socket, address: "192.0.2.1"))
            let join = SocketJoin(
                resume: token, offer: "offer", mediaState: .init(audio: true, video: true), token: "", isFresh: true)
            try await hub.attach(bob, in: meeting, join, socket)
        }
        #expect(socket.take().contains { $0.contains("\"turned_off\":[\"audio\"]") })
        #expect(scene.fleet.nodes[1].remotes[bob]?.state == PublishedMedia(video: true, isSilenced: true))
    }

    @Test func whoWasAskedMayUnmuteWhereItMoves() async throws {
        let scene = try await Scene()
        let hub: MeetingHub = scene.fleet.nodes[1].hub
        let (host, socket) = (scene.host.id, scene.host.socket)
        let rights = ClientMessage.Rights(unmute: false)
        try await scene.fleet.run { try await hub.allow(rights, by: host, socket, from: "") }
        try await scene.order(.muteAll)
        try await scene.order(.askUnmute(scene.bob.id, by: host))
        await #expect(throws: MeetingError.unmuteForbidden) {
            try await scene.send(.init(audio: true), by: scene.cyd)
        }
        let token = try #require(scene.bob.resumeToken())
        _ = try await scene.fleet.comeBack(scene.bob, at: 0, token)
        await scene.fleet.pass(.seconds(6))
        try await scene.send(.init(audio: true), by: scene.bob)
        #expect(scene.fleet.nodes[1].remotes[scene.bob.id]?.state == PublishedMedia(audio: true))
    }

    @Test func noPoPLetsInWhoWasRemovedAndNoMergeMutesAnew() async throws {
        let scene = try await Scene()
        let alone = "198.51.100.7"
        let hubs = scene.fleet.nodes.map { $0.hub! }
        let meeting = scene.meeting.id
        let join = JoinRequest(displayName: "Eve")
        let arrival = Arrival(way: .socket, address: alone)
        let eve = try await scene.fleet.run {
            let eve = try await hubs[2].admit(meeting, join, arrival).id
            let socket = SocketJoin(offer: "offer", address: alone, token: "", isFresh: true)
            try await hubs[2].attach(eve, in: meeting, socket, NotingSocket())
            return eve
        }
        try await scene.order(.remove(eve))
        await scene.fleet.pass(.seconds(1))
        for hub in hubs {
            await #expect(throws: MeetingError.removed) {
                try await scene.fleet.run { _ = try await hub.admit(meeting, join, arrival) }
            }
        }
        let momentary: [HostOrder] = [.muteAll, .mute(eve, .audio), .askUnmute(eve, by: scene.host.id)]
        #expect(momentary.allSatisfy { SharedChange.order($0).isMomentary })
        #expect([HostOrder.remove(eve), .setRole(eve, .host)].allSatisfy { !SharedChange.order($0).isMomentary })
    }

    /// What its PoP said before it heard of the order may come behind it.
    @Test func aRoleThatWasGivenStays() throws {
        let id = try #require(ParticipantID("p_1"))
        var body = SharedMeeting()
        let person = SharedParticipant(
            id: id, displayName: "Ada", role: .participant, media: MediaState(), pop: try #require(PoPName("pop1")),
            instance: 1, moves: 0, isInterrupted: false, joinedAt: Timestamp(milliseconds: 1_800_000_000_000),
            resume: [], publication: nil)
        body.apply(.participant(person))
        body.apply(.order(.setRole(id, .coHost)))
        body.apply(.order(.mute(id, .video)))
        body.apply(.order(.mute(id, .audio)))
        let muted = try #require(SharedMeeting(bytes: body.bytes)?.participants[id])
        // Also where its PoP is lost before it does so.
        #expect(muted.media == MediaState(mutedByHost: true) && muted.orders.mutes(.audio) == 1)
        var late = person
        late.media.audio = true
        body.apply(.participant(late))
        let known = try #require(SharedMeeting(bytes: body.bytes)?.participants[id])
        #expect(known.role == .coHost && known.media.audio && known.orders.mutes(.video) == 1)
        // The last host stays one, and stays.
        body.apply(.order(.setRole(id, .host)))
        for order in [HostOrder.setRole(id, .coHost), .remove(id)] {
            #expect(body.refusal(of: .order(order)) == MeetingError.lastHost.code)
        }
        body.apply(.order(.remove(id)))
        body.apply(.participant(late))
        #expect(body.participants.isEmpty)
        #expect(body.refusal(of: .participant(late)) == MeetingError.removed.code)
        #expect(SharedMeeting(bytes: body.bytes) == body)
    }

    @Test func whoIsRemovedIsGoneEverywhereAndComesBackNowhere() async throws {
        let scene = try await Scene()
        let token = try #require(scene.bob.resumeToken())
        try await scene.order(.remove(scene.bob.id))
        #expect(scene.bob.hears("\"removed\""))
        for person in [scene.host, scene.cyd] {
            #expect(person.hears("participant_left", scene.bob.id.rawValue, "\"removed\""))
        }
        await scene.fleet.pass(.seconds(3))
        for node in scene.fleet.nodes {
            #expect(await node.hub.knows(scene.bob.id) == false)
            #expect(node.remotes[scene.bob.id] == nil)
        }
        let problem = await #expect(throws: Problem.self) {
            _ = try await scene.fleet.comeBack(scene.bob, at: 1, token)
        }
        #expect(problem?.code == "resume_expired")
        await #expect(throws: (any Error).self) { try await scene.order(.remove(scene.bob.id)) }
    }

    @Test func anOrderIsAChangeThatReadsAsItWasWritten() throws {
        let id = try #require(ParticipantID("p_1"))
        let by = try #require(ParticipantID("p_2"))
        let orders: [HostOrder] =
            [.remove(id), .muteAll, .askUnmute(id, by: by)] + HostOrder.Source.allCases.map { .mute(id, $0) }
            + Role.allCases.map { .setRole(id, $0) }
        for order in orders {
            let change = SharedChange.order(order)
            #expect(SharedChange(bytes: change.bytes) == change)
        }
        // Of roles the last one counts.
        let keys = Set(orders.map { SharedChange.order($0).key })
        #expect(keys.count == orders.count - Role.allCases.count + 1)
        for bad in [
            #"{"order":{"kind":"remove"}}"#, #"{"order":{"kind":"mute","target":"p_1"}}"#,
            #"{"order":{"kind":"role","target":"p_1"}}"#, #"{"order":{"kind":"ask_unmute","target":"p_1"}}"#,
            #"{"order":{"kind":"crown","target":"p_1"}}"#,
        ] { #expect(SharedChange(bytes: Array(bad.utf8)) == nil) }
    }
}
