import CDPDK
import Mailbox

/// Receives what another thread puts in, and notes how long each media packet took from there to its transmission.
struct PacedQueue: PortQueue {
    /// Latencies by the time stamp counter, in steps of 64 cycles; the last one holds all that took longer.
    static let steps = 1 << 16
    static let step: UInt64 = 64
    /// Slots whose packets are followed: SSRCs from `firstSsrc` in steps of two, as `BenchmarkSource` hands out.
    static let maximumSlots = 64

    /// A packet, and when it was put in, cycles.
    struct Stamped: BitwiseCopyable {
        var packet: Mbuf
        var stamp: UInt64
    }

    let device: DPDKQueue
    let offload = ChecksumOffload(udp: true)
    let arrivals: Ring<Stamped>
    /// Of the next packet that is received.
    private var nextSequence: UInt16 = 0
    /// Packets before this one are not noted.
    private var firstNoted: UInt16 = 0
    /// When the packet with a sequence number was put in, cycles. The worker's own: the other thread's write would take
    /// the line away from it.
    private let stamps: UnsafeMutablePointer<UInt64>
    /// What a Slot adds to the publisher's sequence numbers.
    let deltas: UnsafeMutablePointer<UInt16>
    let histogram: UnsafeMutablePointer<UInt32>
    private let payloadType: UInt8

    init(device: DPDKQueue, depth: Int, payloadType: UInt8) {
        self.device = device
        self.payloadType = payloadType
        arrivals = Ring(capacity: depth)
        stamps = .allocate(capacity: 1 << 16)
        stamps.initialize(repeating: 0, count: 1 << 16)
        deltas = .allocate(capacity: Self.maximumSlots)
        deltas.initialize(repeating: 0, count: Self.maximumSlots)
        histogram = .allocate(capacity: Self.steps)
        histogram.initialize(repeating: 0, count: Self.steps)
    }

    func deallocate() {
        while let arrival = arrivals.pop() { arrival.packet.free() }
        arrivals.deallocate()
        stamps.deallocate()
        deltas.deallocate()
        histogram.deallocate()
    }

    var hasReceive: Bool { true }
    var hasTransmit: Bool { true }
    var transmitBurst: Int { device.transmitBurst }

    /// Those that come now bear sequence numbers from `sequence` on; the first `warmUp` of them are not noted.
    mutating func begin(at sequence: UInt16, warmUp: Int) {
        nextSequence = sequence
        firstNoted = sequence &+ UInt16(truncatingIfNeeded: warmUp)
    }

    @inline(__always)
    mutating func receive(into packets: UnsafeMutablePointer<Mbuf>, capacity: Int) -> Int {
        var count = 0
        while count < capacity, let arrival = arrivals.pop() {
            packets[count] = arrival.packet
            stamps[Int(nextSequence)] = arrival.stamp
            nextSequence &+= 1
            count &+= 1
        }
        return count
    }

    @inline(__always)
    func transmit(_ packets: UnsafeMutablePointer<Mbuf>, count: Int) -> Int {
        let now = tsc_read()
        for index in 0..<count {
            let rtp = packets[index].data + 42
            // RTCP's packet types are others.
            guard rtp.load(fromByteOffset: 1, as: UInt8.self) & 0x7f == payloadType else { continue }
            let ssrc = UInt32(bigEndian: rtp.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
            let slot = Int((ssrc &- BenchmarkSource.firstSlotSsrc) / 2)
            guard slot < Self.maximumSlots else { continue }
            let sequence = UInt16(bigEndian: rtp.loadUnaligned(fromByteOffset: 2, as: UInt16.self)) &- deltas[slot]
            guard Int16(bitPattern: sequence &- firstNoted) >= 0 else { continue }
            note(now &- stamps[Int(sequence)])
        }
        return device.transmit(packets, count: count)
    }

    @inline(__always)
    func note(_ cycles: UInt64) { histogram[min(Int(cycles / Self.step), Self.steps - 1)] &+= 1 }
}
