import Agents
@_spi(Benchmark) import Dataplane

/// How many newcomers a second one core takes into the relay, worker and control together, while others are relayed.
enum Allocating {
    static let name = "new allocations"
    private static let allocations = 10_000
    private static let payloadLength = 1_000
    /// A second.
    private static let limit = 5_000.0

    static func measure(_ options: Options, port: DPDKPort) throws -> Row {
        var cost = try RelayCost.prepare(allocations: allocations, payloadLength: payloadLength, port: port)
        let newcomers = newcomers()
        let clock = CycleClock()
        var samples = Samples()
        for _ in 0..<options.warmUps { _ = try cost.allocationRound(newcomers) }
        let end = clock.now() + options.contestTime
        while samples.count < options.leastRounds || clock.now() < end {
            try samples.take {
                let round = try cost.allocationRound(newcomers)
                return (round.cycles, round.packets)
            }
        }
        func rate(_ cycles: Double) -> Double { Double(clock.frequency) / cycles }
        let between = 2 * RelayCost.packetsBetween / RelayCost.newcomersPerRound
        return Row(
            name: name, unit: "a second", value: rate(samples.quiet), limit: limit, goal: .atLeast(1),
            note: "challenge, check of a time-limited credential, answer; \(between) packets of others relayed beside, "
                + "none lost; median \(Report.fixed(rate(samples.median), 0)); \(samples.count) rounds, "
                + "\(samples.disturbed) disturbed", places: 0)
    }

    /// With a credential as joins hand them out.
    private static func newcomers() -> RelayCost.Newcomers {
        let secrets = TURNSecrets(["a secret of the benchmark"])
        guard let (username, credential) = secrets.issue(user: "newcomer", lifetime: 86_400, now: 0) else {
            fatalError("there is a secret to sign with")
        }
        let name = Array(username.utf8)
        let key = TURNKey(username: name, realm: "benchmark", password: credential)
        let authenticator = TURNAuthenticator(realm: "benchmark", secrets: secrets)
        return RelayCost.Newcomers(username: name, key: key.bytes) { message in
            if case .success = authenticator.check(message, now: 1) { true } else { false }
        }
    }
}
