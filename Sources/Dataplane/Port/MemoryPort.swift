import Mailbox

/// A port for simulations: queues in memory with real mbufs, and a link on each side that loses, doubles, delays
/// and reorders by a seeded generator on virtual time. The same seed and the same calls give the same frames.
///
/// The test's thread delivers, advances and takes; the worker under test sees a `MemoryQueue`.
final class MemoryPort {
    /// What a link does to each frame. Probabilities are 0...1, times nanoseconds.
    struct Link: Equatable {
        var loss = 0.0
        var duplication = 0.0
        /// The probability that a frame is held back by `holdBack`, so that later ones overtake it.
        var reordering = 0.0
        var holdBack: UInt64 = 5_000_000
        var delay: UInt64 = 0
        /// A further delay, uniform in `0...jitter`; frames may overtake each other.
        var jitter: UInt64 = 0
    }

    struct Frame: Equatable {
        var bytes: [UInt8]
        /// When it left the link, ns of virtual time.
        var time: UInt64
        var queue: Int
    }

    init(
        queues: Int = 1, pool: BufferPool, depth: Int = 4_096, inbound: Link = Link(), outbound: Link = Link(),
        seed: UInt64, offload: ChecksumOffload = ChecksumOffload()
    ) {}

    /// The worker's side of queue `index`.
    func queue(_ index: Int = 0) -> MemoryQueue { fatalError() }

    /// Sends a frame to the port, now: it becomes receivable at an `advance` to a time when the link lets it out.
    func deliver(_ frame: [UInt8], to queue: Int = 0) {}

    /// Moves virtual time; never backwards. What the worker transmitted since the last call left at the old time.
    func advance(to now: UInt64) {}

    /// The frames that have come out of the outbound link since the last call, in order of time.
    func takeTransmitted() -> [Frame] { [] }
}

/// One queue of a `MemoryPort`, as a worker sees it.
struct MemoryQueue: PortQueue {
    var hasReceive: Bool { true }
    var hasTransmit: Bool { true }
    let offload: ChecksumOffload
    let received: Ring<Mbuf>
    let transmitted: Ring<Mbuf>

    @inline(__always)
    func receive(into burst: UnsafeMutablePointer<Mbuf>, capacity: Int) -> Int {
        var count = 0
        while count < capacity, let mbuf = received.pop() {
            burst[count] = mbuf
            count &+= 1
        }
        return count
    }

    @inline(__always)
    func transmit(_ burst: UnsafeMutablePointer<Mbuf>, count: Int) -> Int {
        for index in 0..<count where !transmitted.push(burst[index]) { return index }
        return count
    }
}
