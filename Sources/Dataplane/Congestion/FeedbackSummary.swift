/// What the feedback since the last update of the estimate said. Times are ns.
struct FeedbackSummary: BitwiseCopyable {
    private(set) var received = 0
    /// Less what counted as lost before and came after all; below zero where more of that came than was lost.
    private(set) var lost = 0
    private(set) var receivedBits = 0.0
    /// The latest arrival, by the receiver's clock.
    private(set) var lastArrival: Int64 = .min
    /// From sending to arriving: of unlike clocks, so that only differences mean something.
    private(set) var leastDelay: Int64 = .max
    /// From sending to the feedback, of the latest packet.
    private(set) var roundTrip = 0.0
    /// Delays that count: packets that a stall held back and let go at once count as the last one of them.
    private(set) var samples = 0

    private var delaySum = 0.0
    private var clumpDelay = 0.0
    private var origin: Int64 = 0
    private var previousArrival: Int64 = 0
    private var previousSent: Int64 = 0

    /// Packets that came in before one that was sent before them.
    private var overtaking = 0

    /// The mean delay above the least one. Nobody overtakes in a queue: where some do, the least delay alone tells of it.
    var meanAboveLeast: Double {
        guard samples > 0, overtaking &* CongestionConstants.overtakingPart <= received else { return 0 }
        return max(0, delaySum / Double(samples) + Double(origin &- leastDelay))
    }

    mutating func noteLost() { lost &+= 1 }
    mutating func noteLate() { lost &-= 1 }

    /// `rate`: bit/s of today's share, by which packets of a stall are told from those of a queue.
    mutating func noteReceived(bits: Double, sent: Int64, arrival: Int64, roundTrip: Double, rate: Double) {
        let delay = arrival &- sent
        if received == 0 { origin = delay }
        let above = Double(delay &- origin)
        let gap = arrival &- previousArrival
        let isClump =
            received > 0 && gap < sent &- previousSent
            && Double(gap) * rate * CongestionConstants.clumpFactor < bits * 1e9
        if received > 0, gap < 0 { overtaking &+= 1 }
        if isClump { delaySum -= clumpDelay } else { samples &+= 1 }
        delaySum += above
        clumpDelay = above
        previousArrival = arrival
        previousSent = sent
        received &+= 1
        receivedBits += bits
        leastDelay = min(leastDelay, delay)
        lastArrival = max(lastArrival, arrival)
        self.roundTrip = roundTrip
    }
}
