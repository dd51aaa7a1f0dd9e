import Synchronization
import Testing
import Wire

@testable import Dataplane

@Suite("EAL and ports")
struct PortDeviceTests {
    @Test("arguments without hugepages share nothing and leave PCI alone")
    func argumentsWithoutHugepages() {
        let arguments = EAL.arguments(
            for: EAL.Configuration(memory: 300, filePrefix: "x"), hugepages: false, cores: [2, 3])
        let text = arguments.joined(separator: " ")
        #expect(text.contains("--no-huge --no-shconf"))
        // EAL refuses it together with the static memory layout of --no-huge.
        #expect(!text.contains("--in-memory"))
        #expect(text.contains("--no-pci"))
        #expect(text.contains("-m 300"))
        #expect(text.contains("--lcores 0@(2,3)"))
        #expect(text.contains("--no-telemetry"))
    }

    @Test("arguments with hugepages and devices allow these alone")
    func argumentsWithDevices() {
        let configuration = EAL.Configuration(
            devices: ["0000:01:00.0", "0000:02:00.0"], drivers: "/opt/drivers")
        let text = EAL.arguments(for: configuration, hugepages: true, cores: [0]).joined(separator: " ")
        #expect(text.contains("--in-memory"))
        #expect(!text.contains("--no-huge"))
        #expect(text.contains("-a 0000:01:00.0 -a 0000:02:00.0"))
        #expect(!text.contains("--no-pci"))
        #expect(text.contains("-d /opt/drivers"))
    }

    @Test("a second start does nothing")
    func startTwice() throws {
        try PortFixture.startEAL()
        try EAL.start(EAL.Configuration(hugepages: .required, memory: 1_000_000))
        #expect(!EAL.usesHugepages)
        #expect(EAL.version.hasPrefix("DPDK "))
    }

    @Test("rules of steering hold the ports of a worker and no others")
    func steeringRules() {
        var random = RandomSource(seed: 11)
        for ports in [49_152..<65_536, 49_152..<54_612, 1_024..<1_026, 0..<65_536, 50_001..<50_001]
            + (0..<50).map({ _ in
                let ends = [Int.random(in: 0...65_536, using: &random), Int.random(in: 0...65_536, using: &random)]
                return ends.min()!..<ends.max()!
            })
        {
            let rules = SteeringRule.covering(ports, isV4: true, queue: 3)
            for port in UInt16.min...UInt16.max {
                let matches = rules.count { port & $0.mask == $0.value }
                guard matches != (ports.contains(Int(port)) ? 1 : 0) else { continue }
                Issue.record("\(matches) rules for \(port) of \(ports)")
                break
            }
            #expect(rules.count <= 30 && rules.allSatisfy { $0.queue == 3 })
        }
        #expect(SteeringRule.covering(49_152..<65_536, isV4: false, queue: 0).map(\.mask) == [0xc000])
    }

    @Test("a device without rules leaves packets to the workers")
    func steeringRefused() throws {
        try PortFixture.startEAL()
        let relay = RelayConfiguration(
            realm: "", secret: (0, 0, 0, 0), v4: .init(local: IPAddress(v4: 0x0a00_0001)), v6: nil)
        let pair = try DPDKPort(.init(device: "net_null6", workers: 2, buffers: 511))
        defer { pair.close() }
        guard case .byWorkers(let reason) = pair.steer(relay, workers: 2) else {
            Issue.record("a null device took a rule")
            return
        }
        #expect(!reason.isEmpty)
        #expect(pair.steer(nil, workers: 2) == .needless)
        let single = try DPDKPort(.init(device: "net_null7", buffers: 511))
        defer { single.close() }
        #expect(single.steer(relay, workers: 1) == .needless)
    }

    @Test("the workers' relayed ports are whole pairs, side by side")
    func relayedPorts() {
        var relay = RelayConfiguration(realm: "", secret: (0, 0, 0, 0), v4: nil, v6: nil)
        let thirds = [49_152..<54_612, 54_612..<60_072, 60_072..<65_532]
        #expect((0..<3).map { relay.ports(ofWorker: $0, of: 3) } == thirds)
        relay.ports = 50_001...50_008
        #expect((0..<2).map { relay.ports(ofWorker: $0, of: 2) } == [50_002..<50_004, 50_004..<50_006])
        #expect(relay.ports(ofWorker: 0, of: 4).isEmpty)
    }

