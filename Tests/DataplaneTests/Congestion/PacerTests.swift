import Testing

@testable import Dataplane

@Suite struct Pacers {
    @Test func `under its budget a packet leaves at once, over it evenly`() {
        let factor = CongestionConstants.pacingFactor
        var pacer = Pacer(now: 0)
        pacer.setTarget(8_000_000, now: 1_000_000_000)
        var now: UInt64 = 1_000_000_000
        var atOnce = 0
        while pacer.mayGo(now: now) {
            pacer.noteSent(bytes: 1_000, now: now)
            atOnce += 1
        }
        // A burst of 5 ms, and the packet that ends it.
        #expect(atOnce == Int(5 * factor) + 1)
        var sent = 0
        while now < 2_000_000_000 {
            now = max(now, pacer.readyAt)
            pacer.noteSent(bytes: 1_000, now: now)
            sent += 1
        }
        #expect(abs(Double(sent) - 1_000 * factor) <= 2)
    }

    @Test func `a lower target does not hold back what comes longer than a full queue`() {
        var pacer = Pacer(now: 0)
        pacer.setTarget(20_000, now: 0)
        pacer.noteSent(bytes: 60_000, now: 0)
        #expect(pacer.readyAt > 1_000_000_000)
        pacer.setTarget(10_000_000, now: 0)
        #expect(pacer.readyAt == 300_000_000)
    }

    @Test func `what would wait longer than 300 ms is too much`() {
        var pacer = Pacer(now: 0)
        pacer.setTarget(1_000_000, now: 0)
        let most = Int(1_000_000 * CongestionConstants.pacingFactor * 0.3 / 8)
        #expect(!pacer.isFull(waitingBytes: most - 10) && pacer.isFull(waitingBytes: most + 10))
    }
}
