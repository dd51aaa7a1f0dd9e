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
