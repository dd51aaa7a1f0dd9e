/// How long packets wait at the bottleneck: their delay above the least one that the path showed. All of it ns.
struct QueueDelay: BitwiseCopyable {
    /// The least delay of this period and of the one before; of unlike clocks.
    private var least: Int64 = .max
    private var leastBefore: Int64 = .max
    private var periodStart: UInt64 = 0
    private var startedAt: UInt64 = 0
    private var previous: Int64 = 0
    private var beforePrevious: Int64 = 0
    private var basis: Int64 = 0
    private var count = 0

    /// The mean delay, smoothed, above `origin`, and its least values of this period and of the one before.
    private var origin: Int64 = 0
    private var smooth = 0.0
    private var usual = 0.0
    private var usualBefore = 0.0

    /// Mean variation of delays that no queue explains.
    private(set) var noise = 0.0
    /// The least wait of the latest report, and the mean one.
    private(set) var floor = 0.0
    private(set) var standing = 0.0
    /// The mean one, smoothed the more the noisier the path is.
    private(set) var steady = 0.0
    /// Of `standing` since the report before.
    private(set) var change = 0.0

    var base: Int64 { min(least, leastBefore) }

    private var excessNoise: Double { max(0, noise - CongestionConstants.noiseFree) }

    /// What noise makes of an empty queue.
    var allowance: Double {
        let most = excessNoise * CongestionConstants.noiseFactor
        let above = max(0, min(usual, usualBefore) - Double(base &- origin))
        return min(most, above + CongestionConstants.noiseMargin * excessNoise)
    }

    var isNoisy: Bool { allowance > CongestionConstants.noisyAllowance }

    /// `delay`: the least one of a report's packets; `mean`: above it.
    mutating func note(_ delay: Int64, mean: Double, now: UInt64) {
        notePeriod(delay, mean: mean, now: now)
        least = min(least, delay)
        smooth += (Double(delay &- origin) + mean - smooth) * CongestionConstants.usualWeight
        usual = min(usual, smooth)
        noteNoise(delay)
        let before = standing
        if count > 0 { steady += Double(basis &- base) }
        basis = base
        floor = min(max(0, Double(delay &- base)), CongestionConstants.mostDelay)
        standing = min(floor + mean, CongestionConstants.mostDelay)
        change = standing - before
        steady += (standing - steady) / (1 + excessNoise / CongestionConstants.steadyScale)
        steady = min(max(0, steady), CongestionConstants.mostDelay)
        count &+= 1
    }

    /// Minima are of one to two periods, as routes and clocks change.
    private mutating func notePeriod(_ delay: Int64, mean: Double, now: UInt64) {
        if count == 0 {
            origin = delay
            smooth = mean
            usual = mean
            least = delay
            startedAt = now
        } else {
            // At the start of a noisy path few packets showed its least delays, or luck did.
            let isEarly = isNoisy && now &- startedAt < CongestionConstants.earlyBase
            let period = isEarly ? CongestionConstants.earlyBasePeriod : CongestionConstants.basePeriod
            guard now &- periodStart > period else { return }
        }
        usualBefore = usual
        usual = smooth
        leastBefore = least
        least = delay
        periodStart = now
    }

    /// A queue grows and drains in lines; what bends from report to report is noise. A single spike counts little.
    private mutating func noteNoise(_ delay: Int64) {
        if count >= 2 {
            let bend = abs(Double(delay &- 2 &* previous &+ beforePrevious)) / 2
            let limit = CongestionConstants.spikeFactor * noise + CongestionConstants.spikeSlack
            noise += (min(bend, CongestionConstants.mostNoise, limit) - noise) * CongestionConstants.noiseWeight
        }
        beforePrevious = previous
        previous = delay
    }
}
