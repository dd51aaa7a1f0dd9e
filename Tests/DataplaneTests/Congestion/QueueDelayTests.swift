import Testing

@testable import Dataplane

@Suite struct QueueDelays {
    private func note(_ delays: some Sequence<Int64>, in queue: inout QueueDelay, from start: UInt64 = 0) {
        for (index, delay) in delays.enumerated() {
            queue.note(delay, mean: 0, now: start + UInt64(index) * 50_000_000)
        }
    }

    @Test func `a queue is what is above the least delay, whatever the clocks say`() {
        for clock: Int64 in [0, -3_000_000_000_000, 7_000_000_000_000] {
            var queue = QueueDelay()
            note([20, 25, 30, 35].map { clock + $0 * 1_000_000 }, in: &queue)
            #expect(queue.floor == 15e6 && queue.standing == 15e6 && queue.change == 5e6)
            #expect(queue.noise < 2e6 && queue.allowance == 0)
        }
    }

    @Test func `the least delay is forgotten after two periods`() {
        var queue = QueueDelay()
        note([10_000_000], in: &queue)
        note(repeatElement(30_000_000, count: 420), in: &queue, from: 50_000_000)
        #expect(queue.floor == 0)
    }

    @Test func `jitter is told from a queue, and a single spike from jitter`() {
        var random = UInt64(5)
        var noisy = QueueDelay()
        let jitter = (0..<200).map { _ -> Int64 in
            random = random &* 6_364_136_223_846_793_005 &+ 1
            return Int64(random >> 40) % 30_000_000
        }
        note(jitter, in: &noisy)
        #expect(noisy.noise > 3e6 && noisy.isNoisy)
        var spiky = QueueDelay()
        note((0..<200).map { $0 % 40 == 39 ? 100_000_000 : 20_000_000 }, in: &spiky)
        #expect(spiky.noise < 1.5e6 && !spiky.isNoisy)
    }

    @Test func `delays of no sense are bounded`() {
        var queue = QueueDelay()
        note([.max, .min, 0, -1, .max, .min], in: &queue)
        #expect((0...10e9).contains(queue.standing) && (0...10e9).contains(queue.steady))
        #expect(queue.noise.isFinite && queue.allowance.isFinite)
    }
}
