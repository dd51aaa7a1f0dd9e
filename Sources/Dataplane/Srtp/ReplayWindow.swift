/// Which of the latest 128 packet indices of one SSRC were received (RFC 3711 section 3.3.2).
///
/// `check` comes before authentication and `accept` after it, so that a forged packet moves nothing. It serves RTP
/// (48-bit indices) and RTCP (31-bit indices) alike.
struct ReplayWindow: BitwiseCopyable {
    static let width: UInt64 = 128

    /// One more than the highest accepted index; 0 while nothing was accepted.
    private var end: UInt64 = 0
    /// Bit n of (high, low): index `end - 1 - n` was accepted.
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    init() {}
}

extension ReplayWindow {
    /// The index is new and not too old.
    func check(_ index: UInt64) -> Bool { fatalError() }
    /// Remembers an authenticated packet's index.
    mutating func accept(_ index: UInt64) { fatalError() }
}
