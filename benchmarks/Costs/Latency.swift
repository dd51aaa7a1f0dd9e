@_spi(Benchmark) import Dataplane

/// How long packets stay in a worker that is busy for 70% of its time, without and with control's commands.
enum Latency {
    static let names = [
        "added latency at 70% load, p50", "added latency at 70% load, p99.9", "p99.9 with 10000 subscribes/s",
    ]
    private static let load = 0.7
    private static let subscribes = 10_000

    /// The windows of one kind.
    private struct Windows {
        private var quiet = LatencyCost.Latencies()
        private var disturbed = LatencyCost.Latencies()
        private(set) var quietCount = 0
        private(set) var disturbedCount = 0

        mutating func add(_ window: LatencyCost.Window, of cost: LatencyCost) {
            if window.interruptions == 0 {
                quietCount += 1
                cost.add(to: &quiet)
            } else {
                disturbedCount += 1
                cost.add(to: &disturbed)
            }
        }

        /// Of the undisturbed windows; of the others on a machine that left none alone.
        func quantile(_ share: Double) -> UInt64 { (quietCount > 0 ? quiet : disturbed).quantile(share) }

        var note: String { "\(quietCount) windows, and \(disturbedCount) disturbed that do not count" }
    }

    static func measure(_ options: Options) throws -> [Row] {
        let port = try DPDKPort(DPDKPort.Configuration(device: "net_null2", buffers: 16_383))
        defer { port.close() }
        let cost = try LatencyCost(port: port)
        let clock = CycleClock()
        // The best of some: what the worker can do when nobody takes its core.
        let busy = try (0..<50).map { _ in try cost.window(.atOnce, cores: options.pair).cycles }.min() ?? 0
        let perPacket = Double(busy) / Double(LatencyCost.packets)
        var (plain, commanded, machine) = (Windows(), Windows(), Windows())
        let end = clock.now() + options.pairTime
        while plain.quietCount + plain.disturbedCount < 20 || clock.now() < end {
            let pace = LatencyCost.Pace.poisson(cycles: perPacket / load)
            plain.add(try cost.window(pace, cores: options.pair), of: cost)
            commanded.add(try cost.window(pace, subscribes: subscribes, cores: options.pair), of: cost)
            machine.add(try cost.control(pace, service: UInt64(perPacket), cores: options.pair), of: cost)
        }
        func microseconds(_ cycles: UInt64) -> Double { Double(cycles) * 1e6 / Double(clock.frequency) }
        func alone(_ share: Double) -> String { Report.fixed(microseconds(machine.quantile(share)), 1) }
        let tail = microseconds(plain.quantile(0.999))
        let rate = Report.fixed(Double(clock.frequency) / perPacket * load * Double(LatencyCost.receivers) / 1e6, 2)
        return [
            Row(
                name: names[0], unit: "us", value: microseconds(plain.quantile(0.5)), limit: 10, goal: .atMost(1),
                note: "\(rate) million packets/s to \(LatencyCost.receivers) receivers, Poisson arrivals; \(plain.note)"
            ),
            Row(
                name: names[1], unit: "us", value: tail, limit: 100, goal: .atMost(1),
                note: "as above; where nothing is done but wait as long: \(alone(0.5)), \(alone(0.999))"),
            Row(
                name: names[2], unit: "us", value: microseconds(commanded.quantile(0.999)), limit: tail,
                goal: .atMost(2),
                note: "beside none; \(commanded.note)"),
        ]
    }
}
