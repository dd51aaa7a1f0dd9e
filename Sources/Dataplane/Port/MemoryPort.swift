import Mailbox
import Wire

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

    /// Frames on their way through a link.
    private struct Transit {
        var link: Link
        var random: RandomSource
        /// Sorted by time, then by age.
        var frames: [Frame] = []

        mutating func enter(_ bytes: [UInt8], queue: Int, now: UInt64) {
            if draw() < link.loss { return }
            let copies = draw() < link.duplication ? 2 : 1
            for _ in 0..<copies {
                var time = now &+ link.delay
                if link.jitter > 0 { time &+= UInt64.random(in: 0...link.jitter, using: &random) }
                if draw() < link.reordering { time &+= link.holdBack }
                // Mostly in order: the place is near the end.
                var place = frames.count
                while place > 0, frames[place - 1].time > time { place -= 1 }
                frames.insert(Frame(bytes: bytes, time: time, queue: queue), at: place)
            }
        }

        mutating func leave(until now: UInt64) -> ArraySlice<Frame> {
            let end = frames.firstIndex { $0.time > now } ?? frames.count
            defer { frames.removeFirst(end) }
            return frames[..<end]
        }

        /// Uniform in 0..<1. Each frame draws as often whatever the probabilities are.
        private mutating func draw() -> Double { Double(random.next() >> 11) * 0x1p-53 }
    }

    /// Virtual time, ns.
    private(set) var now: UInt64 = 0
    /// All that passed the port's own edge since the start, when `captures` was set: received and transmitted, each
    /// when the worker saw it.
    private(set) var capture: [Frame] = []
    var captures = false
    /// Frames that found no buffer or a full receive queue.
    private(set) var missed = 0
    /// Changes how frames not yet on the link will fare.
    var inbound: Link {
        get { incoming.link }
        set { incoming.link = newValue }
    }
    var outbound: Link {
        get { outgoing.link }
        set { outgoing.link = newValue }
    }

    private let pool: BufferPool
    private let queues: [MemoryQueue]
    private var incoming: Transit
    private var outgoing: Transit
    private var arrived: [Frame] = []

    init(
        queues: Int = 1, pool: BufferPool, depth: Int = 4_096, inbound: Link = Link(),
        outbound: Link = Link(),
        seed: UInt64, offload: ChecksumOffload = ChecksumOffload(), mtu: Int = 1_500
    ) {
        self.pool = pool
        self.queues = (0..<queues).map { _ in
            MemoryQueue(
                offload: offload, maximumFrame: EthernetHeader.length + mtu, received: Ring(capacity: depth),
                transmitted: Ring(capacity: depth))
        }
        incoming = Transit(link: inbound, random: RandomSource(seed: seed))
        outgoing = Transit(link: outbound, random: RandomSource(seed: ~seed))
    }

    deinit {
        for queue in queues {
            while let mbuf = queue.received.pop() { mbuf.free() }
            while let mbuf = queue.transmitted.pop() { mbuf.free() }
            queue.received.deallocate()
            queue.transmitted.deallocate()
        }
    }

    /// The worker's side of queue `index`.
    func queue(_ index: Int = 0) -> MemoryQueue { queues[index] }

    /// Sends a frame to the port, now: it becomes receivable at an `advance` to a time when the link lets it out,
    /// at once with a link without delay.
    func deliver(_ frame: [UInt8], to queue: Int = 0) {
        incoming.enter(frame, queue: queue, now: now)
        receiveDue()
    }

    /// Moves virtual time; never backwards. What the worker transmitted since the last call left at the old time.
    func advance(to time: UInt64) {
        collectTransmitted()
        now = max(now, time)
        receiveDue()
        arrived += outgoing.leave(until: now)
    }

    /// The frames that have come out of the outbound link since the last call, in order of time.
    func takeTransmitted() -> [Frame] {
        collectTransmitted()
        arrived += outgoing.leave(until: now)
        defer { arrived.removeAll() }
        return arrived
    }

    /// When a frame on either link will come out next: a simulation need not look before.
    var nextEvent: UInt64? {
        [incoming.frames.first?.time, outgoing.frames.first?.time].compactMap { $0 }.min()
    }

    private func receiveDue() {
        for frame in incoming.leave(until: now) {
            guard let mbuf = pool.allocate() else {
                missed += 1
                continue
            }
            guard let place = mbuf.append(frame.bytes.count) else {
                missed += 1
                mbuf.free()
                continue
            }
            frame.bytes.withUnsafeBytes { bytes in
                if let source = bytes.baseAddress { place.copyMemory(from: source, byteCount: bytes.count) }
            }
            guard queues[frame.queue].received.push(mbuf) else {
                missed += 1
                mbuf.free()
                continue
            }
            if captures { capture.append(frame) }
        }
    }

    private func collectTransmitted() {
        for (index, queue) in queues.enumerated() {
            while let mbuf = queue.transmitted.pop() {
                let bytes = Array(mbuf.bytes)
                mbuf.free()
                if captures { capture.append(Frame(bytes: bytes, time: now, queue: index)) }
                outgoing.enter(bytes, queue: index, now: now)
            }
        }
    }
}

/// One queue of a `MemoryPort`, as a worker sees it.
struct MemoryQueue: PortQueue {
    var hasReceive: Bool { true }
    var hasTransmit: Bool { true }
    let offload: ChecksumOffload
    var maximumFrame = EthernetHeader.length + 1_500
    var transmitBurst: Int { DPDKQueue.transmitBurst(isKernelBacked: false) }
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
