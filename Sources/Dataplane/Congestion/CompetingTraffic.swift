/// Notices that others keep the queue full, and keeps to their ways as long as they do: the window of CUBIC (RFC 9438).
struct CompetingTraffic: BitwiseCopyable {
    private(set) var isPresent = false
    /// The queue that should drain, how much of it should be gone, ns, and since when.
    private var queueAtStart = 0.0
    private var expected = 0.0
    private var since: UInt64 = 0
    private var leftAt: UInt64 = 0
    private var shortReports = 0

    /// Segments: today's, and before and after the latest loss.
    private var window = 10.0
    private var windowBefore = 0.0
    private var windowAfter = 10.0
    private var epoch: UInt64 = 0
    private var lossAt: UInt64 = 0
    private var testAt: UInt64 = 0
    private var testEnd: UInt64 = 0

    /// Bit/s that CUBIC would send.
    func share(roundTrip: Double) -> Double { window * CongestionConstants.segmentBits / max(roundTrip, 1e6) * 1e9 }

    /// The factor to send with: now and then less, to see whether the queue is of our making.
    func factor(now: UInt64) -> Double { now < testEnd ? CongestionConstants.testFactor : 1 }

    /// `queue`: ns of waiting; `drained`: ns of it that should be gone since the report before, by what was sent and what
    /// was delivered meanwhile; `share`: bit/s before competition.
    mutating func note(queue: Double, drained: Double, roundTrip: Double, share: Double, lost: Int, now: UInt64) {
        if isPresent {
            adapt(queue: queue, roundTrip: roundTrip, lost: lost, now: now)
        } else if watch(queue: queue, drained: drained, roundTrip: roundTrip, now: now) {
            begin(roundTrip: roundTrip, share: share, now: now)
        }
    }

    private func isAgain(_ now: UInt64) -> Bool { leftAt > 0 && now &- leftAt < CongestionConstants.competitionMemory }

    /// Whether a queue stays although it should be gone.
    private mutating func watch(queue: Double, drained: Double, roundTrip: Double, now: UInt64) -> Bool {
        guard queue > CongestionConstants.competitionQueue else {
            queueAtStart = 0
            return false
        }
        if queueAtStart == 0 || queue < CongestionConstants.drainingFactor * queueAtStart {
            queueAtStart = queue
            expected = 0
            since = now
        }
        let isSettled = Double(now &- since) > max(roundTrip, queueAtStart) + CongestionConstants.drainSettling
        if isSettled { expected += drained } else { queueAtStart = max(queueAtStart, queue) }
        let needed = CongestionConstants.drainPatience * queueAtStart + CongestionConstants.drainSlack
        return expected > needed * (isAgain(now) ? 0.5 : 1)
    }

    private mutating func begin(roundTrip: Double, share: Double, now: UInt64) {
        isPresent = true
        queueAtStart = 0
        shortReports = 0
        testAt = now &+ CongestionConstants.testInterval
        testEnd = 0
        if isAgain(now) {
            epoch &+= now &- leftAt
        } else {
            windowBefore = 0
            window = max(CongestionConstants.leastWindow, share * roundTrip / 1e9 / CongestionConstants.segmentBits)
            windowAfter = window
            epoch = now
        }
    }

    private mutating func adapt(queue: Double, roundTrip: Double, lost: Int, now: UInt64) {
        shortReports = queue < CongestionConstants.competitionOver ? shortReports &+ 1 : 0
        if shortReports >= CongestionConstants.competitionOverReports {
            leftAt = now
            isPresent = false
            return
        }
        if lost > 0, Double(now &- lossAt) > roundTrip {
            lossAt = now
            epoch = now
            windowBefore = window < windowBefore ? window * CongestionConstants.convergence : window
            window = max(CongestionConstants.leastWindow, window * CongestionConstants.competitionBeta)
            windowAfter = window
        } else {
            grow(roundTrip: roundTrip, now: now)
        }
        if now >= testAt {
            testEnd = now &+ CongestionConstants.testLength
            testAt = now &+ CongestionConstants.testInterval
        }
    }

    /// RFC 9438 sections 4.2 and 4.3.
    private mutating func grow(roundTrip: Double, now: UInt64) {
        let elapsed = min(Double(now &- epoch) / 1e9, 60)
        let scale = CongestionConstants.cubicScale
        let period = windowBefore > windowAfter ? Self.cubeRoot((windowBefore - windowAfter) / scale) : 0
        let time = elapsed - period
        let cubic = scale * time * time * time + max(windowBefore, windowAfter)
        let friendly = windowAfter + CongestionConstants.friendlyGain * elapsed / (max(roundTrip, 1e6) / 1e9)
        window = min(max(window, min(max(cubic, friendly), window * 1.2)), CongestionConstants.mostWindow)
    }

    /// Newton's method; enough steps for windows of up to `mostWindow`.
    private static func cubeRoot(_ value: Double) -> Double {
        var root = max(1, value / 3)
        for _ in 0..<24 { root -= (root - value / (root * root)) / 3 }
        return root
    }
}
