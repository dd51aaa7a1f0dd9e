import Testing

@testable import Dataplane

@Suite struct LatenessTests {
    private static let life = CongestionConstants.latenessLife

    @Test func theLongestOfAWhileCounts() {
        var lateness = Lateness()
        lateness.note(40_000_000, now: 1)
        lateness.note(10_000_000, now: 2)
        #expect(lateness.longest == 40_000_000)
        lateness.fade(now: Self.life)
        #expect(lateness.longest == 40_000_000)
        lateness.fade(now: Self.life + 1)
        #expect(lateness.longest == 20_000_000)
        lateness.note(30_000_000, now: Self.life + 2)
        #expect(lateness.longest == 30_000_000)
    }

    @Test func aClocksJumpIsBoundedAndTimesThatRunBackwardsAreNone() {
        var lateness = Lateness()
        lateness.note(.min, now: 1)
        #expect(lateness.longest == 0)
        lateness.note(.max, now: 1)
        #expect(lateness.longest == CongestionConstants.mostLateness)
    }

    @Test func whatANetworkCardsQueuesDoKeepsNobodyWaiting() {
        var lateness = Lateness()
        lateness.note(4_999_999, now: 1)
        #expect(lateness.notable == 0)
        lateness.note(5_000_000, now: 1)
        #expect(lateness.notable == 5_000_000)
        lateness.fade(now: Self.life + 1)
        #expect(lateness.longest > 0 && lateness.notable == 0)
    }
}
