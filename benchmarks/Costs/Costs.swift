@_spi(Benchmark) import Dataplane
import Glibc
import Wire

/// `costs [--short] [--json] [--core N] [--only TEXT]`
@main
enum Costs {
    static func main() {
        do {
            let options = try Options(CommandLine.arguments.dropFirst())
            try EAL.start(EAL.Configuration(hugepages: .automatic, memory: 256))
            defer { EAL.stop() }
            let result = Result()
            try ForwardingCost.pinned(to: options.core) { result.measure(options) }
            let report = Report(machine: Machine(core: options.core), rows: try result.value.get())
            print(options.isJson ? report.json : report.table)
        } catch {
            fail("benchmarks: \(error)\n")
        }
    }

    private static func fail(_ message: String) -> Never {
        _ = Array(message.utf8).withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        exit(1)
    }

    /// What the measuring thread leaves; read when that has ended.
    private final class Result: @unchecked Sendable {
        var value: Swift.Result<[Row], any Error> = .success([])

        func measure(_ options: Options) { value = Swift.Result { try Costs.measure(options) } }
    }

    /// Takes a round of every contender in turn, so that a change of the machine's pace meets all of them.
    private static func measure(_ options: Options) throws -> [Row] {
        let port = try DPDKPort(DPDKPort.Configuration(device: "net_null0", buffers: 16_383))
        defer { port.close() }
        let receivers = 64
        var rows: [Row] = []
        for profile in [SrtpProfile.aeadAes128Gcm, .aes128CmHmacSha1] {
            let contenders = try Contender.all(profile, receivers: receivers, port: port).filter {
                options.only == nil || "\(profile.name) \($0.name)" == options.only
            }
            var samples = contenders.map { _ in Samples() }
            for _ in 0..<options.warmUps { for contender in contenders { _ = try contender.round() } }
            let clock = CycleClock()
            for _ in 0..<options.rounds where clock.now() < options.limit {
                for (index, contender) in contenders.enumerated() { try samples[index].take(contender.round) }
            }
            for (contender, samples) in zip(contenders, samples) {
                rows.append(Row(name: contender.name, profile: profile, receivers: receivers, samples: samples))
            }
        }
        guard !rows.isEmpty else { throw Options.Failure(description: "no row is called \(options.only ?? "")") }
        return rows
    }
}

/// The command line.
struct Options: Sendable {
    var isJson = false
    /// Rounds of each contender, and those before that do not count.
    var rounds = 1_500
    var warmUps = 100
    /// What a profile's rounds may take on a busy machine, ns; fewer rounds count then.
    var limit: UInt64 = 25_000_000_000
    /// The one row to measure, by its first two columns: for profilers.
    var only: String?
    var core = ForwardingCost.cores.last ?? 0

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    init(_ arguments: some Sequence<String>) throws {
        var arguments = arguments.makeIterator()
        while let argument = arguments.next() {
            switch argument {
            case "--json": isJson = true
            case "--short":
                rounds = 150
                warmUps = 20
                limit = 4_000_000_000
            case "--core":
                guard let core = arguments.next().flatMap({ Int($0) }) else {
                    throw Failure(description: "--core needs a number")
                }
                self.core = core
            case "--only": only = arguments.next()
            default: throw Failure(description: "\(argument) is not one of --short --json --core N --only TEXT")
            }
        }
    }
}
