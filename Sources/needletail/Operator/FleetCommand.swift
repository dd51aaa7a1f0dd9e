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
    /// What goes over the Trunk to a PoP.
    struct Trunk: Decodable {
        var open: Bool
        var lanes: Int
        var tracksIn: Int
        var tracksOut: Int
        var sentPackets: UInt64
        var receivedPackets: UInt64
        var missingPackets: UInt64
        var repairedPackets: UInt64
        var rttMs: Double?

        static let head = ["TRUNK", "STATE", "SENT", "RECEIVED", "LOSS", "UNREPAIRED", "RTT", "LANES", "TRACKS"]

        func row(_ pop: String) -> [String] {
            let unrepaired = missingPackets - min(missingPackets, repairedPackets)
            // All that the other PoP sent, as far as it is known.
            let expected = Double(receivedPackets) + Double(unrepaired)
            let loss = expected == 0 ? 0 : Double(missingPackets) / expected * 100
            return [
                pop, open ? "open" : "closed", "\(sentPackets)", "\(receivedPackets)", String(format: "%.2f%%", loss),
                "\(unrepaired)", rttMs.map { String(format: "%.1f ms", $0) } ?? "-", "\(lanes)",
                "\(tracksIn) in, \(tracksOut) out",
            ]
        }
    }

    struct PoP: Decodable {
        var name: String
        var region: String?
        var state: String
        var load: Double
        var participants: Int
        var capacity: Int
        var ageS: Int
        /// Nil for the PoP that was asked, and without links.
        var linked: Bool?
        var rttMs: Double?
        var trunk: Trunk?

        var link: String {
            guard let linked else { return "-" }
            return !linked ? "none" : rttMs.map { String(format: "%.1f ms", $0) } ?? "open"
        }
    }

    var name: String
    var registryUp: Bool
    var pops: [PoP]

    var isWhole: Bool { registryUp && pops.allSatisfy { $0.state != "lost" } }

    /// A table of PoPs, one of Trunks where there are any, and a last line about the registry.
    var lines: [String] {
        let hasLinks = pops.contains { $0.linked != nil }
        let head = ["POP", "REGION", "STATE", "LOAD", "PARTICIPANTS", "AGE"] + (hasLinks ? ["LINK"] : [])
        let rows = pops.map { pop in
            [
                pop.name + (pop.name == name ? " (asked)" : ""), pop.region ?? "-", pop.state,
                "\(Int((pop.load * 100).rounded()))%", "\(pop.participants) of \(pop.capacity)", "\(pop.ageS) s",
            ] + (hasLinks ? [pop.link] : [])
        }
        let trunks = pops.compactMap { pop in pop.trunk.map { $0.row(pop.name) } }
        return TextTable.lines([head] + rows) + (trunks.isEmpty ? [] : TextTable.lines([Trunk.head] + trunks))
            + ["the registry \(registryUp ? "is up" : "cannot be reached: this is what was known last")"]
    }
}
