/// The capacity of a bottleneck over time. Times are whole microseconds.
public struct CapacitySchedule: Sendable {
    private let starts: [Int]
    private let rates: [Double]

    /// `steps`: seconds from which on a capacity in Mbit/s holds; the first begins at 0.
    public init(_ steps: [(second: Double, megabits: Double)]) {
        starts = steps.map { Int($0.second * 1e6) }
        rates = steps.map { $0.megabits * 1e6 }
    }

    private func index(at time: Int) -> Int { (starts.lastIndex { $0 <= time }) ?? 0 }

    /// Bit/s.
    public func rate(at time: Int) -> Double { rates[index(at: time)] }

    /// Bits that fit between two times.
    public func bits(from start: Int, to end: Int) -> Double {
        var sum = 0.0
        for index in starts.indices {
            let from = max(start, starts[index])
            let to = min(end, index + 1 < starts.count ? starts[index + 1] : end)
            if to > from { sum += rates[index] * Double(to - from) / 1e6 }
        }
        return sum
    }

    /// When `bits` that begin at `start` are through: the exact integral, rounded up to a microsecond.
    func end(of bits: Double, from start: Int) -> Int {
        var index = index(at: start)
        var time = start
        var rest = bits
        while index + 1 < starts.count {
            let room = rates[index] * Double(starts[index + 1] - time) / 1e6
            if room >= rest { break }
            rest -= room
            index += 1
            time = starts[index]
        }
        return time + Int((rest / rates[index] * 1e6).rounded(.up))
    }
}
