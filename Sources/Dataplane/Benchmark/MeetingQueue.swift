/// A port on virtual time: hands out what arrives by then, and keeps what is transmitted until the benchmark has looked at it
/// and gives it to the device, which frees it.
struct MeetingQueue: PortQueue {
    /// A packet, and when it arrives, ns.
    struct Arrival: BitwiseCopyable {
        var time: UInt64
        var packet: Mbuf
    }

    /// Frames that one turn transmits at most.
    private static let mostTransmitted = 16_384

    let device: DPDKQueue
    let offload = ChecksumOffload(udp: true)
    /// In the order of time; those before `next` were received.
    let arrivals: UnsafeMutablePointer<Arrival>
    private let capacity: Int
    private(set) var next = 0
    private(set) var end = 0
    let transmitted: UnsafeMutablePointer<Mbuf>
    private(set) var transmittedCount = 0
    /// Of the turn, ns.
    var now: UInt64 = 0

    /// `capacity`: packets that have not been received yet, at most.
    init(device: DPDKQueue, capacity: Int) {
        self.device = device
        self.capacity = capacity
        arrivals = .allocate(capacity: capacity)
        transmitted = .allocate(capacity: Self.mostTransmitted)
    }

    func deallocate() {
        for place in next..<end { arrivals[place].packet.free() }
        transmitted.freeAll(transmittedCount)
        arrivals.deallocate()
        transmitted.deallocate()
    }

    var hasReceive: Bool { true }
    var hasTransmit: Bool { true }
    var transmitBurst: Int { device.transmitBurst }

    @inline(__always)
    mutating func receive(into packets: UnsafeMutablePointer<Mbuf>, capacity: Int) -> Int {
        var count = 0
        while count < capacity, next < end, arrivals[next].time <= now {
            packets[count] = arrivals[next].packet
            count &+= 1
            next &+= 1
        }
        return count
    }

    @inline(__always)
    mutating func transmit(_ packets: UnsafeMutablePointer<Mbuf>, count: Int) -> Int {
        let taken = min(count, Self.mostTransmitted &- transmittedCount)
        (transmitted + transmittedCount).update(from: packets, count: taken)
        transmittedCount &+= taken
        return taken
    }

    /// Hands what was transmitted to the device, as it came.
    @inline(__always)
    mutating func release() {
        var first = 0
        while first < transmittedCount {
            let count = min(transmitBurst, transmittedCount &- first)
            first &+= device.transmit(transmitted + first, count: count)
        }
        transmittedCount = 0
    }

    /// Adds what arrives next, which is sorted: false where there is no room.
    mutating func append(_ fresh: [Arrival]) -> Bool {
        arrivals.update(from: arrivals + next, count: end - next)
        end -= next
        next = 0
        guard end + fresh.count <= capacity else { return false }
        for arrival in fresh {
            arrivals[end] = arrival
            end += 1
        }
        return true
    }

    /// When so many packets wait, ns.
    func time(of count: Int) -> UInt64 { next + count <= end ? arrivals[next + count - 1].time : .max }

    /// Packets that have arrived and wait.
    func waiting(at now: UInt64) -> Int {
        var place = next
        while place < end, arrivals[place].time <= now { place += 1 }
        return place - next
    }
}
