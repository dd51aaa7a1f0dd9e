/// Reads the syntax elements of codecs' headers, the highest bit of a byte first; behind the end there are none.
@frozen
public struct SyntaxReader: BitwiseCopyable {
    @usableFromInline let bytes: UnsafeRawBufferPointer
    /// Whether the third of the bytes 0, 0, 3 is no data (H.264 section 7.4.1).
    @usableFromInline let skipsEmulation: Bool
    @usableFromInline var place = 0
    @usableFromInline var zeros = 0
    @usableFromInline var current: UInt8 = 0
    /// Bits of `current` that were not read.
    @usableFromInline var remaining: UInt8 = 0

    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer, skipsEmulation: Bool = false) {
        self.bytes = bytes
        self.skipsEmulation = skipsEmulation
    }

    @inlinable
    mutating func load() -> Bool {
        if skipsEmulation, zeros >= 2, place < bytes.count, bytes[place] == 3 {
            place &+= 1
            zeros = 0
        }
        guard place < bytes.count else { return false }
        current = bytes[place]
        zeros = current == 0 ? zeros &+ 1 : 0
        remaining = 8
        place &+= 1
        return true
    }

    @inlinable
    public mutating func flag() -> Bool? {
        if remaining == 0 { guard load() else { return nil } }
        remaining &-= 1
        return current >> remaining & 1 != 0
    }

    /// A number of `count` bits, at most 32.
    @inlinable
    public mutating func bits(_ count: Int) -> UInt32? {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let bit = flag() else { return nil }
            value = value << 1 | (bit ? 1 : 0)
        }
        return value
    }

    @inlinable
    public mutating func skip(_ count: Int) -> Bool {
        for _ in 0..<count where flag() == nil { return false }
        return true
    }

    /// An unsigned exponential Golomb code (H.264 section 9.1); nil too when it has more than 32 bits.
    @inlinable
    public mutating func golomb() -> UInt32? {
        var zeros = 0
        while let bit = flag() {
            if bit { return bits(zeros).map { $0 &+ (1 << UInt32(zeros)) &- 1 } }
            zeros &+= 1
            guard zeros < 32 else { return nil }
        }
        return nil
    }

    /// A signed one (H.264 section 9.1.1).
    @inlinable
    public mutating func signedGolomb() -> Int32? {
        golomb().map { $0 & 1 != 0 ? Int32(truncatingIfNeeded: $0 / 2 &+ 1) : -Int32(truncatingIfNeeded: $0 / 2) }
    }
}
