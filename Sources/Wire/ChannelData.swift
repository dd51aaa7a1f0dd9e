/// A view of a ChannelData message (RFC 8656 section 12.4).
@frozen
public struct ChannelData: BitwiseCopyable {
    public let channel: UInt16
    /// Without the padding that some senders append.
    public let payload: UnsafeRawBufferPointer

    @inlinable public static var headerLength: Int { 4 }
    /// The channels that there are (RFC 8656 section 12).
    @inlinable public static var numbers: ClosedRange<UInt16> { 0x4000...0x4fff }
    /// The channels of RFC 5766 section 11, which gave them all numbers with these two first bits.
    @inlinable public static var formerNumbers: ClosedRange<UInt16> { 0x4000...0x7fff }

    /// Nil when the channel is in neither range or the announced length does not fit.
    @inlinable
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.headerLength, let base = bytes.baseAddress,
            Self.formerNumbers ~= base.be16(0), Self.headerLength &+ Int(base.be16(2)) <= bytes.count
        else { return nil }
        channel = base.be16(0)
        payload = bytes.part(Self.headerLength, Int(base.be16(2)))
    }

    /// Writes the 4 bytes that stand before the payload.
    @inlinable
    public static func write(to bytes: UnsafeMutableRawPointer, channel: UInt16, payloadLength: Int) {
        bytes.setBE16(channel, at: 0)
        bytes.setBE16(UInt16(truncatingIfNeeded: payloadLength), at: 2)
    }
}
