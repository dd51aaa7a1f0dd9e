import Meetings
import TestSupport
import Testing

@testable import Webhooks

@Suite struct RetrySchedules {
    private static let now = Timestamp(milliseconds: 1_800_000_000_000)

    /// Seconds until the next attempt; nil: there is none.
    private static func wait(
        _ answer: DeliveryAnswer, attempts: Int = 1, age: Duration = .zero, _ schedule: RetrySchedule = RetrySchedule()
    ) -> Double? {
        var generator = SplitMix(seed: 7)
        let verdict = schedule.verdict(
            on: answer, attempts: attempts, since: now + (.zero - age), at: now, using: &generator)
        guard case .retry(let moment) = verdict else { return nil }
        return (moment - now) / .seconds(1)
    }

    @Test func whatWasTakenIsDelivered() {
        var generator = SplitMix(seed: 1)
        for status in [200, 201, 204, 299] {
            let verdict = RetrySchedule().verdict(
                on: .status(status), attempts: 10, since: Self.now, at: Self.now, using: &generator)
            #expect(verdict == .delivered)
        }
    }

    @Test(arguments: [100, 199, 300, 301, 302, 400, 401, 404, 429, 500, 503, 599])
    func otherAnswersAreTriedAgain(_ status: Int) throws {
        let wait = try #require(Self.wait(.status(status)))
        #expect((4...6).contains(wait))
    }

    @Test func theWaitsGrowAndHaveAnEnd() throws {
        let schedule = RetrySchedule()
        for (attempts, delay) in zip(1..., schedule.delays) {
            let wait = try #require(Self.wait(.silence("late"), attempts: attempts))
            let nominal = delay / .seconds(1)
            #expect((0.8 * nominal...1.2 * nominal).contains(wait))
        }
        #expect(Self.wait(.silence("late"), attempts: schedule.delays.count + 1) == nil)
        #expect(Self.wait(.status(500), age: RetrySchedule.horizon) == nil)
        #expect(Self.wait(.status(500), age: RetrySchedule.horizon - .seconds(1)) != nil)
    }

    @Test func theWaitsAreSpread() {
        var generator = SplitMix(seed: 3)
        let waits = (0..<100).map { _ in
            RetrySchedule().verdict(
                on: .silence("late"), attempts: 1, since: Self.now, at: Self.now, using: &generator)
        }
        #expect(Set(waits.map { "\($0)" }).count > 90)
    }

    @Test func whoIsGoneIsLeftAlone() { #expect(Self.wait(.status(410)) == nil) }

    @Test func aReceiverMaySayWhenWithinBounds() {
        #expect(Self.wait(.status(503, retryAfter: "90")) == 90)
        #expect(Self.wait(.status(429, retryAfter: "90")) == 90)
        // 2027-01-15T08:00:00Z is now.
        #expect(Self.wait(.status(429, retryAfter: "Fri, 15 Jan 2027 08:02:00 GMT")) == 120)
        #expect(Self.wait(.status(503, retryAfter: "999999999")) == 86_400)
        // No sooner than it would be by itself, and of no other answer.
        for answer in [
            DeliveryAnswer.status(503, retryAfter: "0"), .status(503, retryAfter: "-1"), .status(503, retryAfter: ""),
            .status(503, retryAfter: "soon"), .status(503, retryAfter: "99999999999999999999"),
            .status(503, retryAfter: "Thu, 01 Jan 1970 00:00:00 GMT"), .status(500, retryAfter: "90"),
        ] {
            #expect((4...6).contains(Self.wait(answer) ?? 0), "\(answer)")
        }
    }
}
