/// Keeps sound below a ceiling without clipping it: the gain falls before a peak comes, and rises slowly behind it. What is below the ceiling
/// passes bit for bit. Stereo, both sides alike. It is `lookAhead` samples late.
struct Limiter: Sendable {
    /// -1.5 dBFS: AAC may go a little beyond what it is given.
    static let ceiling: Float = 0.841_395
    /// 5 ms of 48 kHz.
    static let lookAhead = 240
    /// Of the way back to 1 in each sample: a time constant of 200 ms.
    private static let release = 1.0 / 9_600

    private var left = [Float](repeating: 0, count: lookAhead)
    private var right = [Float](repeating: 0, count: lookAhead)
    /// The gains that the samples within the look-ahead need, and when each was; rising (a monotonic queue).
    private var needed: [(at: Int, gain: Float)] = []
    private var firstNeeded = 0
    /// The gains of the last `lookAhead` samples, whose mean is applied: a ramp that is down as the peak comes.
    private var gains = [Double](repeating: 1, count: lookAhead)
    private var sum = Double(lookAhead)
    /// How many of them are below 1.
    private var reduced = 0
    /// Single precision would stop short of 1.
    private var gain = 1.0
    private var position = 0

    /// Takes a sample, and gives the one that is `lookAhead` older.
    mutating func next(_ sample: (Float, Float)) -> (Float, Float) {
        let peak = max(abs(sample.0), abs(sample.1))
        note(peak > Self.ceiling ? Self.ceiling / peak : 1)
        let lowest = firstNeeded < needed.count ? Double(needed[firstNeeded].gain) : 1
        gain = min(lowest, 1 - gain < 1e-4 ? 1 : gain + (1 - gain) * Self.release)
        let slot = position % Self.lookAhead
        if gains[slot] < 1 { reduced -= 1 }
        if gain < 1 { reduced += 1 }
        sum += gain - gains[slot]
        gains[slot] = gain
        let old = (left[slot], right[slot])
        (left[slot], right[slot]) = sample
        position += 1
        guard reduced > 0 else { return old }
        let mean = Float(sum / Double(Self.lookAhead))
        return (old.0 * mean, old.1 * mean)
    }

    private mutating func note(_ gain: Float) {
        while needed.count > firstNeeded, let last = needed.last, last.gain >= gain { needed.removeLast() }
        if gain < 1 { needed.append((position, gain)) }
        // The sample that comes out next needs its gain too.
        while firstNeeded < needed.count, needed[firstNeeded].at < position - Self.lookAhead { firstNeeded += 1 }
        if firstNeeded > Self.lookAhead {
            needed.removeFirst(firstNeeded)
            firstNeeded = 0
        }
    }
}
