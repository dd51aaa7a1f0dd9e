import Mailbox

/// The rings between workers, one from each to each other. It is made before the workers start, and freed after all their
/// threads have ended.
public struct HandoverMesh: Sendable {
    /// Workers at most: a Track keeps one replica's handle for each.
    public static let maximumWorkers = 16

    public let workers: Int
    private let rings: [Ring<Handover>]

    /// `depth`: packets that may wait in each ring.
    public init(workers: Int, depth: Int = 4_096) {
        precondition(workers >= 1 && workers <= Self.maximumWorkers)
        self.workers = workers
        rings = (0..<workers * workers).map { _ in Ring(capacity: depth) }
    }

    /// Frees the rings, and the packets in them.
    public func deallocate() {
        for ring in rings {
            while let handover = ring.pop() { handover.packet?.free() }
            ring.deallocate()
        }
    }

    /// One worker's ends.
    func siblings(of worker: Int, transmitters: Int) -> Siblings {
        var siblings = Siblings(number: worker, count: workers)
        for other in 0..<workers where other != worker {
            siblings.inbound[other] = rings[other * workers + worker]
            siblings.outbound[other] = rings[worker * workers + other]
        }
        siblings.transmitter = worker < transmitters ? worker : worker % max(transmitters, 1)
        return siblings
    }
}

/// A worker's ends of the rings to and from the others.
struct Siblings: BitwiseCopyable {
    let number: Int
    let count: Int
    var inbound = InlineArray<16, Ring<Handover>?>(repeating: nil)
    var outbound = InlineArray<16, Ring<Handover>?>(repeating: nil)
    /// The worker with whose transmit queue this one sends: itself when it has one.
    var transmitter: Int

    init(number: Int, count: Int) {
        self.number = number
        self.count = count
        transmitter = number
    }

    /// Hands `message` to a worker; false when its ring is full or there is no such worker.
    func hand(_ message: Handover, to worker: Int) -> Bool {
        guard worker < count, let ring = outbound[worker] else { return false }
        return ring.push(message)
    }

    /// Tells all others; those whose ring is full miss it. How many.
    func tellAll(_ message: Handover) -> Int {
        var missed = 0
        for worker in 0..<count where worker != number && !hand(message, to: worker) { missed &+= 1 }
        return missed
    }
}
