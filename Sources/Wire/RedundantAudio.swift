/// RTP payload of sounds that were sent before, and then a new one (RFC 2198 section 3): a header for each, and then their
/// data, the oldest first.
public enum RedundantAudio {
    /// Sounds that go with a new one at most.
    public static let mostBlocks = 2
    /// Bytes of the header of a sound that was sent before.
    public static let blockHeaderLength = 4
    /// Bytes of the header of the new one.
    public static let lastHeaderLength = 1
    /// Bytes of a sound that was sent before, at most: 10 bits.
    public static let mostLength = 0x3ff
    /// How much older it may be, in ticks of the timestamp: 14 bits.
    public static let mostOffset: UInt32 = 0x3fff

    /// Whether a sound can be described. `offset`: ticks before the new one; `length`: bytes.
    @inlinable
    public static func takes(offset: UInt32, length: Int) -> Bool {
        offset > 0 && offset <= mostOffset && length > 0 && length <= mostLength
    }

    /// The header of one that `takes` accepted, as a number in network byte order.
    @inlinable
    public static func blockHeader(payloadType: UInt8, offset: UInt32, length: Int) -> UInt32 {
        1 &<< 31 | UInt32(payloadType & 0x7f) &<< 24 | (offset & mostOffset) &<< 10
            | UInt32(truncatingIfNeeded: length & mostLength)
    }

    /// The header of the new one.
    @inlinable
    public static func lastHeader(payloadType: UInt8) -> UInt8 { payloadType & 0x7f }
}
