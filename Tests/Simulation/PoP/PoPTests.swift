import Foundation
import Testing

/// A thousand courses of a whole PoP, each from one seed. `POP_SEED=n` runs that one alone.
@Suite struct PoPTests {
    private static let blocks = 10
    private static let seeds = 1_000

    @Test(arguments: 0..<PoPTests.blocks)
    func `everybody gets whom it was told, and no place is lost`(block: Int) async throws {
        let only = ProcessInfo.processInfo.environment["POP_SEED"].flatMap { UInt64($0) }
        var tally = PoPTally()
        for seed in stride(from: block, to: Self.seeds, by: Self.blocks) where only == nil || only == UInt64(seed) {
            let course = PoPCourse(seed: UInt64(seed))
            let pop = try await Self.run(course)
            tally.add(pop.tally)
            if let first = pop.faults.first {
                Issue.record("seed \(seed) (\(course)), \(first), and \(pop.faults.count - 1) more")
            }
        }
        if only == nil { #expect(tally.isComplete, "\(tally)") }
    }

    @Test(arguments: [3, 14, 16])
    func `the same seed gives the same course`(seed: UInt64) async throws {
        let first = try await Self.run(PoPCourse(seed: seed)).tally
        let second = try await Self.run(PoPCourse(seed: seed)).tally
        #expect(first == second && first.packets > 0)
    }

    private static func run(_ course: PoPCourse) async throws -> PoP {
        let pop = try await PoP(course)
        while pop.step < course.steps, pop.faults.isEmpty { await pop.act() }
        if pop.faults.isEmpty { await pop.settle() }
        if pop.faults.isEmpty { await pop.empty() }
        pop.clock.end()
        return pop
    }
}
