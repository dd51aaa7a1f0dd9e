/// Arithmetic on 16-bit sequence numbers (RFC 3550 appendix A.1, RFC 1982).
@frozen
public enum SequenceNumber {
    /// How far `later` is ahead of `earlier`: -32768...32767.
    @inlinable
    public static func distance(from earlier: UInt16, to later: UInt16) -> Int {
        Int(Int16(bitPattern: later &- earlier))
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
