/// One DTLS 1.2 record of a datagram (RFC 6347 section 4.1).
@frozen
public struct DTLSRecord: BitwiseCopyable {
    /// Header and fragment.
    public let bytes: UnsafeRawBufferPointer

    @inlinable
    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    @inlinable var base: UnsafeRawPointer { bytes.baseAddress.unsafelyUnwrapped }

    @inlinable public static var headerLength: Int { 13 }
    @inlinable public static var changeCipherSpec: UInt8 { 20 }
    @inlinable public static var alert: UInt8 { 21 }
    @inlinable public static var handshake: UInt8 { 22 }
    @inlinable public static var applicationData: UInt8 { 23 }

    @inlinable public var contentType: UInt8 { base.u8(0) }
    /// 0xfeff for DTLS 1.0, 0xfefd for 1.2.
    @inlinable public var version: UInt16 { base.be16(1) }
    @inlinable public var epoch: UInt16 { base.be16(3) }
    /// 48 bits.
    @inlinable public var sequence: UInt64 { UInt64(base.be16(5)) << 32 | UInt64(base.be32(7)) }
    @inlinable public var fragment: UnsafeRawBufferPointer {
        bytes.part(Self.headerLength, bytes.count &- Self.headerLength)
    }
}

/// Walks the records of a datagram; ends at the first whose header or length does not hold.
@frozen
public struct DTLSRecords: Sequence, IteratorProtocol, BitwiseCopyable {
    @usableFromInline let bytes: UnsafeRawBufferPointer
    @usableFromInline var offset: Int

    @inlinable
    public init(_ datagram: UnsafeRawBufferPointer) {
        bytes = datagram
        offset = 0
    }

    /// Whether all bytes belonged to whole records, once `next` returned nil.
    @inlinable public var isComplete: Bool { offset == bytes.count }

    @inlinable
    public mutating func next() -> DTLSRecord? {
        guard offset &+ DTLSRecord.headerLength <= bytes.count, let base = bytes.baseAddress,
            20...63 ~= base.u8(offset), base.u8(offset &+ 1) == 0xfe
        else { return nil }
        // RFC 6347 section 4.1: at most 2^14 bytes of plaintext, and 2048 more when encrypted.
        let length = Int(base.be16(offset &+ 11))
        guard length <= 0x4800, offset &+ DTLSRecord.headerLength &+ length <= bytes.count else { return nil }
        let record = DTLSRecord(bytes: bytes.part(offset, DTLSRecord.headerLength &+ length))
        offset &+= DTLSRecord.headerLength &+ length
        return record
    }
}
