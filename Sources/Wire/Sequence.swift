/// Arithmetic on 16-bit sequence numbers (RFC 3550 appendix A.1, RFC 1982).
@frozen
public enum SequenceNumber {
    /// How far `later` is ahead of `earlier`: -32768...32767.
    @inlinable
    public static func distance(from earlier: UInt16, to later: UInt16) -> Int {
        Int(Int16(bitPattern: later &- earlier))
    }

    @inlinable
    public static func isNewer(_ sequence: UInt16, than other: UInt16) -> Bool {
        distance(from: other, to: sequence) > 0
    }

    /// How far a 32-bit timestamp is ahead of another.
    @inlinable
    public static func distance(from earlier: UInt32, to later: UInt32) -> Int {
        Int(Int32(bitPattern: later &- earlier))
    }

    /// The extended number nearest to `reference` whose low 16 bits are `sequence` (RFC 3711 section 3.3.1): the
    /// packet index that SRTP estimates. Nil when it would be negative.
    @inlinable
    public static func extended(_ sequence: UInt16, near reference: UInt64) -> UInt64? {
        let delta = distance(from: UInt16(truncatingIfNeeded: reference), to: sequence)
        let result = Int64(bitPattern: reference) &+ Int64(delta)
        return result < 0 ? nil : UInt64(result)
    }
}

/// Follows a 16-bit sequence number over its wraps.
@frozen
public struct SequenceUnwrapper: Sendable, BitwiseCopyable {
    @usableFromInline var last: Int64
    @usableFromInline var isStarted: Bool

    @inlinable
    public init() {
        last = 0
        isStarted = false
    }

    @inlinable public var hasStarted: Bool { isStarted }
    /// The highest extended number so far. The first is one cycle up, so that early reordering stays positive.
    @inlinable public var highest: Int64 { last }

    /// The extended number nearest to the highest so far; keeps the highest.
    @inlinable
    public mutating func unwrap(_ sequence: UInt16) -> Int64 {
        let extended = peek(sequence)
        if !isStarted || extended > last { last = extended }
        isStarted = true
        return extended
    }

    /// What `unwrap` would return, without keeping it.
    @inlinable
    public func peek(_ sequence: UInt16) -> Int64 {
        guard isStarted else { return 0x1_0000 &+ Int64(sequence) }
        return last &+ Int64(SequenceNumber.distance(from: UInt16(truncatingIfNeeded: last), to: sequence))
    }
}
