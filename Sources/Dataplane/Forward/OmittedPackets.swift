/// Which of a source's latest packets a Slot does not get: the numbers of the others close up.
struct OmittedPackets: BitwiseCopyable {
    /// Numbers; what is further back is in no cache any more.
    static let window = UInt64(RetransmissionCache.depth)

    /// A bit for each number, modulo the window.
    private var bits = InlineArray<8, UInt64>(repeating: 0)
    /// Of those within the window.
    private(set) var count: UInt32 = 0

    /// Within the window.
    @inline(__always)
    func contains(_ sequence: UInt64) -> Bool {
        bits[Int(truncatingIfNeeded: sequence >> 6 & 7)] >> (sequence & 63) & 1 != 0
    }

    /// `sequence` is the newest after `newest`: those between are not omitted, as far as is known.
    mutating func advance(from newest: UInt64, to sequence: UInt64, isOmitted: Bool) {
        let first = sequence &- newest > Self.window ? sequence &- Self.window : newest
        var next = first
        while next != sequence {
            next &+= 1
            guard count > 0 else { break }
            if contains(next) {
                bits[Int(truncatingIfNeeded: next >> 6 & 7)] ^= 1 << (next & 63)
                count &-= 1
            }
        }
        guard isOmitted else { return }
        bits[Int(truncatingIfNeeded: sequence >> 6 & 7)] |= 1 << (sequence & 63)
        count &+= 1
    }

    /// How many of those behind `sequence` up to `newest`, which is less than a window ahead.
    func count(behind sequence: UInt64, upTo newest: UInt64) -> UInt64 {
        guard count > 0 else { return 0 }
        var total = 0
        var next = sequence &+ 1
        var left = newest &- sequence
        while left > 0 {
            let width = min(64 &- next & 63, left)
            let word = bits[Int(truncatingIfNeeded: next >> 6 & 7)] >> (next & 63)
            total &+= (word & (~0 >> (64 &- width))).nonzeroBitCount
            next &+= width
            left &-= width
        }
        return UInt64(total)
    }

    /// The number that the Slot got `age` packets before the last that it got up to `newest`; nil when that is further back
    /// than the window.
    func sequence(ofAge age: UInt64, upTo newest: UInt64) -> UInt64? {
        var left = age
        var place = newest
        var passed: UInt64 = 0
        while passed < Self.window {
            // The part of a word up to `place`.
            let width = min(place & 63 &+ 1, Self.window &- passed)
            let word = bits[Int(truncatingIfNeeded: place >> 6 & 7)] << (63 &- place & 63)
            let got = width &- UInt64((word & (~0 << (64 &- width))).nonzeroBitCount)
            guard left >= got else { break }
            left &-= got
            passed &+= width
            place &-= width
        }
        while passed < Self.window {
            if !contains(place) {
                if left == 0 { return place }
                left &-= 1
            }
            passed &+= 1
            place &-= 1
        }
        return nil
    }

    /// How many numbers up to `newest` follow the last that was omitted; the window where there is none.
    func tail(upTo newest: UInt64) -> UInt64 {
        var length: UInt64 = 0
        while count > 0, length < Self.window, !contains(newest &- length) { length &+= 1 }
        return count > 0 ? length : Self.window
    }
}
