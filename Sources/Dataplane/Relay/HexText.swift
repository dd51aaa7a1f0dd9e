import Wire

/// Numbers as lower-case hexadecimal digits, for tokens that clients may treat as text.
enum HexText {
    static func write(_ value: UInt64, digits: Int, to memory: UnsafeMutableRawPointer) {
        for index in 0..<digits {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(4 &* (digits &- 1 &- index)) & 0xf)
            memory.setU8(digit < 10 ? 0x30 &+ digit : 0x57 &+ digit, at: index)
        }
    }

    /// The number that the `digits` characters say, at most 16; nil when one is no digit of ours.
    static func read(_ memory: UnsafeRawPointer, digits: Int) -> UInt64? {
        var value: UInt64 = 0
        for index in 0..<digits {
            let character = memory.u8(index)
            switch character {
            case 0x30...0x39: value = value << 4 | UInt64(character &- 0x30)
            case 0x61...0x66: value = value << 4 | UInt64(character &- 0x57)
            default: return nil
            }
        }
        return value
    }
}
