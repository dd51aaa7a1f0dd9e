import Meetings
import Synchronization

/// So many at once, and so many a second after that.
struct TokenBucket: Sendable {
    private var level: Double
    private var last: Timestamp

    /// Full.
    init(burst: Int, at now: Timestamp = .distantFuture) {
        level = Double(burst)
        last = now
    }

    /// Takes one; answers how many seconds to wait where there is none.
    mutating func take(burst: Int, perSecond: Double, at now: Timestamp) -> Double? {
        level = refilled(burst: burst, perSecond: perSecond, at: now)
        last = now
        guard level < 1 else {
            level -= 1
            return nil
        }
        return (1 - level) / max(perSecond, 0.001)
    }

    func refilled(burst: Int, perSecond: Double, at now: Timestamp) -> Double {
        min(Double(burst), level + max(0, now.seconds - last.seconds) * perSecond)
    }
}

/// One bucket per remote address, for the calls that cost most: join and create.
final class AddressLimiter: Sendable {
    private struct Queue {
        var bucket: TokenBucket
        /// When the last of those that were refused was told to come again.
        var promised: Timestamp
    }

    /// Seconds, the longest wait that is told.
    private static let longestWait = 60.0

    private let limit: ApiConfiguration.RateLimit
    private let capacity: Int
    private let queues = Mutex<[String: Queue]>([:])

    init(_ limit: ApiConfiguration.RateLimit, capacity: Int = 10_000) {
        self.limit = limit
        self.capacity = capacity
    }

    /// - Throws: `Problem` 429. Each that is refused is told a time of its own, at which there is a token for it: who obeys
    ///   is not refused again because of the others.
    func admit(_ address: String, at now: Timestamp) throws {
        let wait = queues.withLock { queues -> Double? in
            if queues[address] == nil, queues.count >= capacity { forgetIdle(&queues, at: now) }
            var queue = queues[address] ?? Queue(bucket: TokenBucket(burst: limit.burst, at: now), promised: now)
            defer { queues[address] = queue }
            guard let next = queue.bucket.take(burst: limit.burst, perSecond: limit.perSecond, at: now) else {
                return nil
            }
            let behind = queue.promised.seconds - now.seconds + 1 / max(limit.perSecond, 0.001)
            let wait = min(max(next, behind), Self.longestWait)
            queue.promised = now + .milliseconds(Int64(wait * 1_000))
            return wait
        }
        if let wait {
            // Rounded up: a little early, a token would not be there yet.
            throw Problem(
                429, "too_many_requests", "Too many calls from this address.",
                retryAfter: max(1, Int(wait.rounded(.up))))
        }
    }

    /// Buckets that are full again say nothing; when all others are busy, the table starts anew.
    private func forgetIdle(_ queues: inout [String: Queue], at now: Timestamp) {
        queues = queues.filter { _, queue in
            queue.bucket.refilled(burst: limit.burst, perSecond: limit.perSecond, at: now) < Double(limit.burst)
        }
        if queues.count >= capacity { queues.removeAll(keepingCapacity: true) }
    }
}
