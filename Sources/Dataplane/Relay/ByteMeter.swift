/// A rate limit in bytes a second (GCRA, virtual scheduling) with a tolerance of a tenth of a second.
struct ByteMeter: BitwiseCopyable {
    private static let tolerance: UInt64 = 100_000_000

    /// Theoretical arrival time of the next packet, ns.
    private var until: UInt64 = 0
    /// Time per byte, ns times 1,024; 0: no limit.
    private let cost: UInt64

    init(bytesPerSecond: UInt64) {
        cost = bytesPerSecond == 0 ? 0 : max(1_024_000_000_000 / bytesPerSecond, 1)
    }

    /// Whether `bytes` may pass at `now`.
    @inline(__always)
    mutating func admits(_ bytes: Int, now: UInt64) -> Bool {
        guard cost != 0 else { return true }
        let start = max(until, now)
        guard start &- now <= Self.tolerance else { return false }
        until = start &+ (UInt64(truncatingIfNeeded: bytes) &* cost) >> 10
        return true
    }
}
