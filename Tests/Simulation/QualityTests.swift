import QualityModel
import Testing

/// A short form of benchmarks/quality: one run of its quick cases, held against their goals with a tenth of room for the seed.
@Suite struct QualityCases {
    @Test(arguments: ["5.1", "b", "c", "d", "e", "f1", "f2", "g", "h"])
    func `a case reaches its goals`(name: String) throws {
        let plan = try #require(Case.all.first { $0.name == name })
        let goal = try #require(Goal.all[name])
        let outcome = try #require(CaseRuns(plan, seeds: 1...1).outcomes.first)
        #expect(outcome.utilisation >= goal.utilisation * 0.9)
        if let most = goal.queue95 { #expect(outcome.queue95 <= most * 1.1) }
        if let most = goal.drops { #expect(outcome.drops <= most * 1.5) }
        if let least = goal.fairness { #expect(outcome.fairness >= least * 0.95) }
        if let share = goal.share { #expect(share.contains(outcome.utilisation)) }
        if let least = goal.leastShare { #expect(outcome.shares.allSatisfy { $0 >= least }) }
        #expect(Set(goal.times.keys) == Set(outcome.times.keys))
        for (name, most) in goal.times { #expect(outcome.times[name, default: Outcome.never] <= most * 1.2, "\(name)") }
    }

    @Test func `the same seed gives the same run, another seed another one`() throws {
        let plan = try #require(Case.all.first { $0.name == "h" })
        let results = [1, 1, 2].map { CaseRuns(plan, seeds: $0...$0).outcomes[0] }
        #expect(results[0].utilisation == results[1].utilisation && results[0].queue95 == results[1].queue95)
        #expect(results[0].utilisation != results[2].utilisation)
    }
}
