@_spi(Benchmark) import Dataplane

/// What a worker takes of its core when there is nothing to do, and what its sleep costs the packet that ends it.
enum Idle {
    static let names = ["idle: share of the core", "idle: delay of a first packet"]

    static func measure(_ options: Options) throws -> [Row] {
        let port = try DPDKPort(DPDKPort.Configuration(device: "net_null3", buffers: 8_191))
        defer { port.close() }
        let cost = try LatencyCost(port: port)
        let policy = IdlePolicy()
        let time: UInt64 = options.isShort ? 500 : 1_500
        let adaptive = try cost.idleShare(policy, milliseconds: time, core: options.core)
        var latencies = LatencyCost.Latencies()
        let windows = options.isShort ? 10 : 40
        for _ in 0..<windows {
            _ = try cost.firstPackets(policy, count: 10, milliseconds: 4, cores: options.pair)
            latencies.add(cost.latencies)
        }
        let frequency = Double(CycleClock().frequency)
        func microseconds(_ share: Double) -> Double { Double(latencies.quantile(share)) * 1e6 / frequency }
        return [
            Row(
                name: names[0], unit: "%", value: adaptive * 100, limit: 100, goal: .atMost(0.25),
                note:
                    "processor time of the worker's thread in \(time) ms, beside all of it, which a worker takes that polls"
            ),
            Row(
                name: names[1], unit: "us", value: microseconds(0.95), limit: Double(policy.longestSleep),
                goal: .atMost(2),
                note:
                    "of \(windows * 10) after 4 ms without any, 19 in 20; half within \(Report.fixed(microseconds(0.5), 0)), "
                    + "all within \(Report.fixed(microseconds(0.999_999), 0)); beside the policy's longest sleep",
                places: 0),
        ]
    }
}
