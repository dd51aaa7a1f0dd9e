/// Receives what a benchmark put there, and transmits on the device.
struct ArrivalQueue: PortQueue {
    let device: DPDKQueue
    let offload: ChecksumOffload
    let frames: UnsafeMutablePointer<Mbuf>
    private let burst: Int
    private var next = 0
    private var end = 0

    init(device: DPDKQueue, offload: ChecksumOffload, capacity: Int, burst: Int) {
        self.device = device
        self.offload = offload
        self.burst = burst
        frames = .allocate(capacity: capacity)
    }

    func deallocate() { frames.deallocate() }

    var hasReceive: Bool { true }
    var hasTransmit: Bool { true }
    var transmitBurst: Int { device.transmitBurst }
    var hasArrivals: Bool { next < end }

    /// The first `count` of `frames` are to be received.
    mutating func fill(_ count: Int) {
        next = 0
        end = count
    }

    @inline(__always)
    mutating func receive(into packets: UnsafeMutablePointer<Mbuf>, capacity: Int) -> Int {
        let count = min(min(burst, capacity), end &- next)
        packets.update(from: frames + next, count: count)
        next &+= count
        return count
    }

    @inline(__always)
    func transmit(_ packets: UnsafeMutablePointer<Mbuf>, count: Int) -> Int { device.transmit(packets, count: count) }
}
