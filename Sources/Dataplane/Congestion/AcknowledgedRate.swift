/// At which rate packets come in, by their arrival times.
struct AcknowledgedRate: BitwiseCopyable {
    private struct Report: BitwiseCopyable {
        var bits = 0.0
        /// The last arrival, ns.
        var end: Int64 = 0
    }

    private static let capacity = 16
    private var reports = InlineArray<16, Report>(repeating: Report())
    private var next = 0
    private var count = 0

    private func index(back steps: Int) -> Int { (next &+ 2 &* Self.capacity &- 1 &- steps) % Self.capacity }

    /// A report's bits, and its last arrival (ns). What came before a pause says nothing of what comes after it.
    mutating func note(bits: Double, end: Int64) {
        if count > 0, end &- reports[index(back: 0)].end > CongestionConstants.ratePause { count = 0 }
        reports[next] = Report(bits: bits, end: end)
        next = (next &+ 1) % Self.capacity
        count = min(count &+ 1, Self.capacity)
    }

    /// Bit/s over the latest reports that reach `span` ns back; 0 when there are too few.
    func rate(over span: Int64) -> Double {
        guard count >= 2 else { return 0 }
        let latest = reports[index(back: 0)].end
        var sum = 0.0
        var start = latest
        for steps in 0..<(count &- 1) {
            sum += reports[index(back: steps)].bits
            start = reports[index(back: steps &+ 1)].end
            if latest &- start >= span { break }
        }
        return latest > start ? sum / Double(latest &- start) * 1e9 : 0
    }
}
