import Meetings
import Testing

@testable import Fleet

@Suite struct RendezvousHashTests {
    private static let pops = ["ams1", "fra1", "gru1", "iad1", "sin1"].map { PoPName($0)! }

    private static func meetings(_ count: Int) -> [MeetingID] {
        var generator = Seeded(7)
        return (0..<count).map { _ in MeetingID(using: &generator) }
    }

    /// PoPs of different versions must name the same.
    @Test func theHashDoesNotChange() {
        #expect(RendezvousHash.weight(of: "id:m_one", at: Self.pops[0]) == 1_262_140_416_497_335_924)
        #expect(RendezvousHash.home(of: MeetingID("m_one")!, among: Self.pops)?.rawValue == "iad1")
        #expect(RendezvousHash.home(of: MeetingNumber("123456789")!, among: Self.pops)?.rawValue == "iad1")
    }

    @Test func theOrderOfTheListDoesNotMatter() {
        for meeting in Self.meetings(100) {
            let home = RendezvousHash.home(of: meeting, among: Self.pops)
            #expect(home == RendezvousHash.home(of: meeting, among: Self.pops.reversed()))
        }
        #expect(RendezvousHash.home(of: MeetingID("m_one")!, among: []) == nil)
    }

    @Test func eachHasItsShareAndOnlyTheLostOnesMove() {
        let meetings = Self.meetings(10_000)
        let homes = meetings.map { RendezvousHash.home(of: $0, among: Self.pops)! }
        for pop in Self.pops {
            let count = homes.count { $0 == pop }
            // 2,000 with a standard deviation of 40.
            #expect((1_800...2_200).contains(count), "\(pop): \(count)")
        }
        let left = Self.pops.filter { $0.rawValue != "gru1" }
        for (meeting, home) in zip(meetings, homes) where home.rawValue != "gru1" {
            #expect(RendezvousHash.home(of: meeting, among: left) == home)
        }
    }
}
