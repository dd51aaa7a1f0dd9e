/// Which of a source's latest pictures a Slot does not get: VP8's picture ids of the others close up, as receivers take a gap
/// for a loss.
struct OmittedPictures: BitwiseCopyable {
    /// Bit n: the nth before the newest is omitted.
    private var bits: UInt64 = 0
    private var newest: UInt16 = 0
    private var isStarted = false

    /// Of ids of 7 or 15 bits.
    private static func mask(_ isLong: Bool) -> UInt16 { isLong ? 0x7fff : 0x7f }

    /// A packet of the picture `id` comes, none of a later one has. Whether it is the first that is omitted of its picture.
    mutating func advance(to id: UInt16, isLong: Bool, isOmitted: Bool) -> Bool {
        let ahead = (id &- newest) & Self.mask(isLong)
        if isStarted, ahead == 0 { return false }
        // An encoder that begins anew may go back.
        bits = isStarted && ahead <= Self.mask(isLong) / 2 ? bits << ahead : 0
        isStarted = true
        newest = id
        if isOmitted { bits |= 1 }
        return isOmitted
    }

    /// How many after the picture `id`; nil when that is too long ago.
    func count(after id: UInt16, isLong: Bool) -> UInt16? {
        let age = (newest &- id) & Self.mask(isLong)
        guard age < 64 else { return nil }
        return UInt16(truncatingIfNeeded: (bits & ~(~0 << age)).nonzeroBitCount)
    }
}
