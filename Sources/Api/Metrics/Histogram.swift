/// A cumulative histogram (Prometheus exposition format 0.0.4).
struct Histogram: Sendable {
    /// Upper bounds, ascending; one more bucket takes the rest.
    let bounds: [Double]
    private(set) var counts: [UInt64]
    private(set) var sum = 0.0

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    /// A histogram that was counted elsewhere; `counts` has one more than `bounds`.
    init(bounds: [Double], counts: [UInt64], sum: Double) {
        self.bounds = bounds
        self.counts = counts
        self.sum = sum
    }

    var count: UInt64 { counts.reduce(0, &+) }

    mutating func observe(_ value: Double) {
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        counts[bucket] &+= 1
        sum += value
    }
}
