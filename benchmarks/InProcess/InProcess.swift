@_spi(Benchmark) import Dataplane
import Glibc
import Wire

/// `in-process CORE RECEIVERS BYTES`: what a worker spends on a forwarded packet, and on one of BYTES between a TURN client
/// and its peer, on a port without a kernel, as benchmarks/run measures it, for the load of benchmarks/peers; one
/// JSON object a line.
@main
enum InProcess {
    private static let rounds = 400

    static func main() throws {
        let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
        guard numbers.count == 3 else { fatalError("in-process CORE RECEIVERS BYTES") }
        try EAL.start(EAL.Configuration(hugepages: .automatic, memory: 256))
        defer { EAL.stop() }
        let lines = Lines()
        try ForwardingCost.pinned(to: numbers[0]) {
            lines.result = Result { try measure(receivers: numbers[1], payloadLength: numbers[2]) }
        }
        for line in try lines.result.get() { print(line) }
    }

    private static func measure(receivers: Int, payloadLength: Int) throws -> [String] {
        let port = try DPDKPort(DPDKPort.Configuration(device: "net_null0", buffers: 16_383))
        defer { port.close() }
        var lines = try [SRTPProfile.aeadAes128Gcm, .aes128CmHmacSha1].map { profile in
            var cost = try ForwardingCost.prepare(.init(profile: profile, receivers: receivers), port: port)
            return try line("\"work\":\"forward\",\"profile\":\(profile.rawValue)") { _ in try cost.round() }
        }
        // As many allocations; both directions in turn.
        var cost = try RelayCost.prepare(allocations: receivers, payloadLength: payloadLength, port: port)
        lines.append(try line("\"work\":\"relay\"") { try cost.round(toPeer: $0 % 2 == 0) })
        return lines
    }

    /// The median and the least of many rounds, ns a packet.
    private static func line(_ name: String, round: (Int) throws -> ForwardingCost.Round) throws -> String {
        let frequency = Double(CycleClock().frequency)
        var nanoseconds: [Double] = []
        for number in 0..<rounds + rounds / 10 {
            let round = try round(number)
            guard number >= rounds / 10 else { continue }
            nanoseconds.append(Double(round.cycles) / Double(round.packets) * 1e9 / frequency)
        }
        nanoseconds.sort()
        return "{\(name),\"ns\":\(nanoseconds[rounds / 2]),\"least\":\(nanoseconds[0])}"
    }

    /// Written by the measuring thread, read when that has ended.
    private final class Lines: @unchecked Sendable {
        var result = Result<[String], any Error> { [] }
    }
}
