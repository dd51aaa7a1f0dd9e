import ArgumentParser
import Foundation

/// What concerns the fleet and not this node alone.
struct FleetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet", abstract: "The fleet that the node is of.", subcommands: [FleetStatusCommand.self])
}

/// Lists the PoPs. Fails when the registry cannot be reached, or a PoP is lost.
struct FleetStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Print the PoPs of the fleet, as the node knows them.")

    @OptionGroup var ops: OpsOptions

    func run() async throws {
        try await Operator.run {
            let fleet = try await ops.client().ask("GET", "/api/v1/fleet", as: FleetAnswer.self)
            for line in fleet.lines { print(line) }
            if !fleet.isWhole { throw ExitCode.failure }
        }
    }
}

/// `GET /api/v1/fleet`.
struct FleetAnswer: Decodable {
    struct PoP: Decodable {
        var name: String
        var region: String?
        var state: String
        var load: Double
        var participants: Int
        var capacity: Int
        var ageS: Int
    }

    var name: String
    var registryUp: Bool
    var pops: [PoP]

    var isWhole: Bool { registryUp && pops.allSatisfy { $0.state != "lost" } }

    /// A table, and a last line about the registry.
    var lines: [String] {
        let head = ["POP", "REGION", "STATE", "LOAD", "PARTICIPANTS", "AGE"]
        let rows = pops.map { pop in
            [
                pop.name + (pop.name == name ? " (asked)" : ""), pop.region ?? "-", pop.state,
                "\(Int((pop.load * 100).rounded()))%", "\(pop.participants) of \(pop.capacity)", "\(pop.ageS) s",
            ]
        }
        let table = [head] + rows
        let widths = head.indices.map { column in table.map { $0[column].count }.max() ?? 0 }
        let lines = table.map { row in
            let cells = zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
            return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
        }
        return lines + ["the registry \(registryUp ? "is up" : "cannot be reached: this is what was known last")"]
    }
}
