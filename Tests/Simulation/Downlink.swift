import QualityModel
import Wire

@testable import Dataplane

/// A peer's narrow way in: what the PoP sends waits in a queue, as at an access line, and some of it may get lost.
final class Downlink {
    private var bottleneck: Bottleneck
    private let headers = 42
    /// Of a packet behind the queue, 0 to 1.
    var loss = 0.0
    /// One way, ns.
    private let delay: UInt64
    /// By up to so much more each packet is late, ns, so that some overtake others.
    var jitter: UInt64 = 0
    /// Now and then nothing comes through for up to so long, as on a busy machine, ns; all that waited comes at once.
    var longestStall: UInt64 = 0
    private var stalledUntil: UInt64 = 0
    private var nextStall: UInt64 = 0
    private var random: RandomSource
    private var waiting: [(due: UInt64, payload: [UInt8])] = []
    private(set) var drops = 0
    private(set) var lost = 0
    private(set) var bytes = 0
    /// What sound waited at most, ns, since it was last set to 0.
    var longestWait: UInt64 = 0

    /// - Parameters:
    ///   - capacity: Mbit/s from a second on.
    ///   - queue: seconds.
    init(
        _ capacity: [(second: Double, megabits: Double)], queue: Double = 0.2, delay: UInt64 = 20_000_000, seed: UInt64
    ) {
        bottleneck = Bottleneck(capacity: CapacitySchedule(capacity), depth: queue)
        self.delay = delay
        random = RandomSource(seed: seed)
    }

    func take(_ payload: [UInt8], now: UInt64) {
        bytes += payload.count
        guard let service = bottleneck.enter(bytes: payload.count + headers, at: Int(now / 1_000)) else {
            drops += 1
            return
        }
        longestWait = max(longestWait, UInt64(service.start) * 1_000 - now)
        guard Double(random.next() >> 11) * 0x1p-53 >= loss else {
            lost += 1
            return
        }
        let due = UInt64(service.end) * 1_000 + delay + (jitter > 0 ? random.next() % jitter : 0)
        waiting.insert((due, payload), at: waiting.lastIndex { $0.due <= due }.map { $0 + 1 } ?? 0)
    }

    /// What has come through by now.
    func arrivals(now: UInt64) -> [[UInt8]] {
        if longestStall > 0, now >= nextStall {
            stalledUntil = now + random.next() % longestStall
            nextStall = stalledUntil + random.next() % 150_000_000
        }
        guard now >= stalledUntil else { return [] }
        let count = waiting.firstIndex { $0.due > now } ?? waiting.count
        defer { waiting.removeFirst(count) }
        return waiting[..<count].map(\.payload)
    }
}
