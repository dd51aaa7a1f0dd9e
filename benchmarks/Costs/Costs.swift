@_spi(Benchmark) import Dataplane
import Glibc
import Wire

/// `costs [--short] [--json] [--core N] [--only ROW] [--thresholds FILE]`
@main
enum Costs {
    static func main() {
        do {
            let options = try Options(CommandLine.arguments.dropFirst())
            // Nothing of this process was asked for.
            guard options.isMeetings || options.wantsOthers(than: Meetings.names) else { return }
            guard !options.isMeetings || options.wants(Meetings.names) else { return }
            let memory = options.isMeetings ? Meetings.memory(options) : 384
            try EAL.start(EAL.Configuration(hugepages: .automatic, memory: memory))
            defer { EAL.stop() }
            let result = Result()
            try ForwardingCost.pinned(to: options.core) { result.measure(options) }
            var rows = try result.value.get()
            if options.hasPair, !options.isMeetings { rows += try measurePair(options) }
            guard !rows.isEmpty else { throw Failure("no row is called \(options.only.joined(separator: ", "))") }
            let report = Report(machine: Machine(core: options.core), rows: rows)
            print(options.isJSON ? report.json : report.table)
            if options.isShort, let path = options.thresholds {
                let verdicts = try Thresholds(try read(path)).verdicts(on: rows, options)
                if !options.isJSON { print(verdicts.map(\.text).joined(separator: "\n")) }
                if verdicts.contains(where: { !$0.isGood }) { exit(2) }
            }
        } catch {
            fail("benchmarks: \(error)\n")
        }
    }

    private static func fail(_ message: String) -> Never {
        _ = Array(message.utf8).withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        exit(1)
    }

    private static func read(_ path: String) throws -> String {
        guard let file = fopen(path, "r") else { throw Failure("\(path) cannot be read") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = getc(file), byte != EOF { bytes.append(UInt8(byte)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What the measuring thread leaves; read when that has ended.
    private final class Result: @unchecked Sendable {
        var value: Swift.Result<[Row], any Error> = .success([])

        func measure(_ options: Options) { value = Swift.Result { try Costs.measure(options) } }
    }

    private static func measure(_ options: Options) throws -> [Row] {
        if options.isMeetings { return try Meetings.measure(options) }
        let port = try DPDKPort(DPDKPort.Configuration(device: "net_null0"))
        defer { port.close() }
        var rows: [Row] = []
        let memory = options.wants(Memory.names) ? try Memory.measure(port: port) : []
        for contest in contests(options, port: port) where options.wants(contest.lines.map(\.row)) {
            rows += try contest.measure(options).filter { options.wants([$0.name]) }
        }
        rows += memory
        if options.wants([Memory.laneName]) { rows.append(Memory.lane) }
        if options.wants([Memory.congestionName]) { rows.append(Memory.congestion) }
        if options.wants([Heap.name]) { rows += try Heap.measure(port: port) }
        if options.wants(Relaying.names) { rows += try Relaying.measure(options, port: port) }
        if options.wants([Allocating.name]) { rows.append(try Allocating.measure(options, port: port)) }
        if options.wants([Sharing.name]) { rows.append(try Sharing.measure(options, port: port)) }
        return rows
    }

    /// What two threads on two cores do, while this one sleeps.
    private static func measurePair(_ options: Options) throws -> [Row] {
        var rows: [Row] = []
        if options.wants([Crossing.name]) { rows += try Crossing.measure(options) }
        if options.wants(Latency.names) { rows += try Latency.measure(options) }
        if options.wants(Idle.names) { rows += try Idle.measure(options) }
        return rows.filter { options.wants([$0.name]) }
    }

    private static func contests(_ options: Options, port: DPDKPort) -> [Contest] {
        var contests: [Contest] = []
        for profile in [SRTPProfile.aeadAes128Gcm, .aes128CmHmacSha1] {
            for receivers in [64, 1_000, 10_000] {
                contests.append(
                    .forwarding(ForwardingCost.Load(profile: profile, receivers: receivers), port: port))
            }
            contests.append(.opening(profile, port: port))
            if !options.isShort {
                contests.append(.variants(ForwardingCost.Load(profile: profile), port: port))
            }
        }
        contests.append(
            .forwarding(
                ForwardingCost.Load(media: .microphone, profile: .aeadAes128Gcm, payloadLength: 160), port: port))
        contests.append(.sealing(payloadLength: 1_100, row: "seal GCM", goal: 0.72))
        contests.append(.sealing(payloadLength: 160, row: "seal GCM 160", goal: 0.95))
        return contests + Contest.lanes(port: port)
    }
}
