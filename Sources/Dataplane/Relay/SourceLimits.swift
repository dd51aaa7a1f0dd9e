import Wire

/// Limits on unauthenticated requests by source address (of IPv6 the /64): bytes of responses, and requests whose
/// credentials cost an HMAC. A four-way set-associative table of fixed size, with a keyed hash, so that nobody can choose
/// which entry is evicted.
///
/// Responses to unauthenticated requests are limited by a token bucket of bytes. It gains the bytes of each request, and
/// `challengeRate` bytes a second besides: a challenge is longer than the request that it answers, so without them every
/// browser would be refused. A victim whose address is spoofed thus gets no more than the attacker sends, plus that rate.
struct SourceLimits: ~Copyable {
    private struct Entry: BitwiseCopyable {
        /// The hash; 0 marks an empty entry.
        var tag: UInt64
        /// Theoretical arrival time of the next request with credentials (GCRA), ns.
        var requestsUntil: UInt64
        /// Tokens: bytes that may be sent, as of `at`, ns.
        var tokens: Int64
        var at: UInt64
    }

    private static var ways: Int { 4 }

    private let entries: UnsafeMutablePointer<Entry>
    private let bucketMask: Int
    private let hasher: SipHash
    private let burst: Int64
    private let rate: UInt64
    private let requestCost: UInt64
    private let requestTolerance: UInt64

    init(_ limits: RelayLimits, seed: (UInt64, UInt64)) {
        var count = Self.ways
        while count < limits.sources { count <<= 1 }
        bucketMask = count / Self.ways - 1
        entries = LargeMemory.allocate(byteCount: count * MemoryLayout<Entry>.stride)
            .bindMemory(to: Entry.self, capacity: count)
        entries.initialize(repeating: Entry(tag: 0, requestsUntil: 0, tokens: 0, at: 0), count: count)
        hasher = SipHash(seed: seed)
        burst = Int64(limits.challengeBurst)
        rate = UInt64(max(limits.challengeRate, 0))
        let cost = 1_000_000_000 / UInt64(max(limits.requestRate, 1))
        requestCost = cost
        requestTolerance = cost &* UInt64(max(limits.requestBurst, 1))
    }

    deinit { UnsafeMutableRawPointer(entries).deallocate() }

    /// The address's entry; a new one replaces the least recently used of its set.
    private func entry(_ address: IPAddress, now: UInt64) -> UnsafeMutablePointer<Entry> {
        let tag = hasher.hash(address.high, address.isV4 ? address.low : 0, 0) | 1
        let bucket = entries + Int(truncatingIfNeeded: tag >> 32) & bucketMask &* Self.ways
        var oldest = bucket
        for way in 0..<Self.ways {
            let entry = bucket + way
            if entry.pointee.tag == tag { return entry }
            if entry.pointee.tag == 0 || oldest.pointee.tag != 0 && entry.pointee.at < oldest.pointee.at {
                oldest = entry
            }
        }
        oldest.pointee = Entry(tag: tag, requestsUntil: 0, tokens: burst, at: now)
        return oldest
    }

    /// Whether the bucket holds enough for a response of at least `response` bytes, so that one that will not be sent costs
    /// no HMAC. If not, the bytes of the request are added to it here; otherwise `mayAnswer` adds them.
    mutating func canAnswer(_ address: IPAddress, request: Int, response: Int, now: UInt64) -> Bool {
        let entry = entry(address, now: now)
        let before = entry.pointee
        fill(entry, request: request, now: now)
        guard entry.pointee.tokens >= Int64(response) else { return false }
        entry.pointee = before
        return true
    }

    /// Whether a response of `response` bytes may answer a request of `request` bytes; takes the tokens if so.
    mutating func mayAnswer(_ address: IPAddress, request: Int, response: Int, now: UInt64) -> Bool {
        let entry = entry(address, now: now)
        fill(entry, request: request, now: now)
        guard entry.pointee.tokens >= Int64(response) else { return false }
        entry.pointee.tokens &-= Int64(response)
        return true
    }

    /// Adds the tokens of the time that passed and of a request.
    private func fill(_ entry: UnsafeMutablePointer<Entry>, request: Int, now: UInt64) {
        let elapsed = min(now &- min(entry.pointee.at, now), 60_000_000_000)
        let earned = Int64(truncatingIfNeeded: elapsed / 1_000 &* rate / 1_000_000)
        // The time is kept until it yields a whole token, so that frequent calls lose nothing.
        if earned > 0 || elapsed == 0 { entry.pointee.at = now }
        entry.pointee.tokens = min(burst, entry.pointee.tokens &+ earned &+ Int64(request))
    }

    /// Whether a request with credentials may cost an HMAC.
    mutating func mayVerify(_ address: IPAddress, now: UInt64) -> Bool {
        let entry = entry(address, now: now)
        let start = max(entry.pointee.requestsUntil, now)
        guard start &- now <= requestTolerance else { return false }
        entry.pointee.requestsUntil = start &+ requestCost
        return true
    }
}
