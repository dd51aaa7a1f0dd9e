/// The receiver's estimate of packet indices of one SSRC (RFC 3711 section 3.3.1 and appendix A).
struct RolloverCounter: BitwiseCopyable {
    private static let indexMask: UInt64 = 0xFFFF_FFFF_FFFF
    private static let halfRound: UInt64 = 0x8000

    /// One more than the highest authenticated index; 0 while there is none.
    private var end: UInt64 = 0

    init() {}

    /// The most likely index (roll-over counter << 16 | sequence) of a packet that carries `sequence`.
    ///
    /// While the highest index lies in the first half of round 0 there is no round before it, so the counter stays 0
    /// where appendix A would give 2^32 - 1; libsrtp2 does the same (`srtp_rdbx_estimate_index`).
    func estimate(sequence: UInt16) -> UInt64 {
        let sequence = UInt64(sequence)
        guard end > 0 else { return sequence }
        let highest = end &- 1
        if highest <= Self.halfRound { return sequence }
        let (rollover, last) = (highest >> 16, highest & 0xFFFF)
        if last < Self.halfRound {
            return sequence > last &+ Self.halfRound ? (rollover &- 1) << 16 | sequence : rollover << 16 | sequence
        }
        let next = last &- Self.halfRound > sequence ? rollover &+ 1 : rollover
        return (next << 16 | sequence) & Self.indexMask
    }

    /// Whether `index` is ahead of all authenticated ones.
    func isAhead(_ index: UInt64) -> Bool { index >= end }

    /// Takes an authenticated packet's index.
    mutating func accept(_ index: UInt64) {
        if index >= end { end = index &+ 1 }
    }
}
