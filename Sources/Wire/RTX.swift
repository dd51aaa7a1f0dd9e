/// The retransmission payload format (RFC 4588 section 4): the original sequence number, then the original payload.
@frozen
public enum RTX {
    /// Bytes before the original payload.
    @inlinable public static var headerLength: Int { 2 }

    /// The OSN; nil when the payload is too short.
    @inlinable
    public static func originalSequence(_ payload: UnsafeRawBufferPointer) -> UInt16? {
        guard payload.count >= headerLength, let base = payload.baseAddress else { return nil }
        return base.be16(0)
    }
}
