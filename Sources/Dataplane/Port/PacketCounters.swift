import Synchronization

/// What one queue of packet sockets counted since the start: its worker writes, control reads.
struct PacketCounters: @unchecked Sendable {
    enum Counter: Int, CaseIterable {
        case receivedPackets, receivedBytes, transmittedPackets, transmittedBytes
        /// Frames that are not the port's: too long, of a VLAN, or several in one that cannot be taken apart.
        case receiveErrors
        case transmitErrors
        case noBuffer
    }

    private let values: UnsafeMutablePointer<Atomic<UInt64>>

    init() {
        values = .allocate(capacity: Counter.allCases.count)
        for counter in Counter.allCases { (values + counter.rawValue).initialize(to: Atomic(0)) }
    }

    func deallocate() { values.deallocate() }

    @inline(__always)
    func add(_ counter: Counter, _ count: Int = 1) {
        let value = values + counter.rawValue
        value.pointee.store(
            value.pointee.load(ordering: .relaxed) &+ UInt64(truncatingIfNeeded: count), ordering: .relaxed)
    }

    subscript(counter: Counter) -> UInt64 { values[counter.rawValue].load(ordering: .relaxed) }
}
