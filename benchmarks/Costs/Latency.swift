@_spi(Benchmark) import Dataplane

/// How long packets stay in a worker that is busy for 70% of its time, without and with control's commands.
enum Latency {
    static let names = [
        "added latency at 70% load, p50", "added latency at 70% load, p99.9", "p99.9 with 10000 subscribes/s",
    ]
    private static let load = 0.7
    private static let subscribes = 10_000
    /// A machine whose pace changes by more than this share from before some windows to after them has changed the load too.
    private static let steadiness = 0.1

    /// The latencies of windows of one kind.
    private struct Windows {
        private var quiet = LatencyCost.Latencies()
        private var disturbed = LatencyCost.Latencies()
        private(set) var quietCount = 0
        private(set) var disturbedCount = 0

        mutating func add(_ latencies: LatencyCost.Latencies, isQuiet: Bool) {
            if isQuiet {
                quietCount += 1
                quiet.add(latencies)
            } else {
                disturbedCount += 1
                disturbed.add(latencies)
            }
        }

        /// Of the undisturbed windows; of the others on a machine that left none alone.
        func quantile(_ share: Double) -> UInt64 { (quietCount > 0 ? quiet : disturbed).quantile(share) }

        var note: String { "\(quietCount) windows, and \(disturbedCount) disturbed that do not count" }
    }

    /// What was measured: the worker alone, with commands, and nothing but waiting.
    private struct Result {
        var plain = Windows()
        var commanded = Windows()
        var machine = Windows()
        /// Cycles a packet that the worker took at its limit, in all.
        var limits: [Double] = []
    }

    static func measure(_ options: Options) throws -> [Row] {
        let port = try DPDKPort(DPDKPort.Configuration(device: "net_null2", buffers: 16_383))
        defer { port.close() }
        let cost = try LatencyCost(port: port)
        let clock = CycleClock()
        var result = Result()
        let end = clock.now() + options.pairTime
        var before = try limit(cost, options)
        while result.limits.count < 20 || clock.now() < end {
            before = try measure(cost, paced: before, options, into: &result)
        }
        return rows(result, frequency: Double(clock.frequency))
    }

    /// Cycles a packet that the worker takes when all wait for it, in a window that nobody disturbed.
    private static func limit(_ cost: LatencyCost, _ options: Options) throws -> Double {
        var window = try cost.window(.atOnce, cores: options.pair)
        for _ in 0..<10 where window.interruptions > 0 { window = try cost.window(.atOnce, cores: options.pair) }
        return Double(window.cycles) / Double(LatencyCost.packets)
    }

    /// A window of each kind, between two that tell the worker's limit; the second limit.
    private static func measure(
        _ cost: LatencyCost, paced before: Double, _ options: Options, into result: inout Result
    ) throws -> Double {
        let pace = LatencyCost.Pace.poisson(cycles: before / load)
        var windows: [(isQuiet: Bool, latencies: LatencyCost.Latencies)] = []
        func keep(_ window: LatencyCost.Window) { windows.append((window.interruptions == 0, cost.latencies)) }
        keep(try cost.window(pace, cores: options.pair))
        keep(try cost.window(pace, subscribes: subscribes, cores: options.pair))
        keep(try cost.control(pace, service: UInt64(before), cores: options.pair))
        let after = try limit(cost, options)
        let isSteady = abs(after - before) <= steadiness * before
        result.plain.add(windows[0].latencies, isQuiet: windows[0].isQuiet && isSteady)
        result.commanded.add(windows[1].latencies, isQuiet: windows[1].isQuiet && isSteady)
        result.machine.add(windows[2].latencies, isQuiet: windows[2].isQuiet && isSteady)
        result.limits.append(before)
        return after
    }

    private static func rows(_ result: Result, frequency: Double) -> [Row] {
        func microseconds(_ cycles: UInt64) -> Double { Double(cycles) * 1e6 / frequency }
        func alone(_ share: Double) -> String { Report.fixed(microseconds(result.machine.quantile(share)), 1) }
        let tail = microseconds(result.plain.quantile(0.999))
        let perPacket = result.limits.sorted()[result.limits.count / 2]
        let rate = Report.fixed(frequency / perPacket * load * Double(LatencyCost.receivers) / 1e6, 2)
        return [
            Row(
                name: names[0], unit: "us", value: microseconds(result.plain.quantile(0.5)), limit: 10,
                goal: .atMost(1),
                note: "\(rate) million packets/s to \(LatencyCost.receivers) receivers, Poisson arrivals; "
                    + result.plain.note),
            Row(
                name: names[1], unit: "us", value: tail, limit: 100, goal: .atMost(1),
                note: "as above; where nothing is done but wait as long: \(alone(0.5)), \(alone(0.999))"),
            Row(
                name: names[2], unit: "us", value: microseconds(result.commanded.quantile(0.999)), limit: tail,
                goal: .atMost(2), note: "beside none; \(result.commanded.note)"),
        ]
    }
}
