import Testing
import Wire

@testable import Dataplane

@Suite struct RepeatLogTests {
    private let millisecond: UInt64 = 1_000_000

    private func withLog(_ body: (RepeatLog) -> Void) {
        withUnsafeTemporaryAllocation(of: RepeatLog.Entry.self, capacity: RepeatLog.depth) {
            $0.initialize(repeating: RepeatLog.Entry())
            body(RepeatLog(entries: $0.baseAddress!))
        }
    }

    @Test func aPacketGoesOnceInEachPause() {
        withLog { log in
            let sent = (0..<400).filter { time in
                log.admits(slot: 3, number: 7, pause: 80 * millisecond, now: UInt64(time) * millisecond)
            }
            #expect(sent == [0, 80, 160, 240, 320])
            #expect(log.admits(slot: 4, number: 7, pause: 80 * millisecond, now: 330 * millisecond), "of another Slot")
            #expect(
                log.admits(slot: 3, number: 8, pause: 80 * millisecond, now: 330 * millisecond), "of another number")
        }
    }

    @Test func aPacketDoesNotGoForEver() {
        withLog { log in
            let times = (0..<1_000).count { log.admits(slot: 0, number: 1, pause: 0, now: UInt64($0) * millisecond) }
            #expect(times == 10)
            // 65,536 packets later the number is another packet's.
            #expect(log.admits(slot: 0, number: 1, pause: 0, now: 11_000 * millisecond))
        }
    }

    /// The clock of 24 bits comes around every 4.7 hours.
    @Test func theClockMayWrap() {
        withLog { log in
            let start: UInt64 = ((1 << 24) - 10) * millisecond
            #expect(log.admits(slot: 0, number: 1, pause: 20 * millisecond, now: start))
            #expect(!log.admits(slot: 0, number: 1, pause: 20 * millisecond, now: start + 19 * millisecond))
            #expect(log.admits(slot: 0, number: 1, pause: 20 * millisecond, now: start + 20 * millisecond))
        }
    }

    @Test func thePauseIsARoundTripWithinBounds() {
        #expect(RepeatLog.pause(RoundTripTime()) == 40 * millisecond)
        for (delay, pause) in [(1, 10), (125, 125), (5_000, 1_000)] {
            var time = RoundTripTime()
            time.note(report(age: delay), ntp: Self.ntp)
            #expect(RepeatLog.pause(time) / millisecond == UInt64(pause), "\(delay)")
        }
    }

    private static let ntp: UInt64 = 0xe000_0000_0000_0000

    /// A report that came so many ms after our sender report, without a delay at the peer.
    private func report(age: Int, delay: Int = 0) -> ReportBlock {
        let middle = UInt32(truncatingIfNeeded: Self.ntp >> 16)
        let units = { (milliseconds: Int) in UInt32(milliseconds * 65_536 / 1_000) }
        return ReportBlock(
            ssrc: 1, lastSenderReport: middle &- units(age), delaySinceLastSenderReport: units(delay))
    }

    @Test func whatCannotBeIsNoRoundTrip() {
        let reports = [
            ReportBlock(ssrc: 1), report(age: 100, delay: 200), report(age: 61_000), report(age: 250, delay: 125),
        ]
        var time = RoundTripTime()
        let isTaken = reports.map { time.note($0, ntp: Self.ntp) }
        // None of ours came; it waited longer than it took; it took too long.
        #expect(isTaken == [false, false, false, true])
        #expect(time.smoothed / millisecond == 125)
        for _ in 0..<50 { time.note(report(age: 20), ntp: Self.ntp) }
        #expect(time.smoothed / millisecond <= 21)
    }
}
