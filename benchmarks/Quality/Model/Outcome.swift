/// What came of a run.
public struct Outcome: Sendable {
    /// Of the capacity, by media; where TCP flows come and go, by both.
    public let utilisation: Double
    /// Milliseconds before service, of all media packets that were not dropped.
    public let queueMedian: Double
    public let queue95: Double
    /// Of what was sent, percent.
    public let drops: Double
    /// Jain's index, 1 is fair; 1 where a case does not ask.
    public let fairness: Double
    /// Mbit/s of each flow where fairness is taken.
    public let shares: [Double]
    /// Seconds, by name.
    public let times: [String: Double]
    /// Seconds and Mbit/s of each flow's target, for plots.
    public let targets: [[(second: Double, megabits: Double)]]
    /// Bytes delivered of each flow.
    private let rates: [[(arrival: Int, bytes: Int)]]

    init(_ run: Simulation) {
        rates = run.flows.map(\.delivered)
        let end = Int(run.plan.seconds * 1e6)
        utilisation = Self.utilisation(run, end: end)
        let waits = run.waits.map { Double($0.start - $0.entry) / 1_000 }.sorted()
        queueMedian = Self.quantile(waits, 0.5)
        queue95 = Self.quantile(waits, 0.95)
        let sent = run.flows.reduce(0) { $0 + $1.sent }
        drops = 100 * Double(run.flows.reduce(0) { $0 + $1.dropped }) / Double(max(sent, 1))
        let window = run.plan.fairness ?? 0...run.plan.seconds
        let length = (window.upperBound - window.lowerBound) * 1e6
        let all = run.flows.map(\.delivered) + (run.plan.tcp.isEmpty ? [] : [run.tcpDelivered])
        shares = all.map { Double(Self.bytes($0, window) * 8) / length }
        fairness = run.plan.fairness == nil ? 1 : Self.jain(shares)
        times = Self.times(run, end: end)
        targets = run.flows.map { $0.targets.map { (Double($0.time) / 1e6, Double($0.target) / 1e6) } }
    }

    private static func utilisation(_ run: Simulation, end: Int) -> Double {
        let first = run.flows.map(\.start).min() ?? 0
        if let reference = run.plan.reference {
            let bits = bytes(run.flows[0].delivered, reference.second...run.plan.seconds) * 8
            return Double(bits) / (reference.megabits * 1e6 * (run.plan.seconds - reference.second))
        }
        let forward = run.flows.filter { !$0.plan.isReverse }
        var bits = forward.reduce(0) { $0 + bytes($1.delivered, 0...run.plan.seconds) * 8 }
        // Short TCP flows leave room that media should take: what counts is the link.
        if run.plan.shortTCP > 0 { bits += bytes(run.tcpDelivered, Double(first) / 1e6...run.plan.seconds) * 8 }
        return Double(bits) / run.plan.capacity.bits(from: first, to: end)
    }

    static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    private static func jain(_ rates: [Double]) -> Double {
        let sum = rates.reduce(0, +)
        let squares = rates.reduce(0) { $0 + $1 * $1 }
        return squares > 0 ? sum * sum / (Double(rates.count) * squares) : 0
    }

    private static func bytes(_ delivered: [(arrival: Int, bytes: Int)], _ window: ClosedRange<Double>) -> Int {
        let from = Int(window.lowerBound * 1e6)
        let to = Int(window.upperBound * 1e6)
        return delivered.reduce(0) { $0 + ($1.arrival > from && $1.arrival <= to ? $1.bytes : 0) }
    }
}

// MARK: - Times

extension Outcome {
    /// Never, as seconds.
    public static let never = 999.0

    private static func times(_ run: Simulation, end: Int) -> [String: Double] {
        let delivered = run.flows[0].delivered
        func reach(_ name: String, _ megabits: Double, from second: Double, window: Int = 500_000) -> (String, Double) {
            (name, time(delivered, toReach: megabits * 1e6, from: Int(second * 1e6), window: window, end: end))
        }
        switch run.plan.name {
        case "5.1": return Dictionary(uniqueKeysWithValues: [reach("to 90% after 40 s", 2.25, from: 40)])
        case "a": return Dictionary(uniqueKeysWithValues: [reach("to 90% of 12 Mbit/s", 10.8, from: 0)])
        case "b":
            return Dictionary(uniqueKeysWithValues: [
                ("queue < 100 ms", shortQueue(run, from: 30_000_000)), reach("back to 90%", 2.7, from: 60),
            ])
        case "g": return Dictionary(uniqueKeysWithValues: [reach("0.3 to 2.5 Mbit/s", 2.25, from: 60)])
        case "h":
            return Dictionary(uniqueKeysWithValues: [
                reach("top layer at the start", 2.25, from: 0), reach("top layer after the drop", 2.25, from: 40),
            ])
        case "5.8":
            return Dictionary(uniqueKeysWithValues: [
                reach("resumed flow at half its share", 3.5 / 6, from: 60, window: 1_000_000)
            ])
        default: return [:]
        }
    }

    /// Seconds to the end of the first window with so many bit/s.
    private static func time(
        _ delivered: [(arrival: Int, bytes: Int)], toReach rate: Double, from start: Int, window: Int, end: Int
    ) -> Double {
        let needed = rate * Double(window) / 8e6
        var sum = 0
        var head = 0
        var tail = 0
        for time in stride(from: start + window, through: end, by: 1_000) {
            while head < delivered.count, delivered[head].arrival <= time {
                sum += delivered[head].bytes
                head += 1
            }
            while tail < head, delivered[tail].arrival <= time - window {
                sum -= delivered[tail].bytes
                tail += 1
            }
            if Double(sum) >= needed { return Double(time - start) / 1e6 }
        }
        return never
    }

    /// Seconds to the first instant from which the backlog stays below 100 ms for 1 s.
    private static func shortQueue(_ run: Simulation, from start: Int) -> Double {
        let passed = run.forward.passed
        let end = Int(run.plan.seconds * 1e6)
        var entered = 0
        var left = 0
        var bytes = 0
        var below = start
        for time in stride(from: 0, to: end, by: 1_000) {
            while entered < passed.count, passed[entered].arrival <= time {
                bytes += passed[entered].bytes
                entered += 1
            }
            while left < entered, passed[left].end <= time {
                bytes -= passed[left].bytes
                left += 1
            }
            guard time >= start else { continue }
            if Double(bytes * 8) / run.plan.capacity.rate(at: time) >= 0.1 { below = time + 1_000 }
            if time - below >= 1_000_000 { return Double(below - start) / 1e6 }
        }
        return never
    }
}
