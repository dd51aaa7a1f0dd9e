import Meetings
import Synchronization

/// So many at once, and so many a second after that.
struct TokenBucket: Sendable {
    private var level: Double
    private var last: Timestamp

    init(burst: Int, at now: Timestamp) {
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
    private let limit: ApiConfiguration.RateLimit
    private let capacity: Int
    private let buckets = Mutex<[String: TokenBucket]>([:])

    init(_ limit: ApiConfiguration.RateLimit, capacity: Int = 10_000) {
        self.limit = limit
        self.capacity = capacity
    }

    /// - Throws: `Problem` 429.
    func admit(_ address: String, at now: Timestamp) throws {
        let wait = buckets.withLock { buckets -> Double? in
            if buckets[address] == nil, buckets.count >= capacity { forgetIdle(&buckets, at: now) }
            var bucket = buckets[address] ?? TokenBucket(burst: limit.burst, at: now)
            let wait = bucket.take(burst: limit.burst, perSecond: limit.perSecond, at: now)
            buckets[address] = bucket
            return wait
        }
        if let wait {
            let seconds = min(max(wait.rounded(.up), 1), 3_600)
            throw Problem(429, "too_many_requests", "Too many calls from this address.", retryAfter: Int(seconds))
        }
    }

    /// Buckets that are full again say nothing; when all others are busy, the table starts anew.
    private func forgetIdle(_ buckets: inout [String: TokenBucket], at now: Timestamp) {
        buckets = buckets.filter { _, bucket in
            bucket.refilled(burst: limit.burst, perSecond: limit.perSecond, at: now) < Double(limit.burst)
        }
        if buckets.count >= capacity { buckets.removeAll(keepingCapacity: true) }
    }
}
