import CDPDK
import CPacketSocket
import Glibc
import Synchronization
import Wire

/// An interface of the kernel through packet sockets (packet(7)), without a driver of DPDK: a burst leaves with one system
/// call, and an idle worker sleeps until a frame comes.
final class PacketSocketDevice: Sendable {
    /// The part of a device's name that says so: `packet_socket0,iface=eth0`.
    static let driver = "packet_socket"
    /// Bytes that may wait in the kernel to be sent, of each worker.
    private static let sendBuffer: Int32 = 4 << 20

    let mac: MACAddress
    /// Whether datagrams of one flow leave together: VIRTIO_NET_HDR_GSO_UDP_L4, which Linux has from 6.2 on.
    let segments: Bool
    private let interface: String
    private let index: Int32
    /// One for each worker, made and freed by this object, used by the worker's thread.
    private nonisolated(unsafe) let queues: [UnsafeMutablePointer<PacketSocketQueue>]
    private let counters: [PacketCounters]
    /// Frames that the kernel dropped because the rings were full; reading resets it.
    private let missed = Mutex((total: UInt64(0), isClosed: false))

    /// Opens the sockets; a queue takes its buffers from the pool of the same number.
    init(_ configuration: DPDKPort.Configuration, pools: [BufferPool]) throws(PortFailure) {
        let name = configuration.name
        guard let interface = DeviceArguments(configuration.device)["iface"] else {
            throw PortFailure("port \(name) needs an interface: write \(name),iface=NAME")
        }
        let facts = try Self.facts(of: interface, configuration)
        self.interface = interface
        index = facts.index
        mac = withUnsafeBytes(of: facts.mac) { MACAddress(load: $0.baseAddress!) }
        segments = PacketSocket.segmentsUDP
        var queues: [UnsafeMutablePointer<PacketSocketQueue>] = []
        do throws(PortFailure) {
            var group: UInt16?
            for pool in pools {
                let queue = try Self.openQueue(configuration, on: facts.index, pool: pool, segments: segments)
                queues.append(queue)
                if pools.count > 1 { group = try PacketSocket.spread(queue.pointee.receiver, group, port: name) }
            }
        } catch {
            Self.free(queues)
            throw error
        }
        self.queues = queues
        counters = queues.map { $0.pointee.counters }
    }

    private static func facts(
        of interface: String, _ configuration: DPDKPort.Configuration
    ) throws(PortFailure) -> packet_interface {
        let name = configuration.name
        var facts = packet_interface()
        guard packet_interface_read(interface, &facts) == 0 else {
            throw PortFailure("port \(name): there is no interface \(interface)")
        }
        guard facts.hardware == 1 else {
            throw PortFailure("port \(name): \(interface) is no Ethernet interface: choose another")
        }
        guard configuration.mtu >= 576, configuration.mtu <= min(1_500, Int(facts.mtu)) else {
            throw PortFailure(
                "port \(name): an MTU of \(configuration.mtu) is outside 576 to \(min(1_500, facts.mtu)), the MTU of "
                    + "\(interface); configure one inside, or `ip link set \(interface) mtu 1500`")
        }
        return facts
    }

    private static func openQueue(
        _ configuration: DPDKPort.Configuration, on interface: Int32, pool: BufferPool, segments: Bool
    ) throws(PortFailure) -> UnsafeMutablePointer<PacketSocketQueue> {
        let sender = try PacketSocket.openSender(
            on: interface, buffer: sendBuffer, port: configuration.name)
        let ring: ReceiveRing
        do throws(PortFailure) {
            ring = try PacketSocket.openReceiver(
                on: interface, places: configuration.descriptors, port: configuration.name)
        } catch {
            Glibc.close(sender)
            throw error
        }
        let queue = UnsafeMutablePointer<PacketSocketQueue>.allocate(capacity: 1)
        queue.initialize(
            to: PacketSocketQueue(
                sender: sender, ring: ring, segments: segments ? MessageBatch.maximumSegments : 1, pool: pool,
                counters: PacketCounters(), longestFrame: configuration.mtu + EthernetHeader.length))
        return queue
    }

    private static func free(_ queues: [UnsafeMutablePointer<PacketSocketQueue>]) {
        for queue in queues {
            queue.pointee.counters.deallocate()
            queue.deinitialize(count: 1)
            queue.deallocate()
        }
    }

    var queueCount: Int { counters.count }

    /// Whether the interface that the sockets are bound to is there, up, and has a carrier.
    var isLinkUp: Bool { if_nametoindex(interface) == UInt32(index) && interface_is_running(interface) != 0 }

    func queue(ofWorker worker: Int) -> UnsafeMutablePointer<PacketSocketQueue> { queues[worker] }

    func statistics() -> DPDKPort.Statistics {
        missed.withLock { missed in
            guard !missed.isClosed else { return DPDKPort.Statistics() }
            for queue in queues { missed.total += PacketSocket.takeDrops(queue.pointee.receiver) }
            func sum(_ counter: PacketCounters.Counter) -> UInt64 { counters.reduce(0) { $0 + $1[counter] } }
            return DPDKPort.Statistics(
                receivedPackets: sum(.receivedPackets), receivedBytes: sum(.receivedBytes),
                transmittedPackets: sum(.transmittedPackets), transmittedBytes: sum(.transmittedBytes),
                missed: missed.total, receiveErrors: sum(.receiveErrors), transmitErrors: sum(.transmitErrors),
                noBuffer: sum(.noBuffer))
        }
    }

    /// Closes the sockets and gives buffers back to their pools. The workers have ended. A second call does nothing.
    func close() {
        missed.withLock { missed in
            guard !missed.isClosed else { return }
            missed.isClosed = true
            Self.free(queues)
        }
    }

    deinit { close() }
}
