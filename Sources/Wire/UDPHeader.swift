/// A view of a UDP header (RFC 768).
@frozen
public struct UDPHeader: BitwiseCopyable {
    public let base: UnsafeRawPointer

    @inlinable public static var length: Int { 8 }

    /// Nil unless the datagram's length is at least 8 and lies in `bytes`, an IP payload.
    @inlinable
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.length, let base = bytes.baseAddress else { return nil }
        self.base = base
        guard totalLength >= Self.length, totalLength <= bytes.count else { return nil }
    }

    @inlinable public var sourcePort: UInt16 { base.be16(0) }
    @inlinable public var destinationPort: UInt16 { base.be16(2) }
    /// Bytes of header and payload.
    @inlinable public var totalLength: Int { Int(base.be16(4)) }
    @inlinable public var checksum: UInt16 { base.be16(6) }
    @inlinable public var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + Self.length, count: totalLength &- Self.length)
    }

    /// Writes 8 bytes, checksum 0.
    @inlinable
    public static func write(
        to bytes: UnsafeMutableRawPointer, sourcePort: UInt16, destinationPort: UInt16, payloadLength: Int
    ) {
        bytes.setBE16(sourcePort, at: 0)
        bytes.setBE16(destinationPort, at: 2)
        bytes.setBE16(UInt16(truncatingIfNeeded: length &+ payloadLength), at: 4)
        bytes.setBE16(0, at: 6)
    }
}
