/// A view of an IPv6 header (RFC 8200). Extension headers are not followed: their number is the protocol's.
@frozen
public struct IPv6Header: BitwiseCopyable {
    public let base: UnsafeRawPointer

    @inlinable public static var length: Int { 40 }

    /// Nil unless the whole packet that the header announces lies in `bytes`.
    @inlinable
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.length, let base = bytes.baseAddress, base.u8(0) >> 4 == 6 else { return nil }
        self.base = base
        guard Self.length &+ payloadLength <= bytes.count else { return nil }
    }

    /// DSCP and ECN (RFC 2474, RFC 3168).
    @inlinable public var trafficClass: UInt8 { UInt8(truncatingIfNeeded: base.be16(0) >> 4) }
    /// Bytes behind the header.
    @inlinable public var payloadLength: Int { Int(base.be16(4)) }
    @inlinable public var nextHeader: UInt8 { base.u8(6) }
    @inlinable public var hopLimit: UInt8 { base.u8(7) }
    @inlinable public var source: IPAddress { IPAddress(loadV6: base, at: 8) }
    @inlinable public var destination: IPAddress { IPAddress(loadV6: base, at: 24) }
    @inlinable public var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + Self.length, count: payloadLength)
    }

    /// Writes 40 bytes, flow label 0.
    @inlinable
    public static func write(
        to bytes: UnsafeMutableRawPointer, source: IPAddress, destination: IPAddress, nextHeader: UInt8,
        payloadLength: Int, hopLimit: UInt8 = 64, trafficClass: UInt8 = 0
    ) {
        bytes.setBE32(0x6000_0000 | UInt32(trafficClass) << 20, at: 0)
        bytes.setBE16(UInt16(truncatingIfNeeded: payloadLength), at: 4)
        bytes.setU8(nextHeader, at: 6)
        bytes.setU8(hopLimit, at: 7)
        source.storeV6(to: bytes, at: 8)
        destination.storeV6(to: bytes, at: 24)
    }
}
