import Mailbox

/// The latest packets of a Lane by its own sequence numbers: what each of them was, to send it again.
struct LaneHistory: BitwiseCopyable {
    /// A power of two; 8 bytes each.
    static let depth = 1_024

    struct Entry: BitwiseCopyable, Equatable {
        /// The Crossing's place, and the lowest 14 bits of its generation: what was sent under its number must not be mistaken
        /// for a packet of the next one in that place.
        var crossing: UInt16
        var generation: UInt16
        var layer: UInt8
        /// The lowest 32 bits of the SRTP index, which stands for one packet, whatever the publisher's numbers do.
        var index: UInt32
    }

    /// `depth` words.
    let entries: UnsafeMutablePointer<UInt64>

    static func generation(_ handle: CrossingHandle) -> UInt16 {
        UInt16(truncatingIfNeeded: handle.generation & 0x3fff)
    }

    @inline(__always)
    func note(_ number: UInt32, _ entry: Entry) {
        entries[Int(number & UInt32(Self.depth - 1))] =
            UInt64(entry.index) << 32 | UInt64(entry.layer & 3) << 30 | UInt64(entry.generation & 0x3fff) << 16
            | UInt64(entry.crossing)
    }

    /// `next`: the number of the next packet. Nil for one that is too old, or was not sent.
    func find(_ number: UInt32, next: UInt32) -> Entry? {
        let age = next &- number
        guard age > 0, age <= UInt32(Self.depth), number < next else { return nil }
        let word = entries[Int(number & UInt32(Self.depth - 1))]
        return Entry(
            crossing: UInt16(truncatingIfNeeded: word), generation: UInt16(truncatingIfNeeded: word >> 16 & 0x3fff),
            layer: UInt8(truncatingIfNeeded: word >> 30 & 3),
            index: UInt32(truncatingIfNeeded: word >> 32))
    }

    /// The number with these lowest 16 bits that was sent last.
    static func extended(_ number: UInt16, next: UInt32) -> UInt32 {
        let latest = next &- 1
        return latest &- UInt32(UInt16(truncatingIfNeeded: latest) &- number)
    }
}
