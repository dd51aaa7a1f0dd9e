import Foundation
import QualityModel

/// Runs the cases and prints the table; see benchmarks/README.md.
@main
struct Quality {
    private var seeds: ClosedRange<UInt64> = 1...10
    private var only: Set<String> = []
    private var plots: String?

    private init?(_ arguments: [String]) {
        var arguments = arguments[...]
        while let name = arguments.popFirst() {
            guard let value = arguments.popFirst() else { return nil }
            switch name {
            case "--seeds":
                let ends = value.split(separator: "-").compactMap { UInt64($0) }
                guard let first = ends.first, let last = ends.last, first <= last else { return nil }
                seeds = first...last
            case "--only": only.insert(value)
            case "--plots": plots = value
            default: return nil
            }
        }
        guard only.isSubset(of: Case.all.map(\.name)) else { return nil }
    }

    static func main() throws {
        guard let options = Quality(Array(CommandLine.arguments.dropFirst())) else {
            FileHandle.standardError.write(
                Data("quality [--seeds FIRST-LAST] [--only CASE] ... [--plots FOLDER]\n".utf8))
            exit(2)
        }
        exit(try options.run() == 0 ? 0 : 1)
    }

    /// How many goals were missed.
    private func run() throws -> Int {
        if let plots { try FileManager.default.createDirectory(atPath: plots, withIntermediateDirectories: true) }
        var table = Table()
        table.header()
        for plan in Case.all where only.isEmpty || only.contains(plan.name) {
            guard let goal = Goal.all[plan.name] else { continue }
            let runs = CaseRuns(plan, seeds: seeds)
            table.row(runs, goal: goal)
            guard let plots else { continue }
            let file = "\(plots)/\(plan.name.replacingOccurrences(of: " ", with: "-")).svg"
            try Plot(plan, runs.outcomes[0]).text.write(toFile: file, atomically: true, encoding: .utf8)
        }
        print("\(table.missed) goals missed; medians of seeds \(seeds.lowerBound) to \(seeds.upperBound)")
        return table.missed
    }
}
