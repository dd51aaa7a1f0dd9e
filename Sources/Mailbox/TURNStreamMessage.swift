/// A STUN or ChannelData message of a TCP or TLS connection (RFC 8656 section 3.1), or the connection's end.
///
/// Control to worker: each whole message as it was cut from the stream, without the padding of ChannelData, to the worker
/// that the connection is given to for its life; `closed` deletes the allocation. Worker to control: messages to write,
/// ChannelData padded to 4 bytes (section 12.5); `closed` asks control to end the connection.
@frozen
public struct TURNStreamMessage: Sendable, BitwiseCopyable {
    /// What a message on Ethernet can hold, and the padding.
    @inlinable public static var capacity: Int { 1_504 }

    public var client: TURNClient
    public var closed: Bool
    public var count: UInt16
    public var bytes: InlineArray<1504, UInt8>

    /// An empty message; `fill` it.
    @inlinable
    public init(_ client: TURNClient, closed: Bool = false) {
        self.client = client
        self.closed = closed
        count = 0
        bytes = InlineArray(repeating: 0)
    }

    /// Takes a copy of `source`; false, and nothing is taken, when it does not fit.
    @inlinable
    public mutating func fill(_ source: UnsafeRawBufferPointer) -> Bool {
        guard source.count <= Self.capacity else { return false }
        count = UInt16(truncatingIfNeeded: source.count)
        withUnsafeMutableBytes(of: &bytes) { $0.copyMemory(from: source) }
        return true
    }
}
