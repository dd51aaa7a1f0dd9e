/// Reads bits, the highest of each byte first. Behind the end all are zero, and `isComplete` tells.
@frozen
public struct BitReader: BitwiseCopyable {
    @usableFromInline let bytes: UnsafeRawBufferPointer
    /// Of the next bit, from the first byte's highest.
    @usableFromInline var position: Int

    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    /// No bit behind the end was read.
    @inlinable public var isComplete: Bool { position <= bytes.count &* 8 }

    /// f(n) of the AV1 specification: `count` bits, at most 32.
    @inlinable
    public mutating func read(_ count: Int) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count {
            let index = position &>> 3
            let bit = index < bytes.count ? bytes[index] &>> UInt8(7 &- position & 7) & 1 : 0
            value = value &<< 1 | UInt32(bit)
            position &+= 1
        }
        return value
    }

    @inlinable
    public mutating func readFlag() -> Bool { read(1) != 0 }

    /// ns(n) of the AV1 specification (section 4.10.7): a number below `limit`, which is 1 ... 255.
    @inlinable
    public mutating func read(below limit: Int) -> Int {
        var width = 0
        while limit &>> width != 0 { width &+= 1 }
        let short = (1 &<< width) &- limit
        let value = Int(read(width &- 1))
        return value < short ? value : value &<< 1 &- short &+ Int(read(1))
    }

    /// Passes over `count` bits.
    @inlinable
    public mutating func skip(_ count: Int) { position &+= count }
}
