/// A datagram between a Session's peer and its agent on the slow path (DTLS), copied: handshakes are rare.
@frozen
public struct Datagram: Sendable, BitwiseCopyable {
    /// The largest UDP payload that a 1500-byte link carries.
    public static var capacity: Int { 1472 }

    public var session: SessionHandle
    public var count: UInt16
    public var bytes: InlineArray<1472, UInt8>

    @inlinable
    public init(session: SessionHandle) {
        self.session = session
        count = 0
        bytes = InlineArray(repeating: 0)
    }
}

extension Datagram {
    /// Takes a copy of `source`, cut to `capacity`.
    @inlinable
    public mutating func fill(_ source: UnsafeRawBufferPointer) {
        let length = min(source.count, Self.capacity)
        count = UInt16(truncatingIfNeeded: length)
        withUnsafeMutableBytes(of: &bytes) { room in
            room.copyMemory(from: UnsafeRawBufferPointer(rebasing: source.prefix(length)))
        }
    }

    /// Copies the payload to `memory`, which has room for it.
    @inlinable
    public func copy(to memory: UnsafeMutableRawPointer) {
        withUnsafeBytes(of: bytes) { content in
            memory.copyMemory(from: content.baseAddress.unsafelyUnwrapped, byteCount: min(Int(count), content.count))
        }
    }
}
