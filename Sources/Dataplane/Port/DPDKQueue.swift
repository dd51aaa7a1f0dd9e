import CDPDK

/// One worker's receive and transmit queue of a port. Only that worker's thread uses it.
struct DPDKQueue: PortQueue {
    let port: UInt16
    let queue: UInt16
    let hasReceive: Bool
    let hasTransmit: Bool
    let offload: ChecksumOffload
    let maximumFrame: Int
    let transmitBurst: Int
    /// The port's, which outlives the worker.
    let link: PortLink
    /// Where the port is no device of DPDK. Its owner is the port.
    let socket: UnsafeMutablePointer<PacketSocketQueue>?

    var isLinkUp: Bool { link.isUp }

    /// A device takes few frames as cheaply as many, and frames that leave early do not wait for the rest: 16 frames cost
    /// no more than 64, and with 20 receivers half of the packets stay a quarter less (benchmarks/README.md). To the
    /// kernel each burst is a system call.
    static func transmitBurst(isKernelBacked: Bool) -> Int { isKernelBacked ? 64 : 16 }

    @inline(__always)
    func receive(into burst: UnsafeMutablePointer<Mbuf>, capacity: Int) -> Int {
        guard hasReceive else { return 0 }
        if let socket { return socket.pointee.receive(into: burst, capacity: capacity) }
        return Int(port_rx_burst(port, queue, burst, UInt16(truncatingIfNeeded: capacity)))
    }

    @inline(__always)
    func transmit(_ burst: UnsafeMutablePointer<Mbuf>, count: Int) -> Int {
        guard hasTransmit else { return 0 }
        if let socket { return socket.pointee.transmit(burst, count: count) }
        return Int(port_tx_burst(port, queue, burst, UInt16(truncatingIfNeeded: count)))
    }
}
