import Foundation
import Testing

@testable import needletail

/// What `needletail check` finds on machines that were made up, and what it advises.
struct MachineCheckTests {
    /// The files of the kernel that the check reads, below a folder of their own.
    private final class Machine {
        let root = FileManager.default.temporaryDirectory.appending(path: "machine-\(UUID().uuidString)")

        deinit { try? FileManager.default.removeItem(at: root) }

        func write(_ path: String, _ text: String) throws {
            let file = root.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }

        func link(_ path: String, to target: String) throws {
            let file = root.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try? FileManager.default.removeItem(at: file)
            try FileManager.default.createSymbolicLink(atPath: file.path, withDestinationPath: target)
        }

        /// The findings but that of our own privileges.
        func findings(_ device: String, _ more: String = "workers: {cores: [2, 3]}") async throws
            -> [String: MachineCheck.Finding]
        {
            try write("needletail.yaml", "port: {device: \"\(device)\", addresses: [\"192.0.2.2/24\"]}\n\(more)\n")
            let file = try ConfigurationFile(path: root.appending(path: "needletail.yaml").path)
            let all = MachineCheck(try NodeConfiguration(file), root: root.path).findings()
            return Dictionary(uniqueKeysWithValues: all.filter { $0.subject != "privileges" }.map { ($0.subject, $0) })
        }
    }

    private static let nic = "0000:01:00.0"

    /// A server as README.md wants it: pages, isolated cores, IOMMU, a NIC at vfio-pci, all on one node.
    private func goodMachine() throws -> Machine {
        let machine = Machine()
        try machine.write("sys/devices/system/cpu/online", "0-7\n")
        try machine.write("sys/devices/system/cpu/isolated", "2-5\n")
        try machine.write("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "512\n")
        try machine.write("sys/kernel/iommu_groups/0/type", "DMA\n")
        try machine.link("sys/bus/pci/devices/\(Self.nic)/driver", to: "../../../bus/pci/drivers/vfio-pci")
        try machine.write("sys/bus/pci/devices/\(Self.nic)/numa_node", "1\n")
        try machine.write("sys/devices/system/node/node1/cpulist", "2-5\n")
        return machine
    }

    @Test func aMachineThatIsReadyHasNothingToMend() async throws {
        let findings = try await goodMachine().findings(Self.nic)
        #expect(findings.keys.sorted() == ["IOMMU", "NUMA", "cores", "hugepages", "isolation", "port"])
        #expect(findings.values.allSatisfy { $0.severity == .ok && $0.remedy == nil })
        #expect(findings["port"]?.line == "ok       port: 0000:01:00.0 is bound to vfio-pci")
        #expect(findings["hugepages"]?.text == "1024 MiB free, 366 MiB needed")
    }

    @Test func aDriverOfTheKernelIsAnErrorWithItsRemedyAndTheUndo() async throws {
        let machine = try goodMachine()
        try machine.link("sys/bus/pci/devices/\(Self.nic)/driver", to: "../../../bus/pci/drivers/ixgbe")
        #expect(
            try await machine.findings(Self.nic)["port"]?.line
                == """
                error    port: 0000:01:00.0 is bound to ixgbe, which DPDK cannot drive
                           -> driverctl set-override 0000:01:00.0 vfio-pci (undo: driverctl unset-override 0000:01:00.0)
                """)
    }

    @Test func eachShortcomingHasItsRemedy() async throws {
        let machine = try goodMachine()
        try machine.write("sys/devices/system/cpu/online", "0-2\n")
        try machine.write("sys/devices/system/cpu/isolated", "\n")
        try machine.write("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "0\n")
        try machine.write("sys/devices/system/node/node1/cpulist", "0-1\n")
        try FileManager.default.removeItem(at: machine.root.appending(path: "sys/kernel/iommu_groups/0"))
        let findings = try await machine.findings(Self.nic)
        #expect(findings["cores"]?.severity == .error)
        #expect(findings["cores"]?.text == "core 3 does not exist or is offline")
        #expect(findings["cores"]?.remedy == "choose workers.cores from 0, 1, 2")
        #expect(findings["isolation"]?.severity == .warning)
        #expect(findings["isolation"]?.remedy == "boot with isolcpus=2,3 nohz_full=2,3 rcu_nocbs=2,3")
        #expect(findings["hugepages"]?.severity == .warning)
        #expect(findings["hugepages"]?.remedy?.hasPrefix("echo 184 > /sys/kernel/mm/hugepages/") == true)
        #expect(findings["NUMA"]?.severity == .warning)
        #expect(findings["NUMA"]?.remedy == "choose workers.cores from 0, 1")
        #expect(findings["IOMMU"]?.severity == .warning)
        #expect(findings["IOMMU"]?.remedy?.contains("intel_iommu=on") == true)
        let strict = try await machine.findings(Self.nic, "memory: {hugepages: required}")
        #expect(strict["hugepages"]?.severity == .error)
    }

    @Test func aDeviceThatIsNotThereIsAnError() async throws {
        let machine = try goodMachine()
        let pci = try await machine.findings("0000:09:00.0")["port"]
        #expect(pci?.severity == .error)
        #expect(pci?.remedy == "find its address with lspci -D, and write it into port.device")
        let veth = try await machine.findings("net_af_packet0,iface=eth7")["port"]
        #expect(veth?.line.hasPrefix("error    port: there is no interface eth7\n") == true)
        try machine.write("sys/class/net/eth7/carrier", "1\n")
        for driver in ["net_af_packet0", "packet_socket0"] {
            #expect(try await machine.findings("\(driver),iface=eth7")["port"]?.severity == .ok)
        }
    }

    /// What a port of the kernel does not need is not asked for.
    @Test func aPortOfTheKernelNeedsNoHugepagesAndNoIommu() async throws {
        let findings = try await Machine().findings("net_tap0,iface=needle0", "workers: {cores: [0]}")
        #expect(findings.keys.sorted() == ["cores", "hugepages", "isolation", "port"])
        #expect(findings.values.allSatisfy { $0.severity == .ok })
    }
}
