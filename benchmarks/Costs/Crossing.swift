@_spi(Benchmark) import Dataplane

/// What a second worker adds when half of the Sinks are the other worker's.
enum Crossing {
    static let name = "two workers, Tracks crossing"

    static func measure(_ options: Options) throws -> [Row] {
        let port = try DPDKPort(DPDKPort.Configuration(device: "net_null1", workers: 2, buffers: 16_383))
        defer { port.close() }
        let one = try CrossingCost(workers: 1, port: port)
        let two = try CrossingCost(workers: 2, port: port)
        let clock = CycleClock()
        // The quickest windows: a window is disturbed as soon as one of its two cores is taken away.
        var best = (one: 0.0, two: 0.0)
        var (windows, disturbed) = (0, 0)
        let end = clock.now() + options.pairTime
        while windows < 10 || clock.now() < end {
            let (alone, both) = (try one.window(cores: [options.core]), try two.window(cores: options.pair))
            best.one = max(best.one, rate(alone, clock))
            best.two = max(best.two, rate(both, clock))
            windows += 1
            if both.interruptions > 0 { disturbed += 1 }
        }
        return [
            Row(
                name: name, unit: "packets/us", value: best.two, limit: best.one, goal: .atLeast(1.9),
                note: "beside one worker; the best of \(windows) windows each, \(disturbed) disturbed", places: 2)
        ]
    }

    /// Packets forwarded in a microsecond.
    private static func rate(_ window: CrossingCost.Window, _ clock: CycleClock) -> Double {
        Double(window.forwarded) / (Double(window.cycles) * 1e6 / Double(clock.frequency))
    }
}
