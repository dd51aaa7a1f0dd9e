import Foundation
import Testing

@testable import Api

/// Meetings of fleets that lose PoPs, links and the Registry while people come, go and move, by seeds: `SHARED_SEEDS=a-b` runs
/// others than the first 100, `SHARED_SEED=n` one and tells its story. With `SWIFT_DETERMINISTIC_HASHING=1` a course repeats.
@Suite(.timeLimit(.minutes(20))) struct SharedSimulationTests {
    private static let seed = ProcessInfo.processInfo.environment["SHARED_SEED"].flatMap { Int($0) }

    private static let seeds: ClosedRange<Int> = {
        if let seed { return seed...seed }
        let range =
            ProcessInfo.processInfo.environment["SHARED_SEEDS"]?.split(separator: "-").compactMap { Int($0) } ?? []
        return range.count == 2 && range[0] <= range[1] ? range[0]...range[1] : 1...100
    }()

    @Test func everybodyHearsOfEverybodyOnce() async {
        await withTaskGroup(of: Void.self) { group in
            for part in 0..<2 {
                group.addTask { for seed in Self.seeds where seed % 2 == part { await Self.run(seed) } }
            }
        }
    }

    private static func run(_ seed: Int) async {
        let simulation = SharedSimulation(seed)
        await simulation.run(steps: 40)
        if Self.seed != nil { for line in simulation.story { print(line) } }
        #expect(simulation.violations.isEmpty, "seed \(seed): \(simulation.violations.prefix(3))")
    }
}
