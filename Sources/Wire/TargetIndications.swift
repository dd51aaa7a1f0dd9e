/// What a frame means for each of the decode targets of a dependency structure ("RTP Payload Format For AV1", table A.1).
@frozen
public struct TargetIndications: Sendable, Equatable, BitwiseCopyable {
    /// For one of them: `switchPoint` means that all frames of the target that follow can be decoded when this one can.
    @frozen
    public enum Indication: UInt8, Sendable, BitwiseCopyable {
        case notPresent, discardable, switchPoint, required
    }

    /// Two bits each, the first one's the highest of `count` times two.
    @usableFromInline let bits: UInt64
    public let count: Int

    /// Reads those of `count` targets, at most 32.
    @inlinable
    init(_ reader: inout BitReader, count: Int) {
        let first = min(count, 16)
        let head = UInt64(reader.read(first &* 2))
        let tail = count &- first
        bits = head << UInt64(tail &* 2) | UInt64(reader.read(tail &* 2))
        self.count = count
    }

    /// For the target of this number, below `count`.
    @inlinable
    public subscript(target: Int) -> Indication {
        let indication = bits >> UInt64((count &- 1 &- target) &* 2) & 3
        return Indication(rawValue: UInt8(truncatingIfNeeded: indication)) ?? .required
    }
}
