import Fleet
import Meetings
import Testing

@Suite struct LeaseTableTests {
    private let number = MeetingNumber("123-456-789")!
    private let one = MeetingID("m_one")!
    private let other = Home(pop: PoPName("b")!, epoch: 7)

    private func lease(_ epoch: UInt64) -> Lease { Lease(meeting: one, number: number, epoch: epoch) }

    @Test func aMeetingIsClaimedOnceAtATime() {
        var table = LeaseTable()
        #expect(table.unclaimed(of: [one: number], triesLost: false) == [one])
        let first = table.begin(one)
        let second = table.begin(one)
        #expect(first && !second)
        #expect(table.unclaimed(of: [one: number], triesLost: true) == [])
        table.fail(one)
        #expect(table.unclaimed(of: [one: number], triesLost: false) == [one])
        table.hold(lease(1))
        #expect(table.unclaimed(of: [one: number], triesLost: true) == [])
        #expect(table.leases == [lease(1)] && table.epochChanges == 0)
    }

    @Test func aLostMeetingIsTriedNowAndThenAndEachChangeOfItsEpochCounts() {
        var table = LeaseTable()
        table.hold(lease(1))
        table.hold(lease(1))
        #expect(table.epochChanges == 0)
        let isNews = table.lose(one, to: other)
        let isNewsAgain = table.lose(one, to: other)
        #expect(isNews && !isNewsAgain)
        #expect(table.leases == [] && table.epochChanges == 1)
        #expect(table.unclaimed(of: [one: number], triesLost: false) == [])
        #expect(table.unclaimed(of: [one: number], triesLost: true) == [one])
        table.hold(lease(8))
        #expect(table.leases == [lease(8)] && table.epochChanges == 2)
    }

    @Test func whatEndedIsReleasedOnce() {
        var table = LeaseTable()
        table.hold(lease(3))
        let change1 = table.takeEnded { $0 == one }
        #expect(change1 == [])
        let change2 = table.takeEnded { _ in false }
        #expect(change2 == [lease(3)])
        let change3 = table.takeEnded { _ in false }
        #expect(change3 == [])
        table.lose(one, to: other)
        let change4 = table.takeEnded { _ in false }
        #expect(change4 == [])
    }
}
