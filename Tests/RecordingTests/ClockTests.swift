import TestSupport
import Testing

@testable import Recording

@Suite struct ClockTests {
    private static let second: UInt64 = 1_000_000_000

    /// One stream of a sender whose sampling clock is wrong, and how it is dated.
    private struct Stream {
        let rate: UInt32
        let drift: Double
        let interval: UInt64
        /// From capture to the recorder, ns.
        let latency: UInt64
        var clock: CaptureClock
        var worst: Int64 = 0

        init(rate: UInt32, drift: Double, interval: UInt64, latency: UInt64) {
            (self.rate, self.drift, self.interval, self.latency) = (rate, drift, interval, latency)
            clock = CaptureClock(rate: rate)
        }

        func timestamp(_ moment: UInt64) -> UInt32 {
            4_000_000_000 &+ UInt32(truncatingIfNeeded: Int64(Double(moment) * (1 + drift / 1e6) * Double(rate) / 1e9))
        }
    }

    /// How far a dated frame is from when it was captured, ns.
    private static func error(_ time: UInt64, _ captured: UInt64) -> Int64 { Int64(time) - Int64(captured) }

    /// Sound and picture of a sender drift by 100 ppm in opposite ways for two hours; 1% of frames and reports are lost, and
    /// all come with jitter. They stay within 20 ms of each other.
    @Test(arguments: [1, 2] as [UInt64]) func twoHoursOfDriftLeaveSoundAndPictureTogether(_ seed: UInt64) {
        var generator = SplitMix(seed: seed)
        var reports = ReportClock()
        // The picture takes longer on its way.
        var streams = [
            Stream(rate: 48_000, drift: 100, interval: 20_000_000, latency: 25_000_000),
            Stream(rate: 90_000, drift: -100, interval: 33_333_333, latency: 90_000_000),
        ]
        var errors: [[Int64]] = [[], []]
        var jumps = 0
        let end = 7_200 * Self.second
        var next: [UInt64] = [0, 0]
        var nextReport: UInt64 = Self.second / 2
        func isLost() -> Bool { Double.random(in: 0..<1, using: &generator) < 0.01 }
        while let index = next.indices.min(by: { next[$0] < next[$1] }), next[index] < end {
            let moment = next[index]
            next[index] += streams[index].interval
            if moment >= nextReport {
                nextReport += Self.second
                for place in streams.indices where !isLost() {
                    // The sender's wall clock began a day before, and runs 50 ppm fast.
                    let wall = Double(moment) * 1.00005 / 1e9 + 3_900_000_000
                    let ntp = UInt64(wall) << 32 | UInt64((wall - wall.rounded(.down)) * 4_294_967_296)
                    let arrival = moment + 20_000_000 + .random(in: 0...30_000_000, using: &generator)
                    let written = reports.note(ntp: ntp, arrival: arrival + Self.second)
                    streams[place].clock.note(report: streams[place].timestamp(moment), moment: written)
                }
            }
            if isLost() { continue }
            let arrival = moment + streams[index].latency + .random(in: 0...30_000_000, using: &generator)
            // A second before the recorder's clock began nobody sent.
            let (time, step) = streams[index].clock.time(
                of: streams[index].timestamp(moment), arrival: arrival + Self.second)
            if step != nil { jumps += 1 }
            if moment > 5 * Self.second { errors[index].append(Self.error(time, moment + Self.second)) }
        }
        // To be compared each at the same moments: both are sampled evenly over the two hours.
        let windows = 720
        var worst: Int64 = 0
        for window in 0..<windows {
            let parts = errors.map { all in
                all[(all.count * window / windows)..<(all.count * (window + 1) / windows)]
            }
            worst = max(worst, parts[0].max()! - parts[1].min()!, parts[1].max()! - parts[0].min()!)
        }
        print("sound and picture after two hours: at most \(Double(worst) / 1e6) ms apart")
        #expect(worst < 20_000_000 && jumps == 0)
        // And both are where they were captured, but for the shortest way of a report.
        #expect(errors.allSatisfy { $0.allSatisfy { (0...60_000_000).contains($0) } })
    }

    @Test func beforeTheFirstReportArrivalsCount() {
        var clock = CaptureClock(rate: 48_000)
        var times: [UInt64] = []
        for index in 0..<100 {
            let arrival = 10 * Self.second + UInt64(index) * 20_000_000 + (index % 3 == 0 ? 0 : 8_000_000)
            times.append(clock.time(of: UInt32(index) * 960, arrival: arrival).time)
        }
        for (index, time) in times.enumerated() {
            #expect(Self.error(time, 10 * Self.second + UInt64(index) * 20_000_000).magnitude < 1_000_000)
        }
    }

    /// The first report says that all was captured 60 ms earlier: the clock goes there without a step back.
    @Test func theFirstReportIsApproachedWithoutAStep() {
        var clock = CaptureClock(rate: 48_000)
        var last: UInt64 = 0
        for index in 0..<500 {
            let captured = 10 * Self.second + UInt64(index) * 20_000_000
            if index == 25 { clock.note(report: UInt32(index) * 960, moment: captured - 60_000_000) }
            let time = clock.time(of: UInt32(index) * 960, arrival: captured).time
            #expect(time > last, "frame \(index)")
            last = time
            if index > 100 { #expect(Self.error(time, captured - 60_000_000).magnitude < 1_000_000) }
        }
    }

    @Test(arguments: [-900_000, 900_000, 40_000_000] as [Int32])
    func timestampsThatJumpAreDatedAnew(_ ticks: Int32) {
        var clock = CaptureClock(rate: 90_000)
        var timestamp: UInt32 = 4_294_900_000
        var steps = 0
        for index in 0..<200 {
            let arrival = Self.second + UInt64(index) * 33_333_333
            if index == 100 { timestamp &+= UInt32(bitPattern: ticks) }
            let (time, step) = clock.time(of: timestamp, arrival: arrival)
            if step != nil { steps += 1 }
            #expect(Self.error(time, arrival).magnitude < 50_000_000)
            timestamp &+= 3_000
        }
        #expect(steps == 1)
    }

    @Test func aReportThatCannotBeIsNotBelieved() {
        var clock = CaptureClock(rate: 90_000)
        for index in 0..<100 {
            let arrival = 100 * Self.second + UInt64(index) * 33_333_333
            if index == 30 { clock.note(report: UInt32(index) * 3_000, moment: 10 * Self.second) }
            if index == 60 { clock.note(report: UInt32(index) * 3_000, moment: 1_000 * Self.second) }
            let (time, step) = clock.time(of: UInt32(index) * 3_000, arrival: arrival)
            #expect(step == nil && Self.error(time, arrival).magnitude < 1_000_000)
        }
    }

    /// A pause of an hour, as of a muted microphone, moves nothing.
    @Test func aPauseIsNoJump() {
        var clock = CaptureClock(rate: 48_000)
        #expect(clock.time(of: 0, arrival: Self.second).step == nil)
        let (time, step) = clock.time(of: 3_600 * 48_000, arrival: 3_601 * Self.second)
        #expect(step == nil && Self.error(time, 3_601 * Self.second).magnitude < 1_000_000)
    }
}
