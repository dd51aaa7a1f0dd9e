import Fleet
import Meetings
import Testing

@testable import Api

/// Who comes to a PoP that has no place.
struct SharedPlacementTests {
    /// PoPs that know one another, the loads as given; Ada is in a meeting of the first.
    private static func fleet(_ loads: [Double]) async throws -> (SharedFleet, Meeting) {
        let fleet = SharedFleet(loads.count)
        await fleet.linkAll()
        for _ in 0..<3 {
            for (node, load) in zip(fleet.nodes, loads) {
                let report = FleetMember.Report(
                    load: load, participants: Int(load * 100), capacity: 100, isDraining: false)
                await node.member.tick(report, meetings: [:])
            }
            await fleet.clock.wake(after: FleetMember.listing)
        }
        let hub: MeetingHub = fleet.nodes[0].hub
        let meeting = try await fleet.run {
            try await hub.create(MeetingPlan(topic: "Standup"), owner: "user-1", password: nil)
        }
        _ = try await fleet.join("Ada", meeting, at: 0)
        return (fleet, meeting)
    }

    private static func refusal(
        of meeting: Meeting, at index: Int, via: [String] = [], in fleet: SharedFleet
    ) async -> Problem? {
        let hub: MeetingHub = fleet.nodes[index].hub
        let arrival = Arrival(way: .socket, address: "192.0.2.7", via: via.compactMap { PoPName($0) })
        do {
            _ = try await fleet.run {
                _ = try await hub.find(meeting.id.rawValue)
                return try await hub.admit(meeting.id, JoinRequest(displayName: "Bob"), arrival)
            }
            return nil
        } catch {
            return error as? Problem
        }
    }

    @Test func whoComesToADrainedPoPIsSentToOneThatHasPlace() async throws {
        let (fleet, meeting) = try await Self.fleet([0.1, 1, 0.2])
        await fleet.drain(0)
        let refusal = try #require(await Self.refusal(of: meeting, at: 0, in: fleet))
        #expect(refusal.status.code == 307 && refusal.code == "elsewhere")
        let way = try #require(refusal.elsewhere)
        #expect(way.url == "https://pop2.example.org" && way.via.map(\.rawValue) == ["pop0"] && way.others.isEmpty)
        #expect(await Self.refusal(of: meeting, at: 2, via: ["pop0"], in: fleet) == nil)
    }

    @Test func whoHasBeenThereOrFindsNoPlaceAnywhereIsToldSo() async throws {
        let (fleet, meeting) = try await Self.fleet([0.1, 1, 0.2])
        await fleet.drain(0)
        for via in [["pop2"], ["pop0"], ["a", "b", "c", "d"]] {
            #expect(await Self.refusal(of: meeting, at: 0, via: via, in: fleet)?.code == "draining")
        }
        await fleet.cut(0, 2)
        #expect(await Self.refusal(of: meeting, at: 0, in: fleet)?.code == "draining")
    }

    /// Reports are some seconds old: who was sent on since counts.
    @Test func aStormIsNotSentToOneThatIsFullByIt() async throws {
        let (fleet, meeting) = try await Self.fleet([0.1, 0.97, 0.97])
        await fleet.drain(0)
        var sent: [String: Int] = [:]
        for _ in 0..<10 {
            let refusal = await Self.refusal(of: meeting, at: 0, in: fleet)
            sent[refusal?.elsewhere?.url ?? refusal?.code ?? "", default: 0] += 1
        }
        #expect(sent == ["https://pop1.example.org": 3, "https://pop2.example.org": 3, "draining": 4])
    }
}
