import Conference
import Fleet
import Meetings
import Testing

@testable import Api

struct SharedMeetingTests {
    private static func fleet(_ count: Int) async throws -> (SharedFleet, Meeting) {
        let fleet = SharedFleet(count)
        await fleet.linkAll()
        let hub: MeetingHub = fleet.nodes[0].hub
        let meeting = try await fleet.run {
            try await hub.create(MeetingPlan(topic: "Standup"), owner: "user-1", password: nil)
        }
        return (fleet, meeting)
    }

    @Test func aWaitingRoomIsRefusedAsHostsElsewhereWouldNotHearOfIt() async throws {
        let (fleet, _) = try await Self.fleet(2)
        let hub: MeetingHub = fleet.nodes[0].hub
        await #expect(throws: MeetingError.settingUnavailable("waiting_room")) {
            try await fleet.run {
                let plan = MeetingPlan(topic: "Standup", settings: MeetingSettings(waitingRoom: true))
                _ = try await hub.create(plan, owner: "user-1", password: nil)
            }
        }
    }

    @Test func peopleOfTwoPoPsAreInOneMeeting() async throws {
        let (fleet, meeting) = try await Self.fleet(3)
        let ada = try await fleet.join("Ada", meeting, at: 0)
        let bob = try await fleet.join("Bob", meeting, at: 1)
        #expect(ada.hears("participant_joined", "Bob", bob.id.rawValue))
        #expect(bob.hears("\"joined\"", "Ada", ada.id.rawValue))
        #expect(fleet.nodes[0].remotes[bob.id]?.pop.rawValue == "pop1")
        #expect(fleet.nodes[1].remotes[ada.id]?.state.audio == true)
        #expect(fleet.nodes[0].peers[meeting.id]?.map(\.rawValue) == ["pop1"])

        let (there, socket) = (fleet.nodes[1].hub!, bob.socket)
        try await fleet.run { [bob = bob.id] in
            try await there.setMedia(.init(audio: false), of: bob, socket)
        }
        #expect(ada.hears("media_state", bob.id.rawValue, "\"audio\":false"))
        #expect(fleet.nodes[0].remotes[bob.id]?.state.audio == false)

        _ = try await fleet.join("Eve", meeting, at: 2)
        try await fleet.run { [bob = bob.id] in try await there.leave(bob, reason: .left) }
        #expect(ada.hears("participant_left", bob.id.rawValue))
        #expect(fleet.nodes[0].remotes[bob.id] == nil)
        await fleet.pass(.seconds(12))
        #expect(await there.isSharing(meeting.id) == false)
        #expect(fleet.nodes[1].exchange.replica(of: meeting.id) == nil)
    }

    @Test func aHostLocksAndEndsForAllFromAnyPoP() async throws {
        let (fleet, meeting) = try await Self.fleet(3)
        let ada = try await fleet.join("Ada", meeting, at: 0)
        let host = try await fleet.join("Host", meeting, at: 1, hostKey: meeting.hostKey)
        let (there, socket) = (fleet.nodes[1].hub!, host.socket)
        try await fleet.run { [host = host.id] in try await there.setLocked(true, by: host, socket) }
        #expect(ada.hears("meeting_update", "\"locked\":true"))
        await #expect(throws: MeetingError.locked) { _ = try await fleet.join("Eve", meeting, at: 2) }
        try await fleet.run { [host = host.id] in try await there.end(by: host, socket) }
        #expect(ada.hears("meeting_ended", "ended") && host.hears("meeting_ended"))
        await fleet.pass(.seconds(2))
        for node in fleet.nodes {
            #expect(await node.hub.isSharing(meeting.id) == false)
            #expect(node.exchange.replica(of: meeting.id) == nil)
        }
        await #expect(throws: MeetingError.meetingNotFound) { _ = try await fleet.join("Eve", meeting, at: 2) }
    }

    @Test func oneScreenIsSharedOfTwoThatBeginAtOnce() async throws {
        let (fleet, meeting) = try await Self.fleet(3)
        let people = [
            try await fleet.join("Ada", meeting, at: 1), try await fleet.join("Bob", meeting, at: 2),
        ]
        for person in people { _ = person.hears() }
        // Both before either PoP hears of the other's.
        for person in people {
            try await fleet.nodes[person.pop].hub.setMedia(.init(screen: true), of: person.id, person.socket)
        }
        await fleet.settle()
        let copy = try #require(fleet.nodes[0].exchange.replica(of: meeting.id)?.body)
        #expect(copy.participants.values.count { $0.media.screen } == 1)
        let refused = try #require(people.first { copy.participants[$0.id]?.media.screen == false })
        #expect(refused.hears("error", "screen_share_taken"))
    }

    @Test func theHomesLossEndsNothingForTheOthers() async throws {
        let (fleet, meeting) = try await Self.fleet(3)
        let ada = try await fleet.join("Ada", meeting, at: 0)
        let bob = try await fleet.join("Bob", meeting, at: 1)
        let eve = try await fleet.join("Eve", meeting, at: 2)
        await fleet.restart(0)
        await fleet.pass(.seconds(5))
        let homes = fleet.nodes.filter { $0.exchange.isHome(of: meeting.id) }
        #expect(homes.count == 1 && homes[0] !== fleet.nodes[0])
        _ = bob.hears()
        let there: MeetingHub = fleet.nodes[2].hub
        let socket = eve.socket
        try await fleet.run { [eve = eve.id] in try await there.setMedia(.init(audio: false), of: eve, socket) }
        #expect(bob.hears("media_state", eve.id.rawValue))
        // Who was at the PoP that is lost is taken out, and its place is free at the others.
        await fleet.pass(.seconds(16))
        #expect(bob.hears("participant_left", ada.id.rawValue, "lost"))
        #expect(await fleet.nodes[1].hub.knows(ada.id) == false)
    }

    @Test func whosePoPIsLostComesBackAtAnother() async throws {
        let (fleet, meeting) = try await Self.fleet(3)
        let ada = try await fleet.join("Ada", meeting, at: 0)
        let bob = try await fleet.join("Bob", meeting, at: 1)
        let token = try #require(ada.resumeToken())
        await fleet.restart(0)
        await fleet.pass(.seconds(2))
        _ = bob.hears()
        let socket = try await fleet.comeBack(ada, at: 2, token)
        #expect(ada.hears("\"joined\"", "\"resumed\":true", bob.id.rawValue))
        #expect(!bob.hears("participant_left") && !bob.hears("participant_joined"))
        #expect(fleet.nodes[1].remotes[ada.id]?.pop.rawValue == "pop2")
        await fleet.pass(.seconds(20))
        #expect(!bob.hears("participant_left"))
        let there: MeetingHub = fleet.nodes[2].hub
        try await fleet.run { [ada = ada.id] in try await there.setMedia(.init(video: true), of: ada, socket) }
        #expect(bob.hears("media_state", ada.id.rawValue, "\"video\":true"))
    }

    @Test func aWrongResumeTokenTakesNobodysPlace() async throws {
        let (fleet, meeting) = try await Self.fleet(2)
        let ada = try await fleet.join("Ada", meeting, at: 0)
        await #expect(throws: Problem.self) { try await fleet.comeBack(ada, at: 1, "wrong") }
        #expect(await fleet.nodes[0].hub.knows(ada.id))
        #expect(fleet.nodes[1].remotes[ada.id] == nil || fleet.nodes[1].remotes[ada.id]?.pop.rawValue == "pop0")
    }

    @Test func aPlaceThatWaitsForItsSocketIsTakenByNoMadeUpToken() async throws {
        let (fleet, meeting) = try await Self.fleet(2)
        let hub: MeetingHub = fleet.nodes[0].hub
        let arrival = Arrival(way: .call, address: "192.0.2.1")
        let (ada, _) = try await hub.join(meeting.id, JoinRequest(displayName: "Ada"), arrival)
        await #expect(throws: Problem.resumeInvalid) {
            _ = try await hub.takeBack(ada.id, in: meeting.id, resume: "made up", arrival)
        }
    }

    /// The old place is given up when the media is at the new one, and the others see one participant all the time.
    @Test func aParticipantMovesToAnotherPoPWithItsMedia() async throws {
        let (fleet, meeting) = try await Self.fleet(2)
        let ada = try await fleet.join("Ada", meeting, at: 0)
        let bob = try await fleet.join("Bob", meeting, at: 1)
        let old = ada.socket
        let token = try #require(ada.resumeToken())
        _ = bob.hears()
        _ = try await fleet.comeBack(ada, at: 1, token)
        #expect(fleet.nodes[1].remotes[ada.id]?.pop.rawValue == "pop0")
        #expect(old.take().allSatisfy { !$0.contains("removed") })
        await fleet.nodes[1].hub.take([.connected(ada.id)])
        await fleet.settle()
        #expect(fleet.nodes[1].remotes[ada.id] == nil)
        #expect(fleet.nodes[0].remotes[ada.id]?.pop.rawValue == "pop1")
        #expect(old.take().contains { $0.contains("removed") && $0.contains("moved") })
        #expect(bob.socket.take().allSatisfy { !$0.contains("participant_joined") && !$0.contains("participant_left") })
        await fleet.pass(.seconds(20))
        #expect(fleet.nodes[0].exchange.replica(of: meeting.id)?.body.participants[ada.id]?.moves == 1)
    }

    @Test func twoSidesOfAPartitionGoOnAndMerge() async throws {
        let (fleet, meeting) = try await Self.fleet(2)
        let ada = try await fleet.join("Ada", meeting, at: 0)
        let bob = try await fleet.join("Bob", meeting, at: 1)
        await fleet.cut(0, 1)
        await fleet.pass(.seconds(20))
        let (here, there) = (fleet.nodes[0].hub!, fleet.nodes[1].hub!)
        #expect(ada.hears("participant_left", bob.id.rawValue))
        let (one, other) = (ada.socket, bob.socket)
        try await fleet.run { [ada = ada.id] in try await here.setMedia(.init(handRaised: true), of: ada, one) }
        try await fleet.run { [bob = bob.id] in try await there.setMedia(.init(video: true), of: bob, other) }
        await fleet.link(0, 1)
        await fleet.pass(.seconds(5))
        #expect(fleet.nodes.count { $0.exchange.isHome(of: meeting.id) } == 1)
        let copies = fleet.nodes.compactMap { $0.exchange.replica(of: meeting.id)?.body }
        #expect(copies.count == 2 && copies[0] == copies[1])
        #expect(copies[0].participants[ada.id]?.media.handRaised == true)
        #expect(copies[0].participants[bob.id]?.media.video == true)
        #expect(ada.hears("participant_joined", bob.id.rawValue))
    }
}

extension SharedFleet {
    /// Somebody opens a socket at another PoP for the place that it has.
    @discardableResult
    func comeBack(_ person: SharedPerson, at index: Int, _ token: String) async throws -> NotingSocket {
        let hub: MeetingHub = nodes[index].hub
        let socket = NotingSocket()
        let (id, meeting) = (person.id, person.meeting)
        try await run {
            _ = try await hub.takeBack(
                id, in: meeting, resume: token, Arrival(way: .socket, address: "192.0.2.1"))
            try await hub.attach(
                id, in: meeting, SocketJoin(resume: token, offer: "offer", token: "", isFresh: true), socket)
        }
        await settle()
        person.pop = index
        person.socket = socket
        return socket
    }
}

extension MeetingHub {
    func isSharing(_ meeting: MeetingID) -> Bool { shares[meeting] != nil || catalog.meetings[meeting] != nil }
    func knows(_ participant: ParticipantID) -> Bool { catalog.participant(participant) != nil }
}
