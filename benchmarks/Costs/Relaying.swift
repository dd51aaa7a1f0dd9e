@_spi(Benchmark) import Dataplane

/// What the worker's relay costs with many allocations, each packet another one's.
enum Relaying {
    static let names = ["relay, client to peer", "relay, peer to client"]
    private static let allocations = 10_000
    private static let payloadLength = 1_000
    /// ns a packet.
    private static let limit = 60.0

    /// Both directions take their rounds in turn.
    static func measure(_ options: Options, port: DPDKPort) throws -> [Row] {
        var cost = try RelayCost.prepare(allocations: allocations, payloadLength: payloadLength, port: port)
        let clock = CycleClock()
        var samples = [Samples(), Samples()]
        for _ in 0..<options.warmUps { for direction in 0..<2 { _ = try cost.round(toPeer: direction == 0) } }
        let end = clock.now() + options.contestTime
        while samples[0].count < options.leastRounds || clock.now() < end {
            for direction in 0..<2 {
                try samples[direction].take {
                    let round = try cost.round(toPeer: direction == 0)
                    return (round.cycles, round.packets)
                }
            }
        }
        func nanoseconds(_ cycles: Double) -> Double { cycles * 1e9 / Double(clock.frequency) }
        return zip(names, samples).map { name, samples in
            Row(
                name: name, unit: "ns/packet", value: nanoseconds(samples.quiet), limit: limit, goal: .atMost(1),
                note: "ChannelData, \(payloadLength) bytes, \(allocations) allocations; median "
                    + "\(Report.fixed(nanoseconds(samples.median), 1)); \(samples.count) rounds, "
                    + "\(samples.disturbed) disturbed")
        }
    }
}
