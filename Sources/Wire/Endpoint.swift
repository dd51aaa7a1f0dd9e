/// An IPv4 or IPv6 address in network order, IPv4 in its mapped form (RFC 4291 section 2.5.5.2), so that one
/// comparison serves both.
@frozen
public struct IPAddress: Hashable, Sendable, BitwiseCopyable {
    /// The first and last 64 bits, as numbers in host order.
    public var high: UInt64
    public var low: UInt64

    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// From an IPv4 address as a number in host order (127.0.0.1 is 0x7f000001).
    @inlinable
    public init(v4: UInt32) {
        high = 0
        low = 0xffff_0000_0000 | UInt64(v4)
    }

    @inlinable
    public var isV4: Bool { high == 0 && low >> 32 == 0xffff }

    /// The IPv4 address as a number in host order; meaningless unless `isV4`.
    @inlinable
    public var v4: UInt32 { UInt32(truncatingIfNeeded: low) }

    /// From 4 bytes in network order.
    @inlinable
    public init(loadV4 bytes: UnsafeRawPointer, at offset: Int = 0) { self.init(v4: bytes.be32(offset)) }

    /// From 16 bytes in network order.
    @inlinable
    public init(loadV6 bytes: UnsafeRawPointer, at offset: Int = 0) {
        self.init(high: bytes.be64(offset), low: bytes.be64(offset + 8))
    }

    /// Writes 4 bytes; meaningless unless `isV4`.
    @inlinable
    public func storeV4(to bytes: UnsafeMutableRawPointer, at offset: Int = 0) { bytes.setBE32(v4, at: offset) }

    /// Writes 16 bytes; an IPv4 address in its mapped form.
    @inlinable
    public func storeV6(to bytes: UnsafeMutableRawPointer, at offset: Int = 0) {
        bytes.setBE64(high, at: offset)
        bytes.setBE64(low, at: offset + 8)
    }

    /// 0.0.0.0 or ::
    @inlinable
    public var isUnspecified: Bool { isV4 ? v4 == 0 : high == 0 && low == 0 }

    /// 127.0.0.0/8 or ::1
    @inlinable
    public var isLoopback: Bool { isV4 ? v4 >> 24 == 127 : high == 0 && low == 1 }

    /// 224.0.0.0/4 or ff00::/8
    @inlinable
    public var isMulticast: Bool { isV4 ? v4 >> 28 == 0xe : high >> 56 == 0xff }

    /// 255.255.255.255
    @inlinable
    public var isBroadcast: Bool { isV4 && v4 == 0xffff_ffff }

    /// 169.254.0.0/16 or fe80::/10
    @inlinable
    public var isLinkLocal: Bool { isV4 ? v4 >> 16 == 0xa9fe : high >> 54 == 0xfe80 >> 6 }

    /// Whether the first `length` bits equal those of `network`; IPv4 lengths count from its own first bit.
    @inlinable
    public func isInside(_ network: IPAddress, prefixLength length: Int) -> Bool {
        guard isV4 == network.isV4 else { return false }
        return self.network(prefixLength: length) == network.network(prefixLength: length)
    }

    /// The first `length` bits, and zeros; IPv4 lengths count from its own first bit.
    @inlinable
    public func network(prefixLength length: Int) -> IPAddress {
        let bits = isV4 ? 96 + length : length
        let highMask: UInt64 = bits >= 64 ? .max : ~(.max >> UInt64(Swift.max(bits, 0)))
        let lowMask: UInt64 = bits >= 128 ? .max : bits <= 64 ? 0 : ~(.max >> UInt64(bits - 64))
        return IPAddress(high: high & highMask, low: low & lowMask)
    }

    /// The unit of limits by address: an IPv4 address, or the /64 of an IPv6 address, which is one customer.
    @inlinable
    public var subscriber: IPAddress { isV4 ? self : IPAddress(high: high, low: 0) }

    /// The group ff02::1:ffxx:xxxx that solicits the owner of this IPv6 address (RFC 4291 section 2.7.1).
    @inlinable
    public var solicitedNodeGroup: IPAddress {
        IPAddress(high: 0xff02_0000_0000_0000, low: 0x1_ff00_0000 | low & 0xff_ffff)
    }
}

/// An address and a UDP port (host order).
@frozen
public struct Endpoint: Hashable, Sendable, BitwiseCopyable {
    public var address: IPAddress
    public var port: UInt16

    @inlinable
    public init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}
