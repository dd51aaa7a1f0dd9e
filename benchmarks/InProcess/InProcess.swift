@_spi(Benchmark) import Dataplane
import Glibc
import Wire

/// `in-process CORE RECEIVERS`: what a worker spends on a forwarded packet on a port without a kernel, as benchmarks/run
/// measures it, for the load of benchmarks/peers; one JSON object a line and profile.
@main
enum InProcess {
    private static let rounds = 400

    static func main() throws {
        let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
        guard numbers.count == 2 else { fatalError("in-process CORE RECEIVERS") }
        try EAL.start(EAL.Configuration(hugepages: .automatic, memory: 256))
        defer { EAL.stop() }
        let lines = Lines()
        try ForwardingCost.pinned(to: numbers[0]) { lines.result = Result { try measure(receivers: numbers[1]) } }
        for line in try lines.result.get() { print(line) }
    }

    private static func measure(receivers: Int) throws -> [String] {
        let port = try DPDKPort(DPDKPort.Configuration(device: "net_null0", buffers: 16_383))
        defer { port.close() }
        let frequency = Double(CycleClock().frequency)
        return try [SrtpProfile.aeadAes128Gcm, .aes128CmHmacSha1].map { profile in
            var cost = try ForwardingCost.prepare(.init(profile: profile, receivers: receivers), port: port)
            for _ in 0..<rounds / 10 { _ = try cost.round() }
            var nanoseconds: [Double] = []
            for _ in 0..<rounds {
                let round = try cost.round()
                nanoseconds.append(Double(round.cycles) / Double(round.packets) * 1e9 / frequency)
            }
            nanoseconds.sort()
            return """
                {"profile":\(profile.rawValue),"ns":\(nanoseconds[rounds / 2]),"least":\(nanoseconds[0])}
                """
        }
    }

    /// Written by the measuring thread, read when that has ended.
    private final class Lines: @unchecked Sendable {
        var result = Result<[String], any Error> { [] }
    }
}
