import Conference
import Fleet
import Meetings
import Testing

@testable import Api

struct SharedReactionTests {
    @Test func whatSomebodyShowsIsSeenAtAllPoPsOnce() async throws {
        let fleet = SharedFleet(3)
        await fleet.linkAll()
        let hub: MeetingHub = fleet.nodes[0].hub
        let meeting = try await fleet.run {
            try await hub.create(MeetingPlan(topic: "Standup"), owner: "user-1", password: nil)
        }
        let ada = try await fleet.join("Ada", meeting, at: 0)
        let bob = try await fleet.join("Bob", meeting, at: 1)
        let cyd = try await fleet.join("Cyd", meeting, at: 2)
        func react(_ person: SharedPerson) async throws {
            let hub: MeetingHub = fleet.nodes[person.pop].hub
            let (id, socket) = (person.id, person.socket)
            try await fleet.run { try await hub.react(with: "\u{1f44d}", by: id, socket) }
            await fleet.settle()
        }
        for _ in 0..<2 {
            try await react(bob)
            for person in [ada, bob, cyd] { #expect(person.hears(#""reaction""#, bob.id.rawValue, "\u{1f44d}")) }
        }
        await fleet.pass(.seconds(3))
        // Who comes later has missed it, and what else happens does not bring it again.
        let eve = try await fleet.join("Eve", meeting, at: 0)
        for person in [ada, cyd, eve] { #expect(!person.hears(#""reaction""#)) }
        let token = try #require(bob.resumeToken())
        await fleet.restart(1)
        await fleet.pass(.seconds(2))
        try await fleet.comeBack(bob, at: 2, token)
        await fleet.pass(.seconds(2))
        for person in [ada, cyd] { #expect(!person.hears(#""reaction""#)) }
        try await react(bob)
        for person in [ada, cyd] { #expect(person.hears(#""reaction""#, bob.id.rawValue)) }
    }
}
