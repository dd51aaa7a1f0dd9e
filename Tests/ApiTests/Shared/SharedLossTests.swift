import Conference
import Fleet
import Meetings
import Testing

@testable import Api

/// What is lost for good, and does not come back by itself.
struct SharedLossTests {
    private static func fleet(_ count: Int) async throws -> (SharedFleet, Meeting) {
        let fleet = SharedFleet(count)
        await fleet.linkAll()
        let hub: MeetingHub = fleet.nodes[0].hub
        let meeting = try await fleet.run {
            try await hub.create(MeetingPlan(topic: "Standup"), owner: "user-1", password: nil)
        }
        return (fleet, meeting)
    }

    /// It is linked again at once, and knows nothing of the meeting.
    @Test func whoWasAtAPoPThatIsStartedAnewIsTakenOut() async throws {
        let (fleet, meeting) = try await Self.fleet(3)
        let ada = try await fleet.join("Ada", meeting, at: 0)
        let bob = try await fleet.join("Bob", meeting, at: 1)
        await fleet.restart(1)
        await fleet.linkAll()
        await fleet.pass(.seconds(10))
        #expect(!ada.hears("participant_left"))
        await fleet.pass(.seconds(7))
        #expect(ada.hears("participant_left", bob.id.rawValue, "lost"))
    }

    /// The new Home never had a link to it.
    @Test func whoWasAtAPoPThatTheHomeNeverReachedIsTakenOut() async throws {
        let fleet = SharedFleet(3)
        await fleet.link(0, 1)
        await fleet.link(0, 2)
        let hub: MeetingHub = fleet.nodes[0].hub
        let meeting = try await fleet.run {
            try await hub.create(MeetingPlan(topic: "Standup"), owner: "user-1", password: nil)
        }
        let bob = try await fleet.join("Bob", meeting, at: 1)
        let eve = try await fleet.join("Eve", meeting, at: 2)
        for index in [0, 2] { await fleet.restart(index) }
        await fleet.pass(.seconds(20))
        #expect(bob.hears("participant_left", eve.id.rawValue, "lost"))
    }

    /// The host meant everybody: whoever was not reached then is let go when it is.
    @Test func aMeetingThatOneSideOfAPartitionEndedEndsAtTheOther() async throws {
        let (fleet, meeting) = try await Self.fleet(3)
        let ada = try await fleet.join("Ada", meeting, at: 0)
        let bob = try await fleet.join("Bob", meeting, at: 2)
        let host = try await fleet.join("Host", meeting, at: 1, hostKey: meeting.hostKey)
        await fleet.cut(0, 1)
        await fleet.cut(1, 2)
        await fleet.pass(.seconds(3))
        let (there, socket) = (fleet.nodes[1].hub!, host.socket)
        try await fleet.run { [host = host.id] in try await there.end(by: host, socket) }
        #expect(host.hears("meeting_ended"))
        await fleet.pass(.seconds(60))
        #expect(!ada.hears("meeting_ended") && !bob.hears("meeting_ended"))
        await fleet.link(0, 1)
        await fleet.link(1, 2)
        await fleet.pass(.seconds(5))
        #expect(ada.hears("meeting_ended", "ended") && bob.hears("meeting_ended", "ended"))
        for node in fleet.nodes {
            #expect(await node.hub.isSharing(meeting.id) == false)
            #expect(node.exchange.replica(of: meeting.id) == nil)
        }
    }

    /// The PoP that is left without anybody ends the meeting for itself.
    @Test func aMeetingThatIsEmptyOnOneSideGoesOnAtTheOther() async throws {
        let (fleet, meeting) = try await Self.fleet(2)
        let ada = try await fleet.join("Ada", meeting, at: 0)
        let bob = try await fleet.join("Bob", meeting, at: 1)
        await fleet.cut(0, 1)
        await fleet.pass(.seconds(3))
        let there: MeetingHub = fleet.nodes[1].hub
        try await fleet.run { [bob = bob.id] in try await there.leave(bob, reason: .left) }
        try await fleet.run { [id = meeting.id] in try await there.end(id, reason: .empty) }
        #expect(await there.isSharing(meeting.id) == false)
        await fleet.link(0, 1)
        await fleet.pass(.seconds(20))
        #expect(!ada.hears("meeting_ended"))
        #expect(ada.hears() == false && fleet.nodes[0].exchange.isHome(of: meeting.id))
    }

    /// The meeting that is asked for at its Home's next start is the one that goes on elsewhere.
    @Test func aHomeThatIsStartedAnewDoesNotBeginItsMeetingAnew() async throws {
        let (fleet, meeting) = try await Self.fleet(2)
        let bob = try await fleet.join("Bob", meeting, at: 1)
        await fleet.restart(0)
        await fleet.linkAll()
        let hub: MeetingHub = fleet.nodes[0].hub
        let call = Task { try await hub.find(meeting.number.description) }
        while await hub.waitingCalls == 0 { await Task.yield() }
        await fleet.pass(.seconds(5))
        #expect(try await call.value.id == meeting.id)
        let copies = fleet.nodes.compactMap { $0.exchange.replica(of: meeting.id)?.body }
        #expect(copies.count == 2 && copies[0] == copies[1])
        #expect(copies.first?.record?.id == meeting.id && copies.first?.participants[bob.id] != nil)
    }

    @Test func whatNobodyWaitsForAnyMoreIsNotKept() async throws {
        let (fleet, meeting) = try await Self.fleet(2)
        await fleet.cut(0, 1)
        let hub: MeetingHub = fleet.nodes[1].hub
        let call = Task { try await hub.find(meeting.number.description) }
        while await hub.waitingCalls == 0 { await Task.yield() }
        await fleet.pass(.seconds(5))
        await #expect(throws: Problem.self) { _ = try await call.value }
        await fleet.pass(.seconds(12))
        #expect(await hub.isSharing(meeting.id) == false)
    }

    /// Its media is still where it was: there it stays.
    @Test func whoGoesBeforeItsMediaIsHereIsWhereItWas() async throws {
        let (fleet, meeting) = try await Self.fleet(2)
        let ada = try await fleet.join("Ada", meeting, at: 0)
        let bob = try await fleet.join("Bob", meeting, at: 1)
        let token = try #require(ada.resumeToken())
        let socket = try await fleet.comeBack(ada, at: 1, token)
        _ = bob.hears()
        let there: MeetingHub = fleet.nodes[1].hub
        await there.detach(ada.id, socket)
        await fleet.settle()
        #expect(!bob.hears("participant_left"))
        #expect(fleet.nodes[1].remotes[ada.id]?.pop == fleet.nodes[0].pop)
        let here: MeetingHub = fleet.nodes[0].hub
        try await fleet.run { [ada = ada.id] in try await here.leave(ada, reason: .left) }
        #expect(bob.hears("participant_left", ada.id.rawValue))
        #expect(fleet.nodes[1].remotes[ada.id] == nil)
    }
}
