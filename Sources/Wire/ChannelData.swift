/// A view of a ChannelData message (RFC 8656 section 12.4).
@frozen
public struct ChannelData: BitwiseCopyable {
    /// 0x4000...0x4fff
    public let channel: UInt16
    /// Without the padding that some senders append.
    public let payload: UnsafeRawBufferPointer

    @inlinable public static var headerLength: Int { 4 }

    /// Nil when the channel is out of range or the announced length does not fit.
    @inlinable
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.headerLength, let base = bytes.baseAddress,
            0x4000...0x4fff ~= base.be16(0), Self.headerLength &+ Int(base.be16(2)) <= bytes.count
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
