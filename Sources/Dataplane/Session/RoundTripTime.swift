import Wire

/// How long it takes to a peer and back, as its reports on our sender reports tell it (RFC 3550 section 6.4.1).
struct RoundTripTime: BitwiseCopyable {
    /// Smoothed, ns; 0 before the first report.
    private(set) var smoothed: UInt64 = 0

    /// Longer ones are a peer's mistake or a lie, ns.
    static let longest: UInt64 = 60_000_000_000

    /// The block of a report that came now. Whether it tells of one of ours.
    ///
    /// - Parameter ntp: now, 64-bit NTP.
    @discardableResult
    mutating func note(_ block: ReportBlock, ntp: UInt64) -> Bool {
        guard let sample = Self.sample(block, ntp: ntp) else { return false }
        smoothed = Self.smooth(smoothed, sample)
        return true
    }

    /// ns; nil where the block tells of no sender report, or of one that cannot be.
    static func sample(_ block: ReportBlock, ntp: UInt64) -> UInt64? {
        guard block.lastSenderReport != 0 else { return nil }
        let middle = UInt32(truncatingIfNeeded: ntp >> 16)
        // Below zero by a rounding of the two delays: it wraps around, and is too long.
        let elapsed = UInt64(middle &- block.lastSenderReport &- block.delaySinceLastSenderReport)
        let sample = (elapsed &* 1_000_000_000) >> 16
        return sample < longest ? sample : nil
    }

    /// Follows an eighth of the difference, as RFC 6298 section 2.3 has it.
    static func smooth(_ before: UInt64, _ sample: UInt64) -> UInt64 {
        before == 0 ? max(sample, 1) : (before &* 7 &+ sample) / 8
    }
}
