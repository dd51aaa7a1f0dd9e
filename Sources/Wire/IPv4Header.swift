/// IP protocol numbers that we look at (IANA).
@frozen
public enum IPProtocol {
    @inlinable public static var icmp: UInt8 { 1 }
    @inlinable public static var tcp: UInt8 { 6 }
    @inlinable public static var udp: UInt8 { 17 }
    @inlinable public static var icmpv6: UInt8 { 58 }
}

/// A view of an IPv4 header (RFC 791). The header checksum is not verified: see `isChecksumValid`.
@frozen
public struct IPv4Header: BitwiseCopyable {
    public let base: UnsafeRawPointer

    /// Nil unless the whole packet that the header announces lies in `bytes`.
    @inlinable
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 20, let base = bytes.baseAddress, base.u8(0) >> 4 == 4 else { return nil }
        self.base = base
        guard headerLength >= 20, totalLength >= headerLength, totalLength <= bytes.count else { return nil }
    }

    /// Bytes, options included: 20...60.
    @inlinable public var headerLength: Int { Int(base.u8(0) & 0xf) &* 4 }
    /// Bytes of header and payload.
    @inlinable public var totalLength: Int { Int(base.be16(2)) }
    @inlinable public var payloadLength: Int { totalLength &- headerLength }
    /// DSCP and ECN (RFC 2474, RFC 3168).
    @inlinable public var trafficClass: UInt8 { base.u8(1) }
    @inlinable public var identification: UInt16 { base.be16(4) }
    /// More fragments follow, or this is not the first.
    @inlinable public var isFragment: Bool { base.be16(6) & 0x3fff != 0 }
    @inlinable public var timeToLive: UInt8 { base.u8(8) }
    @inlinable public var protocolNumber: UInt8 { base.u8(9) }
    @inlinable public var checksum: UInt16 { base.be16(10) }
    @inlinable public var source: IPAddress { IPAddress(loadV4: base, at: 12) }
    @inlinable public var destination: IPAddress { IPAddress(loadV4: base, at: 16) }
    @inlinable public var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + headerLength, count: payloadLength)
    }

    @inlinable public var isChecksumValid: Bool {
        InternetChecksum.finish(InternetChecksum.sum(base, count: headerLength)) == 0
    }

    /// Writes 20 bytes: no options, don't-fragment, time to live 64, checksum filled in.
    @inlinable
    public static func write(
        to bytes: UnsafeMutableRawPointer, source: IPAddress, destination: IPAddress, protocol number: UInt8,
        payloadLength: Int, identification: UInt16 = 0, trafficClass: UInt8 = 0
    ) {
        bytes.setU8(0x45, at: 0)
        bytes.setU8(trafficClass, at: 1)
        bytes.setBE16(UInt16(truncatingIfNeeded: 20 &+ payloadLength), at: 2)
        bytes.setBE16(identification, at: 4)
        bytes.setBE16(0x4000, at: 6)
        bytes.setU8(64, at: 8)
        bytes.setU8(number, at: 9)
        bytes.setBE16(0, at: 10)
        source.storeV4(to: bytes, at: 12)
        destination.storeV4(to: bytes, at: 16)
        bytes.setBE16(InternetChecksum.finish(InternetChecksum.sum(bytes, count: 20)), at: 10)
    }
}
