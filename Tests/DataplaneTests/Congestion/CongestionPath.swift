@testable import Dataplane

/// A sender, its estimator, and a path of one rate with a queue without end; feedback comes each 50 ms.
final class CongestionPath {
    private let memory: UnsafeMutableRawPointer
    var estimator: BandwidthEstimator
    /// ns.
    private(set) var now: UInt64 = 5_000_000_000
    /// Bit/s.
    var capacity: Double
    /// ns, one way.
    var delay: Int64 = 20_000_000
    /// What a receiver does to the arrivals that it tells, by number.
    var tell: (UInt16, Int64) -> Int64? = { _, arrival in arrival }
    /// Of the packets that were sent, the number's last 16 bits.
    private(set) var number: UInt16 = 65_000
    private var free: UInt64 = 0
    private var pending: [(number: UInt16, arrival: UInt64)] = []
    private var reportAt: UInt64

    init(capacity: Double) {
        self.capacity = capacity
        memory = .allocate(byteCount: BandwidthEstimator.memorySize, alignment: 8)
        estimator = BandwidthEstimator(memory: memory, now: now)
        reportAt = now + 50_000_000
    }

    deinit { memory.deallocate() }

    func send(bytes: Int, kind: SentKind = .media) {
        estimator.noteSent(number, bytes: bytes, kind: kind, now: now)
        free = max(free, now) + UInt64(Double(bytes * 8) / capacity * 1e9)
        pending.append((number, free + UInt64(delay)))
        number &+= 1
    }

    /// Media at `rate`, or at the target, in packets of equal distance.
    func run(seconds: Double, rate: Double? = nil) {
        let end = now + UInt64(seconds * 1e9)
        while now < end {
            let bits = rate ?? Double(estimator.target)
            if bits > 0 { send(bytes: 1_000) }
            step(to: now + (bits > 0 ? UInt64(8_000 / bits * 1e9) : 50_000_000))
        }
    }

    private func step(to time: UInt64) {
        while reportAt <= time {
            now = reportAt
            report()
            reportAt += 50_000_000
        }
        now = time
    }

    private func report() {
        let count = pending.firstIndex { $0.arrival > now } ?? pending.count
        guard count > 0 else { return }
        estimator.beginFeedback(now: now + UInt64(delay))
        for packet in pending[..<count] {
            let told = tell(packet.number, Int64(packet.arrival / 250_000 * 250_000))
            estimator.noteStatus(packet.number, isReceived: told != nil, arrival: told ?? 0)
        }
        estimator.endFeedback()
        pending.removeFirst(count)
    }
}
