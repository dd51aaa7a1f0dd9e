@_spi(Benchmark) import Dataplane
import Glibc

/// What a worker with full tables adds to the process.
enum Memory {
    static let names = ["memory a Sink", "memory at start"]

    static let laneName = "memory a Lane"
    static let congestionName = "congestion memory a Session"

    /// Without the caches of the Tracks.
    static var lane: Row {
        Row(
            name: laneName, unit: "bytes", value: Double(LaneCost.byteCount), limit: 16_384, goal: .atMost(1),
            note: "of the worker's tables: its state, keys, and what its latest packets were", places: 0)
    }

    static var congestion: Row {
        Row(
            name: congestionName, unit: "bytes", value: Double(MemoryCost.congestionBytesPerSession), limit: 12_288,
            goal: .atMost(1), note: "of the worker's tables: estimate, pacer, what was sent and repeated", places: 0)
    }

    /// To be measured first: later, the process would reuse what earlier measurements gave back.
    static func measure(port: DPDKPort) throws -> [Row] {
        let before = try bytes("VmRSS:")
        let worker = try MemoryCost(port: port)
        let after = try bytes("VmRSS:")
        withExtendedLifetime(worker) {}
        let own = after - before - MemoryCost.cacheBytes - MemoryCost.congestionBytes
        let all = after + (try bytes("HugetlbPages:"))
        let what = "\(MemoryCost.sinks) Sinks, \(MemoryCost.sessions) Sessions, \(MemoryCost.tracks) Tracks"
        return [
            Row(
                name: names[0], unit: "bytes", value: Double(own) / Double(MemoryCost.sinks), limit: 4_096,
                goal: .atMost(1),
                note:
                    "of resident memory, by \(what); without \(MemoryCost.cacheBytes >> 20) MiB of retransmission caches and \(MemoryCost.congestionBytes >> 20) of congestion state",
                places: 0),
            Row(
                name: names[1], unit: "MiB", value: Double(all) / 1_048_576, limit: 2_048, goal: .atMost(1),
                note:
                    "resident and hugepages of this process: DPDK, \(port.configuration.buffers) packet buffers, \(what)",
                places: 0),
        ]
    }

    /// A line of /proc/self/status, which counts in kB.
    private static func bytes(_ name: String) throws -> Int {
        guard let file = fopen("/proc/self/status", "r") else { throw Failure("/proc/self/status cannot be read") }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let fields = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                .split(whereSeparator: \.isWhitespace)
            if fields.first.map(String.init) == name, fields.count > 1, let size = Int(fields[1]) {
                return size * 1_024
            }
        }
        return 0
    }
}
