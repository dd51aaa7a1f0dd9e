import Testing

@testable import Dataplane

@Suite struct CompetingTraffics {
    private let roundTrip = 350e6

    /// Reports each 50 ms of a queue that stays, while half of it should go.
    private func crowd(_ traffic: inout CompetingTraffic, seconds: Double, from start: UInt64 = 0) -> UInt64 {
        var now = start
        while Double(now - start) < seconds * 1e9 {
            now += 50_000_000
            traffic.note(queue: 200e6, drained: 25e6, roundTrip: roundTrip, share: 1e6, lost: 0, now: now)
        }
        return now
    }

    @Test func `a queue that does not drain is others'`() {
        var traffic = CompetingTraffic()
        _ = crowd(&traffic, seconds: 1)
        #expect(!traffic.isPresent)
        _ = crowd(&traffic, seconds: 1.5, from: 1_000_000_000)
        #expect(traffic.isPresent)
    }

    @Test func `a queue that drains is ours`() {
        var traffic = CompetingTraffic()
        for report in 1...100 as ClosedRange<UInt64> {
            traffic.note(
                queue: max(0, 300e6 - Double(report) * 20e6), drained: 25e6, roundTrip: roundTrip, share: 1e6, lost: 0,
                now: report * 50_000_000)
        }
        #expect(!traffic.isPresent)
    }

    @Test func `beside others the window is CUBIC's, until the queue goes`() {
        var traffic = CompetingTraffic()
        var now = crowd(&traffic, seconds: 2.5)
        #expect(traffic.isPresent)
        now = crowd(&traffic, seconds: 3, from: now)
        let before = traffic.share(roundTrip: roundTrip)
        #expect(before > 1e6)
        now += 50_000_000
        traffic.note(queue: 300e6, drained: 0, roundTrip: roundTrip, share: 1e6, lost: 3, now: now)
        let after = traffic.share(roundTrip: roundTrip)
        #expect(abs(after / before - CongestionConstants.competitionBeta) < 0.01)
        now += 50_000_000
        traffic.note(queue: 300e6, drained: 0, roundTrip: roundTrip, share: 1e6, lost: 3, now: now)
        #expect(traffic.share(roundTrip: roundTrip) >= after, "one loss an RTT")
        for _ in 0..<40 {
            now += 50_000_000
            traffic.note(queue: 5e6, drained: 0, roundTrip: roundTrip, share: 1e6, lost: 0, now: now)
        }
        #expect(!traffic.isPresent)
    }
}
