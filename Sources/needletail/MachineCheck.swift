import Dataplane
import Foundation

/// Looks at the machine as the configuration wants to use it. It reads files of the kernel and changes nothing.
struct MachineCheck {
    /// One thing that was looked at.
    struct Finding: Equatable {
        enum Severity: String {
            case ok, warning, error
        }

        var severity: Severity
        var subject: String
        var text: String
        var remedy: String?

        var line: String {
            let word = severity.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)
            return "\(word) \(subject): \(text)" + (remedy.map { "\n           -> \($0)" } ?? "")
        }
    }

    private let configuration: NodeConfiguration
    /// `/` on a machine; another folder in tests.
    private let root: String

    init(_ configuration: NodeConfiguration, root: String = "") {
        self.configuration = configuration
        self.root = root
    }

    func findings() -> [Finding] {
        let isVirtual = DPDKPort.Configuration(device: configuration.device).isVirtual
        return [privileges(isVirtual), hugepages(isVirtual), cores(), isolation(isVirtual)]
            + (isVirtual ? [virtualDevice()] : [iommu(), binding(), numa()])
    }

    private func read(_ path: String) -> String? {
        (try? String(contentsOfFile: root + path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func privileges(_ isVirtual: Bool) -> Finding {
        if geteuid() == 0 { return Finding(severity: .ok, subject: "privileges", text: "root") }
        return Finding(
            severity: .warning, subject: "privileges", text: "not root",
            remedy: isVirtual
                ? "a port of the kernel needs CAP_NET_ADMIN and CAP_NET_RAW: run as root, or grant them to the service"
                : "the service user needs /dev/vfio and its hugepages: run as root, or as the installed service")
    }

    private func hugepages(_ isVirtual: Bool) -> Finding {
        let folder = "/sys/kernel/mm/hugepages"
        let sizes = (try? FileManager.default.contentsOfDirectory(atPath: root + folder)) ?? []
        let free = sizes.reduce(0) { sum, size in
            let pages = read("\(folder)/\(size)/free_hugepages").flatMap(Int.init) ?? 0
            let kilobytes = Int(size.drop { !$0.isNumber }.prefix { $0.isNumber }) ?? 0
            return sum + pages * kilobytes / 1_024
        }
        let needed = configuration.wantedMemory
        if free >= needed {
            return Finding(severity: .ok, subject: "hugepages", text: "\(free) MiB free, \(needed) MiB needed")
        }
        let remedy =
            "echo \((needed + 1) / 2 + 1) > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages, or at boot: hugepages="
        return Finding(
            severity: configuration.hugepages == .required ? .error : isVirtual ? .ok : .warning,
            subject: "hugepages",
            text: "\(free) MiB free, \(needed) MiB wanted: ordinary memory is used, slower",
            remedy: isVirtual && configuration.hugepages != .required ? nil : remedy + "\((needed + 1) / 2 + 1)")
    }

    /// The processors of a list as the kernel writes it: `0-3,8`.
    static func processors(_ list: String) -> Set<Int> {
        var all: Set<Int> = []
        for part in list.split(separator: ",") {
            let ends = part.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, first <= last, last < 65_536 else { continue }
            all.formUnion(first...last)
        }
        return all
    }

    private func cores() -> Finding {
        let online = Self.processors(read("/sys/devices/system/cpu/online") ?? "0")
        let missing = configuration.cores.filter { !online.contains($0) }
        if missing.isEmpty {
            return Finding(
                severity: .ok, subject: "cores", text: "\(configuration.cores.map(String.init).joined(separator: ", "))"
            )
        }
        return Finding(
            severity: .error, subject: "cores",
            text: "core \(missing.map(String.init).joined(separator: ", ")) does not exist or is offline",
            remedy: "choose workers.cores from \(online.sorted().map(String.init).joined(separator: ", "))")
    }

    private func isolation(_ isVirtual: Bool) -> Finding {
        let isolated = Self.processors(read("/sys/devices/system/cpu/isolated") ?? "")
        let shared = configuration.cores.filter { !isolated.contains($0) }
        if shared.isEmpty { return Finding(severity: .ok, subject: "isolation", text: "all worker cores are isolated") }
        let list = configuration.cores.map(String.init).joined(separator: ",")
        return Finding(
            severity: isVirtual ? .ok : .warning, subject: "isolation",
            text: "core \(shared.map(String.init).joined(separator: ", ")) is shared with other programs",
            remedy: isVirtual ? nil : "boot with isolcpus=\(list) nohz_full=\(list) rcu_nocbs=\(list)")
    }

    private func virtualDevice() -> Finding {
        let options = configuration.device.split(separator: ",").dropFirst()
        guard let interface = options.first(where: { $0.hasPrefix("iface=") })?.dropFirst(6),
            !configuration.device.hasPrefix("net_tap")
        else { return Finding(severity: .ok, subject: "port", text: "\(configuration.device), made on start") }
        if FileManager.default.fileExists(atPath: root + "/sys/class/net/\(interface)") {
            return Finding(severity: .ok, subject: "port", text: "interface \(interface) exists")
        }
        return Finding(
            severity: .error, subject: "port", text: "there is no interface \(interface)",
            remedy: "make it, or name another in port.device (ip link shows them)")
    }

    private var pciFolder: String { "/sys/bus/pci/devices/\(configuration.device.prefix { $0 != "," })" }

    private func iommu() -> Finding {
        let groups = (try? FileManager.default.contentsOfDirectory(atPath: root + "/sys/kernel/iommu_groups")) ?? []
        if !groups.isEmpty { return Finding(severity: .ok, subject: "IOMMU", text: "on") }
        return Finding(
            severity: .warning, subject: "IOMMU", text: "off",
            remedy: "boot with intel_iommu=on iommu=pt (or amd_iommu=on), so that vfio-pci can protect memory")
    }

    private func binding() -> Finding {
        let device = configuration.device.prefix { $0 != "," }
        guard FileManager.default.fileExists(atPath: root + pciFolder) else {
            return Finding(
                severity: .error, subject: "port", text: "there is no PCI device \(device)",
                remedy: "find its address with lspci -D, and write it into port.device")
        }
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: root + pciFolder + "/driver")
        let driver = link.map { ($0 as NSString).lastPathComponent } ?? "no driver"
        // Mellanox cards keep their kernel driver.
        if ["vfio-pci", "igb_uio", "uio_pci_generic", "mlx5_core", "mlx4_core"].contains(driver) {
            return Finding(severity: .ok, subject: "port", text: "\(device) is bound to \(driver)")
        }
        return Finding(
            severity: .error, subject: "port", text: "\(device) is bound to \(driver), which DPDK cannot drive",
            remedy: "driverctl set-override \(device) vfio-pci (undo: driverctl unset-override \(device))")
    }

    private func numa() -> Finding {
        guard let node = read(pciFolder + "/numa_node").flatMap(Int.init), node >= 0 else {
            return Finding(severity: .ok, subject: "NUMA", text: "the device names no node")
        }
        let near = Self.processors(read("/sys/devices/system/node/node\(node)/cpulist") ?? "")
        let far = configuration.cores.filter { !near.contains($0) }
        if far.isEmpty { return Finding(severity: .ok, subject: "NUMA", text: "port and cores are on node \(node)") }
        return Finding(
            severity: .warning, subject: "NUMA",
            text: "core \(far.map(String.init).joined(separator: ", ")) is not on the port's node \(node)",
            remedy: "choose workers.cores from \(near.sorted().map(String.init).joined(separator: ", "))")
    }
}
