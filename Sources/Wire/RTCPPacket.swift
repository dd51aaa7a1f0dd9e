/// One packet of an RTCP compound (RFC 3550 section 6.4).
@frozen
public struct RTCPPacket: BitwiseCopyable {
    /// Header and body without padding; at least 4 bytes.
    public let bytes: UnsafeRawBufferPointer

    @inlinable
    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    @inlinable public var base: UnsafeRawPointer { bytes.baseAddress.unsafelyUnwrapped }
    @inlinable public var type: UInt8 { base.u8(1) }
    /// Reception report count, source count or feedback message type: 5 bits.
    @inlinable public var format: UInt8 { base.u8(0) & 0x1f }

    @inlinable public static var senderReport: UInt8 { 200 }
    @inlinable public static var receiverReport: UInt8 { 201 }
    @inlinable public static var sourceDescription: UInt8 { 202 }
    @inlinable public static var bye: UInt8 { 203 }
    /// Application-defined (RFC 3550 section 6.7).
    @inlinable public static var application: UInt8 { 204 }
    /// RFC 3611.
    @inlinable public static var extendedReport: UInt8 { 207 }
    /// RFC 4585: generic NACK is format 1, transport-wide feedback 15.
    @inlinable public static var transportFeedback: UInt8 { 205 }
    /// RFC 4585: PLI is format 1, FIR 4 (RFC 5104), REMB 15.
    @inlinable public static var payloadFeedback: UInt8 { 206 }
}

/// Walks the packets of a compound, or of a reduced-size one (RFC 5506); ends at the first whose
/// header or length does not hold.
@frozen
public struct RTCPCompound: Sequence, IteratorProtocol, BitwiseCopyable {
    @usableFromInline let bytes: UnsafeRawBufferPointer
    @usableFromInline var offset: Int

    @inlinable
    public init(_ datagram: UnsafeRawBufferPointer) {
        bytes = datagram
        offset = 0
    }

    /// Whether all bytes belonged to whole packets, once `next` returned nil.
    @inlinable public var isComplete: Bool { offset == bytes.count }

    @inlinable
    public mutating func next() -> RTCPPacket? {
        guard offset &+ 4 <= bytes.count, let base = bytes.baseAddress, base.u8(offset) >> 6 == 2,
            192...223 ~= base.u8(offset &+ 1)
        else { return nil }
        let start = offset
        let length = (Int(base.be16(start &+ 2)) &+ 1) &* 4
        guard start &+ length <= bytes.count else { return nil }
        var padding = 0
        if base.u8(start) & 0x20 != 0 {
            // RFC 3550 section 6.4.1 wants whole words, in the last packet only; Chromium pads each transport-wide
            // feedback by single bytes.
            padding = Int(base.u8(start &+ length &- 1))
            guard padding > 0, padding <= length &- 4 else { return nil }
        }
        offset = start &+ length
        return RTCPPacket(bytes: bytes.part(start, length &- padding))
    }
}
