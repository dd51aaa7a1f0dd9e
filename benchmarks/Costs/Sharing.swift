@_spi(Benchmark) import Dataplane
import Glibc

/// What it takes to share the bitrates of many viewers of many tiles, each time that an estimate has changed.
enum Sharing {
    static let name = "sharing bitrates"
    /// Of each viewer, a second: most feedback comes as often, and each may change the estimate.
    private static let sharings = 10.0

    static func measure(_ options: Options, port: DPDKPort) throws -> Row {
        var cost = try SharingCost(port: port)
        let clock = CycleClock()
        var samples = Samples()
        var changes = 0
        for _ in 0..<options.warmUps { _ = cost.round() }
        let end = clock.now() + options.contestTime
        while samples.count < options.leastRounds || clock.now() < end {
            samples.take {
                let round = cost.round()
                changes = round.changes
                return (round.cycles, round.sharings)
            }
        }
        let seconds = samples.quiet / Double(clock.frequency)
        let share = seconds * Double(SharingCost.viewers) * sharings * 100
        return Row(
            name: name, unit: "% of a core", value: share, limit: 2, goal: .atMost(1),
            note:
                "\(SharingCost.viewers) viewers of \(SharingCost.tiles) tiles in 3 layers, each \(Int(sharings)) times a "
                + "second; \(Report.fixed(seconds * 1e9, 0)) ns each, median "
                + "\(Report.fixed(samples.median / Double(clock.frequency) * 1e9, 0)), of which \(changes) of "
                + "\(SharingCost.viewers * SharingCost.tiles) tiles get another layer each time; \(samples.count) rounds"
        )
    }
}