    @Test("a null port gives each worker what it has")
    func nullPort() throws {
        try PortFixture.startEAL()
        let port = try DPDKPort(.init(device: "net_null0,size=100", workers: 2, buffers: 2_047))
        #expect(port.driver == "net_null")
        #expect(!port.isKernelBacked)
        #expect(port.queueCount == 2)
        let burst = UnsafeMutablePointer<Mbuf>.allocate(capacity: 32)
        defer { burst.deallocate() }
        for worker in 0..<2 {
            let queue = port.queue(ofWorker: worker)
            #expect(queue.hasReceive && queue.hasTransmit)
            #expect(queue.receive(into: burst, capacity: 32) == 32)
            #expect(burst[31].length == 100)
            #expect(queue.transmit(burst, count: 32) == 32)
        }
        let failure = #expect(throws: PortFailure.self) { try DPDKPort(.init(device: "net_null0", buffers: 511)) }
        #expect(try #require(failure).description.contains("in use"))
        #expect(port.driver == "net_null")
        let statistics = port.statistics()
        #expect(statistics.receivedPackets == 64)
        #expect(statistics.transmittedPackets == 64)
        #expect(port.summary.contains("2 of 2 queues"))
        port.close()
        port.close()
        #expect(port.statistics() == DPDKPort.Statistics())
    }

    @Test("a closed port can be opened again, and workers without a queue have none")
    func ringPort() throws {
        try PortFixture.startEAL()
        for _ in 0..<2 {
            // A ring port has 16 queues.
            let port = try DPDKPort(.init(device: "net_ring0", workers: 17, buffers: 511))
            #expect(port.queueCount == 16)
            let idle = port.queue(ofWorker: 16)
            #expect(!idle.hasReceive && !idle.hasTransmit)
            let burst = UnsafeMutablePointer<Mbuf>.allocate(capacity: 4)
            defer { burst.deallocate() }
            #expect(idle.receive(into: burst, capacity: 4) == 0)
            #expect(port.pool(ofWorker: 16).allocate(into: burst, count: 4))
            #expect(idle.transmit(burst, count: 4) == 0)
            // What goes into the ring comes out of it.
            let queue = port.queue(ofWorker: 0)
            #expect(queue.transmit(burst, count: 4) == 4)
            #expect(queue.receive(into: burst, capacity: 4) == 4)
            burst.freeAll(4)
            port.close()
        }
    }

    @Test(
        "a port that cannot be had says why in one line",
        arguments: [
            ("net_af_packet7,iface=nosuchinterface", "no interface nosuchinterface"),
            ("net_af_xdp7", "needs an interface"),
            ("packet_socket7", "write packet_socket7,iface=NAME"),
            ("packet_socket7,iface=nosuchinterface", "no interface nosuchinterface"),
            ("packet_socket7,iface=lo", "no Ethernet interface"),
            ("net_nosuchdriver0", "no driver"),
            ("0000:99:00.0", "dpdk-devbind.py"),
        ])
    func failures(device: String, part: String) throws {
        try PortFixture.startEAL()
        let failure = #expect(throws: PortFailure.self) {
            try DPDKPort(.init(device: device, buffers: 511))
        }
        let text = try #require(failure).description
        // Whoever is not root is told that first.
        #expect(text.contains(part) || text.contains("run as root"))
        #expect(!text.contains("\n"))
    }

    @Test("an MTU that buffers cannot hold is refused", arguments: [0, 575, 1_501, 9_000])
    func mtu(mtu: Int) throws {
        try PortFixture.startEAL()
        let failure = #expect(throws: PortFailure.self) {
            try DPDKPort(.init(device: "net_null1\(mtu)", mtu: mtu, buffers: 511))
        }
        #expect(try #require(failure).description.contains("576 to 1500"))
    }

    @Test("device arguments are completed with queues where they are left open")
    func completion() throws {
        #expect(DPDKPort.Configuration(device: "net_tap0,iface=a").name == "net_tap0")
        #expect(try DeviceArguments("net_tap0,iface=a").completed(workers: 2) == "net_tap0,iface=a")
        #expect(DeviceArguments.receiveQueues(of: "lo") == 1)
        #expect(DeviceArguments.receiveQueues(of: "../net/lo") == 0)
        let packet = "net_af_packet0,iface=lo"
        #expect(try DeviceArguments(packet).completed(workers: 3) == packet + ",qpairs=3")
        #expect(try DeviceArguments(packet + ",qpairs=1").completed(workers: 3) == packet + ",qpairs=1")
        #expect(
            try DeviceArguments("net_af_xdp0,iface=lo").completed(workers: 3)
                == "net_af_xdp0,iface=lo,queue_count=1")
    }
}
