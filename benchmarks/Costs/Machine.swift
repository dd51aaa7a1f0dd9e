@_spi(Benchmark) import Dataplane
import Glibc

/// What was measured on.
struct Machine {
    let cpu: String
    /// Those of the kernel's flags that sealing depends on.
    let flags: [String]
    let core: Int
    let cores: Int
    /// Cycles of the time stamp counter in a second.
    let frequency: UInt64
    let kernel: String
    /// Of the last minute, when the run ended.
    let load: Double
    let hugepages: Bool
    let dpdk = EAL.version
    let ipsecMb = SRTPSupport.description
    let libsrtp = ForwardingCost.libsrtpVersion

    private static let interesting = [
        "aes", "pclmulqdq", "avx", "avx2", "avx512f", "avx512bw", "vaes", "vpclmulqdq", "gfni", "sha_ni",
        "constant_tsc",
    ]

    init(core: Int) {
        let fields = Self.cpuFields()
        cpu = fields["model name"] ?? "an unknown CPU"
        let present = Set((fields["flags"] ?? "").split(separator: " ").map(String.init))
        flags = Self.interesting.filter { present.contains($0) }
        self.core = core
        cores = ForwardingCost.cores.count
        frequency = CycleClock().frequency
        var name = utsname()
        uname(&name)
        kernel = withUnsafeBytes(of: name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        var loads = [0.0]
        getloadavg(&loads, 1)
        load = loads[0]
        hugepages = EAL.usesHugepages
    }

    /// MiB of hugepages of 2 MiB that nobody has.
    static var freeHugepages: Int {
        let count = fields(of: "/proc/meminfo")["HugePages_Free"].flatMap { Int($0) } ?? 0
        return count * 2
    }

    /// The first processor of /proc/cpuinfo.
    private static func cpuFields() -> [String: String] { fields(of: "/proc/cpuinfo") }

    /// Lines of a name, a colon and a value, up to the first empty one.
    private static func fields(of path: String) -> [String: String] {
        var fields: [String: String] = [:]
        guard let file = fopen(path, "r") else { return fields }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 8_192)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(
                decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard let colon = text.firstIndex(of: ":") else { break }
            let name = text[..<colon].prefix { $0 != "\t" }
            fields[String(name)] = String(text[text.index(after: colon)...].drop { $0 == " " })
        }
        return fields
    }
}
