import Conference
import Fleet
import Meetings
import Testing

@testable import Api

/// Meetings whose people are all at one PoP.
struct SharedStandbyTests {
    private static func fleet(_ count: Int) async throws -> (SharedFleet, Meeting) {
        let fleet = SharedFleet(count)
        await fleet.linkAll()
        let hub: MeetingHub = fleet.nodes[0].hub
        let meeting = try await fleet.run {
            try await hub.create(MeetingPlan(topic: "Standup"), owner: "user-1", password: nil)
        }
        return (fleet, meeting)
    }

    /// The PoPs other than the first that have a copy.
    private static func copies(of meeting: Meeting, in fleet: SharedFleet) -> [Int] {
        fleet.nodes.indices.dropFirst().filter { fleet.nodes[$0].exchange.replica(of: meeting.id)?.body.record != nil }
    }

    @Test func peopleOfAKilledHomeComeBackAtTheStandby() async throws {
        let (fleet, meeting) = try await Self.fleet(3)
        let ada = try await fleet.join("Ada", meeting, at: 0)
        let bob = try await fleet.join("Bob", meeting, at: 0)
        await fleet.pass(.seconds(2))
        #expect(Self.copies(of: meeting, in: fleet) == [1])
        #expect(ada.hears("\"alternates\"", "[\"wss://pop1.example.org/api/v1/signal\",\"wss://alternate"))
        let tokens = (try #require(ada.resumeToken()), try #require(bob.resumeToken()))
        await fleet.restart(0)
        _ = try await fleet.comeBack(ada, at: 1, tokens.0)
        #expect(ada.hears("\"joined\"", "\"resumed\":true", bob.id.rawValue))
        let socket = try await fleet.comeBack(bob, at: 1, tokens.1)
        #expect(bob.hears("\"joined\"", "\"resumed\":true", ada.id.rawValue))
        await fleet.pass(.seconds(2))
        #expect(fleet.nodes[1].exchange.isHome(of: meeting.id))
        await fleet.linkAll()
        let there: MeetingHub = fleet.nodes[1].hub
        try await fleet.run { [bob = bob.id] in try await there.setMedia(.init(handRaised: true), of: bob, socket) }
        #expect(ada.hears("media_state", bob.id.rawValue, "\"hand_raised\":true"))
        await fleet.pass(.seconds(20))
        #expect(!ada.hears("participant_left") && !bob.hears("participant_left"))
        // The new Home has a standby in turn.
        #expect(fleet.nodes[2].exchange.replica(of: meeting.id)?.body.participants.count == 2)
    }

    @Test func theStandbyHasNoMediaUntilSomebodyComes() async throws {
        let (fleet, meeting) = try await Self.fleet(2)
        let ada = try await fleet.join("Ada", meeting, at: 0)
        await fleet.pass(.seconds(2))
        #expect(Self.copies(of: meeting, in: fleet) == [1])
        #expect(fleet.nodes[1].remotes.isEmpty && fleet.nodes[1].peers.isEmpty)
        #expect(fleet.nodes[0].peers[meeting.id] ?? [] == [])
        let bob = try await fleet.join("Bob", meeting, at: 1)
        #expect(bob.hears("\"joined\"", ada.id.rawValue))
        #expect(fleet.nodes[1].remotes[ada.id]?.pop.rawValue == "pop0")
        #expect(fleet.nodes[1].peers[meeting.id]?.map(\.rawValue) == ["pop0"])
        let there: MeetingHub = fleet.nodes[1].hub
        try await fleet.run { [bob = bob.id] in try await there.leave(bob, reason: .left) }
        await fleet.pass(.seconds(13))
        #expect(Self.copies(of: meeting, in: fleet) == [1])
        #expect(fleet.nodes[1].remotes[ada.id] == nil && fleet.nodes[1].peers[meeting.id] == [])
    }

    @Test func aStandbyThatIsDrainedOrLostIsFollowedByAnother() async throws {
        let (fleet, meeting) = try await Self.fleet(4)
        let ada = try await fleet.join("Ada", meeting, at: 0)
        await fleet.pass(.seconds(2))
        #expect(Self.copies(of: meeting, in: fleet) == [1])
        await fleet.drain(1)
        await fleet.pass(.seconds(3))
        #expect(Self.copies(of: meeting, in: fleet) == [2])
        #expect(ada.hears("\"alternates\"", "[\"wss://pop2.example.org"))
        await fleet.restart(2)
        await fleet.pass(.seconds(3))
        #expect(Self.copies(of: meeting, in: fleet) == [3])
    }

    @Test func aBranchWithPeopleIsCopyEnough() async throws {
        let (fleet, meeting) = try await Self.fleet(3)
        _ = try await fleet.join("Ada", meeting, at: 0)
        await fleet.pass(.seconds(2))
        #expect(Self.copies(of: meeting, in: fleet) == [1])
        let bob = try await fleet.join("Bob", meeting, at: 2)
        await fleet.pass(.seconds(2))
        #expect(Self.copies(of: meeting, in: fleet) == [2])
        let there: MeetingHub = fleet.nodes[2].hub
        try await fleet.run { [bob = bob.id] in try await there.leave(bob, reason: .left) }
        await fleet.pass(.seconds(13))
        #expect(Self.copies(of: meeting, in: fleet) == [2])
    }

    @Test func aStandbyEndsWithItsMeeting() async throws {
        let (fleet, meeting) = try await Self.fleet(3)
        let ada = try await fleet.join("Ada", meeting, at: 0)
        await fleet.pass(.seconds(2))
        #expect(Self.copies(of: meeting, in: fleet) == [1])
        let here: MeetingHub = fleet.nodes[0].hub
        try await fleet.run { [ada = ada.id] in try await here.leave(ada, reason: .left) }
        await fleet.pass(.seconds(3))
        // Nobody is in it: nothing would be lost.
        #expect(Self.copies(of: meeting, in: fleet) == [])
        _ = try await fleet.join("Ada", meeting, at: 0)
        await fleet.pass(.seconds(2))
        #expect(Self.copies(of: meeting, in: fleet) == [1])
        try await fleet.run { [id = meeting.id] in try await here.end(id, reason: .ended) }
        await fleet.pass(.seconds(2))
        for node in fleet.nodes {
            #expect(await node.hub.isSharing(meeting.id) == false)
            #expect(node.exchange.replica(of: meeting.id) == nil)
        }
    }

    /// The way to the standby is all that is lost: nobody but a dead Home loses its meeting to it.
    @Test func aStandbyWithoutItsHomeTakesNothingOverFromItWhileItLives() async throws {
        let (fleet, meeting) = try await Self.fleet(2)
        let ada = try await fleet.join("Ada", meeting, at: 0, hostKey: meeting.hostKey)
        await fleet.pass(.seconds(2))
        #expect(Self.copies(of: meeting, in: fleet) == [1])
        await fleet.cut(0, 1)
        await fleet.pass(.seconds(30))
        #expect(fleet.nodes[0].exchange.isHome(of: meeting.id) && !fleet.nodes[1].exchange.isHome(of: meeting.id))
        let (here, socket) = (fleet.nodes[0].hub!, ada.socket)
        try await fleet.run { [ada = ada.id] in try await here.setLocked(true, by: ada, socket) }
        await fleet.link(0, 1)
        await fleet.pass(.seconds(2))
        #expect(fleet.nodes[1].exchange.replica(of: meeting.id)?.body.isLocked == true)
        await fleet.cut(0, 1)
        await fleet.pass(.seconds(65))
        #expect(Self.copies(of: meeting, in: fleet) == [])
    }

    /// Who comes back elsewhere finds it by the Registry, when the dead Home's lease has run out.
    @Test func aStandbyTakesOverWhenTheLeaseHasRunOut() async throws {
        let (fleet, meeting) = try await Self.fleet(3)
        _ = try await fleet.join("Ada", meeting, at: 0)
        await fleet.pass(.seconds(2))
        await fleet.restart(0)
        await fleet.pass(.seconds(22))
        #expect(fleet.nodes[1].exchange.isHome(of: meeting.id))
        _ = try await fleet.join("Bob", meeting, at: 2)
        // Who did not come back is not waited for any longer.
        #expect(fleet.nodes[1].exchange.replica(of: meeting.id)?.body.participants.count == 1)
    }
}
