/// The receiver's estimate of packet indices of one SSRC (RFC 3711 section 3.3.1, appendix A).
struct RolloverCounter: BitwiseCopyable {
    /// One more than the highest authenticated index; 0 while there is none.
    private var end: UInt64 = 0
    /// The roll-over counter assumed for a first packet: 0, or 1 after such a packet failed.
    private var firstRollover: UInt64 = 0

    init() {}

    /// The most likely index (roll-over counter << 16 | sequence) of a packet that has `sequence`.
    func estimate(sequence: UInt16) -> UInt64 { 0 }
    /// Takes an authenticated packet's index.
    mutating func accept(_ index: UInt64) {}
    /// A packet failed to authenticate with its estimated index. Before the first authentic packet this changes the
    /// guess for the next one: a sender that began just before a wrap may be in its second round already.
    mutating func reject() {}
}
