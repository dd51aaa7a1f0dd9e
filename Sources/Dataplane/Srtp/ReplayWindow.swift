/// Which of the latest 128 packet indices of one SSRC were received (RFC 3711 section 3.3.2).
///
/// `check` comes before authentication and `accept` after it, so that a forged packet moves nothing. It serves RTP
/// (48-bit indices) and RTCP (31-bit indices) alike.
struct ReplayWindow: BitwiseCopyable {
    static let width: UInt64 = 128

    /// One more than the highest accepted index; 0 while nothing was accepted.
    private var end: UInt64 = 0
    /// Bit n: index `end - 1 - n` was accepted.
    private var low: UInt64 = 0
    /// Bit n: index `end - 65 - n` was accepted.
    private var high: UInt64 = 0

    init() {}

    /// The index is new and not older than the window.
    func check(_ index: UInt64) -> Bool {
        if index >= end { return true }
        let age = end &- 1 &- index
        if age < 64 { return low & (1 &<< age) == 0 }
        return age < Self.width && high & (1 &<< (age &- 64)) == 0
    }

    /// Remembers an authenticated packet's index.
    mutating func accept(_ index: UInt64) {
        if index >= end {
            advance(by: index &- end &+ 1)
            end = index &+ 1
            low |= 1
            return
        }
        let age = end &- 1 &- index
        if age < 64 {
            low |= 1 &<< age
        } else if age < Self.width {
            high |= 1 &<< (age &- 64)
        }
    }

    private mutating func advance(by distance: UInt64) {
        if distance >= Self.width {
            (high, low) = (0, 0)
        } else if distance >= 64 {
            (high, low) = (low &<< (distance &- 64), 0)
        } else {
            // Distance is 1...63 here, so neither shift is a whole word.
            (high, low) = (high &<< distance | low &>> (64 &- distance), low &<< distance)
        }
    }
}
