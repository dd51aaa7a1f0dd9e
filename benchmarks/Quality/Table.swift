import Foundation
import QualityModel

/// The rows of the benchmark: what was reached, the goal, and what others reached.
struct Table {
    private let digits = 3
    private(set) var missed = 0

    static func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

    private static func pad(_ text: String, _ width: Int) -> String {
        text.padding(toLength: max(width, text.count), withPad: " ", startingAt: 0)
    }

    func header() {
        print(
            Self.pad("case", 10), Self.pad("utilisation", 14), Self.pad("queue p50", 10), Self.pad("p95, ms", 13),
            Self.pad("drops, %", 12), Self.pad("Jain", 14), Goal.peerNames.joined(separator: "  "))
    }

    /// The value with its goal, marked when it is missed.
    private mutating func cell(_ value: Double, _ digits: Int, most: Double? = nil, least: Double? = nil) -> String {
        let isMissed = most.map { value > $0 + 1e-9 } ?? false || least.map { value < $0 } ?? false
        if isMissed { missed += 1 }
        let goal = most.map { " <= \(Self.number($0, digits))" } ?? least.map { " >= \(Self.number($0, digits))" } ?? ""
        return Self.number(value, digits) + goal + (isMissed ? " MISSED" : "")
    }

    mutating func row(_ runs: CaseRuns, goal: Goal) {
        let utilisation = cell(runs.median(\.utilisation), 2, least: goal.utilisation)
        let queue95 = cell(runs.median(\.queue95), 0, most: goal.queue95)
        let drops = cell(runs.median(\.drops), 1, most: goal.drops)
        let isFair = runs.plan.fairness != nil
        let fairness = isFair ? cell(runs.median(\.fairness), 2, least: goal.fairness) : ""
        print(
            Self.pad(runs.plan.name, 10), Self.pad(utilisation, 14),
            Self.pad(Self.number(runs.median(\.queueMedian), 0), 10), Self.pad(queue95, 13), Self.pad(drops, 12),
            Self.pad(fairness, 14), goal.peers.joined(separator: "  "))
        if let share = goal.share { each(runs, "share", \.utilisation, in: share) }
        if let least = goal.leastShare {
            each(runs, "least flow's Mbit/s", { $0.shares.min() ?? 0 }, in: least...Double.infinity)
        }
        for (name, most) in goal.times.sorted(by: { $0.key < $1.key }) {
            print("   ", Self.pad(name, 32), cell(runs.median { $0.times[name] ?? Outcome.never }, 2, most: most), "s")
        }
    }

    /// Of every seed.
    private mutating func each(
        _ runs: CaseRuns, _ name: String, _ value: (Outcome) -> Double, in range: ClosedRange<Double>
    ) {
        let values = runs.outcomes.map(value).sorted()
        let isMissed = !values.allSatisfy(range.contains)
        if isMissed { missed += 1 }
        let ends = "\(Self.number(values.first ?? 0, digits)) to \(Self.number(values.last ?? 0, digits))"
        print("   ", Self.pad("\(name), each seed", 32), ends, isMissed ? "MISSED" : "")
    }
}
