import CDPDK
import Synchronization
import Wire

/// A port: any ethdev of DPDK by name, or packet sockets on an interface of the kernel. Owns the device, its queues and the
/// workers' buffer pools.
public final class DPDKPort: Sendable {
    public struct Configuration: Sendable, Equatable {
        /// A PCI address (`0000:01:00.0`, also in `EAL.Configuration.devices`), a virtual device with its arguments
        /// (`net_tap0,iface=needle0`, `net_af_packet0,iface=eth0`, `net_af_xdp0,iface=eth0`, `net_null0`), or packet
        /// sockets without DPDK (`packet_socket0,iface=eth0`).
        public var device: String
        /// How many workers want queues.
        public var workers: Int
        /// The largest IP packet, bytes.
        public var mtu: Int
        /// Places of each receive and transmit ring; the device may round or bound them.
        public var descriptors: Int
        /// Packet buffers of each worker's pool.
        public var buffers: Int

        public init(
            device: String, workers: Int = 1, mtu: Int = 1_500, descriptors: Int = 1_024,
            buffers: Int = 32_767
        ) {
            self.device = device
            self.workers = workers
            self.mtu = mtu
            self.descriptors = descriptors
            self.buffers = buffers
        }

        /// What DPDK calls the device: the part before its arguments.
        public var name: String { String(device.prefix { $0 != "," }) }

        /// Whether the device is one that software makes, and not on a bus.
        public var isVirtual: Bool { device.hasPrefix("net_") || isPacketSocket }

        var isPacketSocket: Bool { device.hasPrefix(PacketSocketDevice.driver) }
    }

    /// Totals since the start, as the device counts them.
    public struct Statistics: Sendable, Equatable {
        public var receivedPackets: UInt64 = 0
        public var receivedBytes: UInt64 = 0
        public var transmittedPackets: UInt64 = 0
        public var transmittedBytes: UInt64 = 0
        /// Dropped by the device because the worker was too slow.
        public var missed: UInt64 = 0
        public var receiveErrors: UInt64 = 0
        public var transmitErrors: UInt64 = 0
        /// Dropped because the pool was empty.
        public var noBuffer: UInt64 = 0
    }

    public let configuration: Configuration
    /// The address that we send from and answer for.
    public let mac: MACAddress
    /// Where the device sits; nil when unknown or virtual.
    public let numaNode: Int?
    /// Queues in use, at most the number of workers. Workers beyond it have none.
    public let queueCount: Int
    /// Whether the device spreads flows over its queues by a hash of addresses and ports.
    public let spreadsFlows: Bool
    public let offload: ChecksumOffload
    /// DPDK's name of the driver, as `net_tap`; or `packet_socket`.
    public let driver: String

    /// DPDK's number of the device; meaningless where it is none of DPDK's.
    let id: UInt16
    /// Instead of a device of DPDK.
    let sockets: PacketSocketDevice?
    let pools: [BufferPool]
    /// Bytes of the longest frame: by the configured MTU and the device's.
    let maximumFrame: Int
    private let watch: LinkWatch
    private let isUnplugged = Atomic(false)
    private let isClosed = Atomic(false)

    /// Probes, configures and starts the device. EAL must be started.
    public init(_ configuration: Configuration) throws(PortFailure) {
        let name = configuration.name
        let parts = try Self.open.withLock { open throws(PortFailure) in
            guard !open.contains(name) else {
                throw PortFailure("port \(name) is in use in this process: give it another number")
            }
            let parts =
                configuration.isPacketSocket
                ? try Self.openSockets(configuration) : try Self.bringUp(configuration)
            open.insert(name)
            return parts
        }
        self.configuration = configuration
        pools = parts.pools
        sockets = parts.sockets
        queueCount = parts.plan.queues
        spreadsFlows = parts.plan.spreadsFlows
        offload = parts.plan.offload
        id = parts.device?.id ?? .max
        driver = parts.device?.driver ?? PacketSocketDevice.driver
        numaNode = parts.device?.socket
        mac = parts.sockets?.mac ?? parts.device?.mac ?? .zero
        let mtu = min(configuration.mtu, parts.device?.mtu ?? configuration.mtu)
        maximumFrame = EthernetHeader.length + mtu
        watch = LinkWatch()
        // Without the port itself, which would then end on the watch's own queue.
        let probe = linkProbe
        watch.start { probe.isUp }
    }

    /// What a port is made of: a device of DPDK, or sockets.
    private struct Parts {
        var device: EthernetDevice?
        var sockets: PacketSocketDevice?
        var plan: EthernetDevice.Plan
        var pools: [BufferPool]
    }

    /// The names of all open ports, so that none is adopted and removed by another. Held while a device comes or goes.
    private static let open = Mutex(Set<String>())

    private static func openSockets(_ configuration: Configuration) throws(PortFailure) -> Parts {
        let pools = try makePools(configuration, socket: nil)
        do throws(PortFailure) {
            let sockets = try PacketSocketDevice(configuration, pools: pools)
            let plan = EthernetDevice.Plan(
                queues: sockets.queueCount, spreadsFlows: sockets.queueCount > 1,
                offload: ChecksumOffload(udp: true), rss: 0)
            return Parts(sockets: sockets, plan: plan, pools: pools)
        } catch {
            for pool in pools { pool.deallocate() }
            throw error
        }
    }

