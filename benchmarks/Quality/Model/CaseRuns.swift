/// The runs of a case, one for each seed, and their medians.
public struct CaseRuns: Sendable {
    public let plan: Case
    public let outcomes: [Outcome]

    public init(_ plan: Case, seeds: ClosedRange<UInt64>) {
        self.plan = plan
        outcomes = seeds.map { seed in
            var simulation = Simulation(plan, seed: seed)
            return simulation.run()
        }
    }

    public func median(_ value: (Outcome) -> Double) -> Double {
        let sorted = outcomes.map(value).sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
