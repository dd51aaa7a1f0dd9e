import Wire

/// What may be spent on requests from one source address (of IPv6 its /64) before anything is proved: bytes of
/// responses, and requests whose credentials cost an HMAC. A table of fixed size, four places to a bucket, keyed so that
/// nobody can choose whom to push out.
///
/// Responses to what is not authenticated are paid from a purse of bytes. What comes in fills it, and so does time, slowly:
/// a challenge is longer than the request that it answers, so a purse without a little credit would refuse
/// every browser. An address that others' packets name falsely is thus sent what they sent, and no more than
/// `challengeRate` bytes a second beside.
struct SourceLimits: ~Copyable {
    private struct Entry: BitwiseCopyable {
        /// The hash; 0 marks an empty place.
        var tag: UInt64
        /// Until when requests with credentials are paid for (virtual scheduling), ns.
        var requestsUntil: UInt64
        /// Bytes that may be sent, and when that was so.
        var purse: Int64
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
        entries.initialize(repeating: Entry(tag: 0, requestsUntil: 0, purse: 0, at: 0), count: count)
        hasher = SipHash(seed: seed)
        burst = Int64(limits.challengeBurst)
        rate = UInt64(max(limits.challengeRate, 0))
        let cost = 1_000_000_000 / UInt64(max(limits.requestRate, 1))
        requestCost = cost
        requestTolerance = cost &* UInt64(max(limits.requestBurst, 1))
    }

    deinit { UnsafeMutableRawPointer(entries).deallocate() }

    /// The address's entry, in place of the one longest unused when it has none.
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
        oldest.pointee = Entry(tag: tag, requestsUntil: 0, purse: burst, at: now)
        return oldest
    }

    /// Whether the purse reaches for a response of at least `response` bytes, so that one that cannot be paid costs no HMAC.
    /// When it does not, the `request` bytes that came are in it; else `mayAnswer` puts them there.
    mutating func canAnswer(_ address: IPAddress, request: Int, response: Int, now: UInt64) -> Bool {
        let entry = entry(address, now: now)
        let before = entry.pointee
        fill(entry, request: request, now: now)
        guard entry.pointee.purse >= Int64(response) else { return false }
        entry.pointee = before
        return true
    }

    /// Whether a response of `response` bytes may answer the `request` bytes that came.
    mutating func mayAnswer(_ address: IPAddress, request: Int, response: Int, now: UInt64) -> Bool {
        let entry = entry(address, now: now)
        fill(entry, request: request, now: now)
        guard entry.pointee.purse >= Int64(response) else { return false }
        entry.pointee.purse &-= Int64(response)
        return true
    }

    /// What time and a request bring in.
    private func fill(_ entry: UnsafeMutablePointer<Entry>, request: Int, now: UInt64) {
        let elapsed = min(now &- min(entry.pointee.at, now), 60_000_000_000)
        let earned = Int64(truncatingIfNeeded: elapsed / 1_000 &* rate / 1_000_000)
        // Time counts only when it earned something, so that many small steps lose nothing.
        if earned > 0 || elapsed == 0 { entry.pointee.at = now }
        entry.pointee.purse = min(burst, entry.pointee.purse &+ earned &+ Int64(request))
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