    private static func bringUp(_ configuration: Configuration) throws(PortFailure) -> Parts {
        let device = try EthernetDevice(probing: configuration)
        var pools: [BufferPool] = []
        do throws(PortFailure) {
            let plan = try device.plan(for: configuration)
            pools = try makePools(configuration, socket: device.socket)
            try device.start(plan, configuration: configuration, pools: pools)
            return Parts(device: device, plan: plan, pools: pools)
        } catch {
            // In this order: the device may still hold buffers.
            device.remove()
            for pool in pools { pool.deallocate() }
            throw error
        }
    }

    deinit { close() }

    private static func makePools(_ configuration: Configuration, socket: Int?) throws(PortFailure)
        -> [BufferPool]
    {
        var pools: [BufferPool] = []
        do throws(PortFailure) {
            for worker in 0..<configuration.workers {
                // Pool names are at most 25 characters.
                let name = "\(configuration.name.suffix(18)).\(worker)"
                let pool = try BufferPool(
                    name: name, count: configuration.buffers, socket: socket, isDense: configuration.isVirtual)
                pools.append(pool)
                // The driver registers the first area with the kernel, and frames elsewhere are lost without a word.
                guard pool.isOneArea || !configuration.device.hasPrefix("net_af_xdp") else {
                    throw PortFailure(
                        "port \(configuration.name): \(configuration.buffers) packet buffers do not lie in one piece of "
                            + "memory, as AF_XDP needs them: configure fewer, or give `hugepages`")
                }
            }
        } catch {
            for pool in pools { pool.deallocate() }
            throw error
        }
        return pools
    }

    /// Whether the port is backed by an interface of the kernel, where busy polling gains nothing.
    public var isKernelBacked: Bool {
        ["net_tap", "net_af_packet", "net_af_xdp", "net_pcap", PacketSocketDevice.driver].contains(driver)
    }

    /// One line for the log.
    public var summary: String {
        var parts = [
            "\(configuration.name) (\(driver)) \(mac)",
            "\(queueCount) of \(configuration.workers) queues",
        ]
        parts.append(numaNode.map { "NUMA node \($0)" } ?? "no NUMA node")
        let checksums = [offload.ipv4Header ? "IPv4" : nil, offload.udp ? "UDP" : nil].compactMap { $0 }
        parts.append(
            checksums.isEmpty
                ? "checksums in software" : "\(checksums.joined(separator: " and ")) checksums")
        if let sockets {
            parts.append(
                sockets.segments
                    ? "UDP segmentation by the kernel"
                    : "no UDP segmentation (Linux 6.2 or newer, and the loopback interface up, are needed)")
        }
        parts.append(spreadsFlows ? "flows spread by the device" : "flows not spread")
        parts.append(isLinkUp ? "link up" : "link down")
        return parts.joined(separator: ", ")
    }

    /// Whether frames can come and go now.
    public var isLinkUp: Bool { linkProbe.isUp }

    private var linkProbe: LinkProbe {
        // af_packet and af_xdp do not follow the interface that they are on: to them it is up from the start on.
        let follows = !["net_af_packet", "net_af_xdp"].contains(driver)
        return LinkProbe(
            id: id, sockets: sockets, interface: follows ? nil : DeviceArguments(configuration.device)["iface"])
    }

    public func statistics() -> Statistics {
        if let sockets { return sockets.statistics() }
        var raw = rte_eth_stats()
        guard !isUnplugged.load(ordering: .acquiring), rte_eth_stats_get(id, &raw) == 0 else {
            return Statistics()
        }
        return Statistics(
            receivedPackets: raw.ipackets, receivedBytes: raw.ibytes, transmittedPackets: raw.opackets,
            transmittedBytes: raw.obytes, missed: raw.imissed, receiveErrors: raw.ierrors,
            transmitErrors: raw.oerrors,
            noBuffer: raw.rx_nombuf)
    }

    /// Stops and removes the device, whose kernel interface goes away if it made one. The workers have ended and gave
    /// their mbufs back. A second call does nothing.
    public func unplug() {
        guard !isUnplugged.exchange(true, ordering: .acquiringAndReleasing) else { return }
        watch.stop()
        Self.open.withLock { open in
            if let sockets { sockets.close() } else { EthernetDevice(id: id).remove() }
            open.remove(configuration.name)
        }
    }

    /// Unplugs the device and frees the pools. Another port that may hold their mbufs is unplugged before.
    public func close() {
        unplug()
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        for pool in pools { pool.deallocate() }
        watch.link.deallocate()
    }

    /// The queue of a worker, numbered from 0.
    func queue(ofWorker worker: Int) -> DPDKQueue {
        let has = worker < queueCount
        return DPDKQueue(
            port: id, queue: UInt16(has ? worker : 0), hasReceive: has, hasTransmit: has, offload: offload,
            maximumFrame: maximumFrame, transmitBurst: DPDKQueue.transmitBurst(isKernelBacked: isKernelBacked),
            link: watch.link,
            socket: has ? sockets?.queue(ofWorker: worker) : nil)
    }

    /// The buffer pool of a worker, numbered from 0.
    func pool(ofWorker worker: Int) -> BufferPool { pools[worker] }
}
