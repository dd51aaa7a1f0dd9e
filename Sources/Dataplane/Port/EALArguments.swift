import CDPDK
import Glibc

extension EAL {
    /// Starts DPDK; whether it has hugepages.
    static func initialize(_ configuration: Configuration) throws(PortFailure) -> Bool {
        let free = freeHugepageMemory()
        let hugepages: Bool
        switch configuration.hugepages {
        case .automatic: hugepages = free >= configuration.memory
        case .never: hugepages = false
        case .required:
            guard free >= configuration.memory else {
                throw PortFailure(
                    "\(configuration.memory) MiB of hugepages are required and \(free) MiB are free: "
                        + "raise vm.nr_hugepages or let hugepages be automatic")
            }
            hugepages = true
        }
        let arguments = arguments(
            for: configuration, hugepages: hugepages, cores: PinnedThread.allowedCores)
        guard call(arguments) >= 0 else {
            throw PortFailure(remedy(for: eal_errno(), configuration: configuration))
        }
        // Nothing is shared, so the folder is empty already.
        rmdir(rte_eal_get_runtime_dir())
        return hugepages
    }

    /// The command line that EAL understands (DPDK Getting Started Guide for Linux, section 8).
    static func arguments(for configuration: Configuration, hugepages: Bool, cores: [Int]) -> [String] {
        var arguments = ["needletail", "--no-telemetry", "--log-level", String(configuration.logLevel)]
        if configuration.logLevel <= 5 {
            // It warns about each size of hugepages without free pages, even if another size has enough.
            arguments += ["--log-level", "lib.eal:error"]
            // It calls a kernel without qdiscs for rte_flow, and the absence of secondary processes, errors.
            arguments += ["--log-level", "pmd.net.tap:critical"]
        }
        // One lcore over all our cores: EAL pins its caller, and every thread that it starts, to the lcore's set.
        let set = cores.filter { $0 < Int(RTE_MAX_LCORE) }.map(String.init).joined(separator: ",")
        arguments += ["--lcores", "0@(\(set.isEmpty ? "0" : set))"]
        arguments += ["-m", String(configuration.memory)]
        arguments += ["--file-prefix", configuration.filePrefix ?? "needletail\(getpid())"]
        // `--no-huge` makes the memory layout static, which `--in-memory` refuses; without shared configuration it
        // leaves no file either.
        arguments += hugepages ? ["--in-memory"] : ["--no-huge", "--no-shconf"]
        if configuration.devices.isEmpty {
            arguments += ["--no-pci", "--iova-mode", "va"]
        } else {
            for device in configuration.devices { arguments += ["-a", device] }
        }
        // The package's own folder of drivers, EAL loads by itself.
        if let drivers = configuration.drivers { arguments += ["-d", drivers] }
        return arguments
    }

    private static func call(_ arguments: [String]) -> Int32 {
        // EAL keeps pointers into its arguments: they stay.
        let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
            capacity: arguments.count + 1)
        for (index, argument) in arguments.enumerated() { pointers[index] = strdup(argument) }
        pointers[arguments.count] = nil
        return rte_eal_init(Int32(arguments.count), pointers)
    }

    private static func remedy(for error: Int32, configuration: Configuration) -> String {
        switch error {
        case ENOMEM:
            "DPDK did not get \(configuration.memory) MiB of memory: free some, or lower the configured memory"
        case EACCES, EPERM:
            "DPDK was refused (\(message(of: error))): run as root, or give CAP_NET_ADMIN, CAP_NET_RAW and access to "
                + "/dev/vfio"
        case ENODEV:
            "no such device among \(configuration.devices.joined(separator: ", ")): see `dpdk-devbind.py --status`"
        default:
            "DPDK did not start (\(message(of: error))): set its log level to 7 to see why"
        }
    }

    /// Free hugepages of all sizes, MiB.
    static func freeHugepageMemory() -> Int {
        let root = "/sys/kernel/mm/hugepages"
        guard let folder = opendir(root) else { return 0 }
        defer { closedir(folder) }
        var total = 0
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            // hugepages-2048kB
            guard name.hasPrefix("hugepages-"), name.hasSuffix("kB"),
                let size = Int(name.dropFirst(10).dropLast(2)),
                let pages = number(inFile: "\(root)/\(name)/free_hugepages")
            else { continue }
            total += pages * size / 1_024
        }
        return total
    }

    private static func number(inFile path: String) -> Int? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var text = [CChar](repeating: 0, count: 32)
        guard fgets(&text, Int32(text.count), file) != nil else { return nil }
        return atol(text)
    }
}
