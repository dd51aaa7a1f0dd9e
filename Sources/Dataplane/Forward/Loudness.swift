/// The smoothed audio level of a Track, -dBov: 0 loudest, 127 silence (RFC 6464 section 3).
struct Loudness: BitwiseCopyable {
    /// Scaled by 256.
    private var smoothed: UInt32 = 127 << 8
    private var reportedAt: UInt64 = 0
    private var wasAudible = false

    /// Louder than this counts as sound.
    static let threshold: UInt8 = 60
    /// Between two events, ns.
    static let interval: UInt64 = 200_000_000

    var level: UInt8 { UInt8(truncatingIfNeeded: smoothed >> 8) }

    /// Takes the level of a packet; rises quickly and falls slowly.
    mutating func note(_ level: UInt8) {
        let value = UInt32(level & 0x7f) << 8
        smoothed = value < smoothed ? (smoothed &+ value) / 2 : (smoothed &* 15 &+ value) / 16
    }

    /// The level to tell control now, or nil; called about 50 times a second. `lastArrival` ns: a sender that stopped
    /// (muted, or discontinuous transmission) falls silent.
    mutating func report(now: UInt64, lastArrival: UInt64) -> UInt8? {
        if now &- lastArrival > 2 &* Self.interval { smoothed = 127 << 8 }
        let isAudible = level < Self.threshold
        guard isAudible || wasAudible, now &- reportedAt >= Self.interval else { return nil }
        reportedAt = now
        wasAudible = isAudible
        return isAudible ? level : 127
    }
}
