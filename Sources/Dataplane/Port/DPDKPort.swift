import CDPDK
import Wire

/// A port of DPDK: any ethdev, by name. Owns the device, its queues and the workers' buffer pools.
public final class DPDKPort: Sendable {
    public struct Configuration: Sendable, Equatable {
        /// A PCI address (`0000:01:00.0`, also in `EAL.Configuration.devices`) or a virtual device with its
        /// arguments (`net_tap0,iface=needle0`, `net_af_packet0,iface=eth0`, `net_af_xdp0,iface=eth0`, `net_null0`).
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
            device: String, workers: Int = 1, mtu: Int = 1_500, descriptors: Int = 1_024, buffers: Int = 32_767
        ) {
            self.device = device
            self.workers = workers
            self.mtu = mtu
            self.descriptors = descriptors
            self.buffers = buffers
        }
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
    public let mac: MACAddress
    /// Where the device sits; nil when unknown or virtual.
    public let numaNode: Int?
    /// Queues in use, at most the number of workers. Workers beyond it have none.
    public let queueCount: Int
    /// Whether the device spreads flows over its queues by a hash of addresses and ports.
    public let spreadsFlows: Bool
    public let offload: ChecksumOffload
    /// DPDK's name of the driver, as `net_tap`.
    public let driver: String

    let id: UInt16
    let pools: [BufferPool]

    /// Probes, configures and starts the device. EAL must be started.
    public init(_ configuration: Configuration) throws(PortFailure) {
        throw PortFailure("not started")
    }

    /// Whether the port is a kernel interface in disguise, where busy polling buys nothing.
    public var isKernelBacked: Bool { ["net_tap", "net_af_packet", "net_af_xdp", "net_pcap"].contains(driver) }

    /// One line for the log.
    public var summary: String { "" }

    public var isLinkUp: Bool { port_link_is_up(id) != 0 }

    public func statistics() -> Statistics { Statistics() }

    /// Stops and removes the device; its kernel interface, if it made one, goes away. The workers have ended.
    public func close() {}

    /// The queue of a worker, numbered from 0.
    func queue(ofWorker worker: Int) -> DPDKQueue {
        DPDKQueue(port: id, queue: 0, hasReceive: false, hasTransmit: false, offload: offload)
    }

    /// The buffer pool of a worker, numbered from 0.
    func pool(ofWorker worker: Int) -> BufferPool { pools[worker] }
}
