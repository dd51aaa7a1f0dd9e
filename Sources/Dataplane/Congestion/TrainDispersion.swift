/// The capacity that packets sent close together show: a bottleneck spreads them to its own rate. A video frame is such a
/// train, for nothing; a probe is one on purpose. Times are ns.
struct TrainDispersion: BitwiseCopyable {
    private struct Train: BitwiseCopyable {
        var bits = 0.0
        /// The longer one of sending and arriving: what was not spread shows the rate at which it was sent, and no more.
        var span = 0.0
        var arrival: Int64 = 0
    }

    private static let capacity = 4
    private var trains = InlineArray<4, Train>(repeating: Train())
    private var next = 0

    // The train that is being read.
    private var firstSent: Int64 = 0
    private var firstArrival: Int64 = 0
    private var lastSent: Int64 = 0
    private var lastArrival: Int64 = 0
    private var lastBits = 0.0
    private var bits = 0.0
    private var isProbe = false
    /// When the latest packet of a probe was sent.
    private var probeSent: Int64 = 0
    private var hasFirst = false
    /// Packets after the first.
    private var count = 0
    private var probed = 0.0

    /// A received packet, in order of number; `rate`: bit/s of today's share.
    mutating func note(bits size: Double, sent: Int64, arrival: Int64, isProbe probe: Bool, rate: Double) {
        let isInOrder = hasFirst && arrival >= lastArrival && sent >= lastSent
        if isInOrder, isProbe, sent &- probeSent < CongestionConstants.probeGap {
            // Media between the packets of a probe is part of it.
            bits += size
            if probe { noteProbe(sent: sent, arrival: arrival) }
        } else if isInOrder, !isProbe, !probe, isClose(sent: sent, rate: rate) {
            bits += size
            count &+= 1
        } else {
            close()
            firstSent = sent
            firstArrival = arrival
            isProbe = probe
            probeSent = sent
            hasFirst = true
        }
        lastSent = sent
        lastArrival = arrival
        lastBits = size
    }

    private mutating func noteProbe(sent: Int64, arrival: Int64) {
        count &+= 1
        probeSent = sent
        guard count >= CongestionConstants.probeGaps else { return }
        probed = bits / Double(max(sent &- firstSent, arrival &- firstArrival, ArrivalClock.tick)) * 1e9
    }

    /// Whether a packet was sent faster behind the last one than the share allows.
    private func isClose(sent: Int64, rate: Double) -> Bool {
        Double(sent &- lastSent) * rate * CongestionConstants.trainFactor <= lastBits * 1e9
    }

    /// What was lost in a train took its time to send.
    mutating func noteLost(bits size: Double) {
        if count > 0 { lastBits += size }
    }

    /// Ends what is being read; a train that goes on counts as another one.
    mutating func close() {
        if count > 0, !isProbe {
            let span = Double(max(lastSent &- firstSent, lastArrival &- firstArrival, ArrivalClock.tick))
            trains[next] = Train(bits: bits, span: span, arrival: lastArrival)
            next = (next &+ 1) % Self.capacity
        }
        isProbe = false
        count = 0
        bits = 0
        firstSent = lastSent
        firstArrival = lastArrival
    }

    /// Bit/s that a probe showed since the last call, 0 without one.
    mutating func takeProbed() -> Double {
        defer { probed = 0 }
        return probed
    }

    /// Bit/s that the trains since `arrival` show together, 0 without any.
    func rate(since arrival: Int64) -> Double {
        var sum = 0.0
        var span = 0.0
        for index in 0..<Self.capacity where trains[index].span > 0 && trains[index].arrival >= arrival {
            sum += trains[index].bits
            span += trains[index].span
        }
        return span > 0 ? sum / span * 1e9 : 0
    }
}
