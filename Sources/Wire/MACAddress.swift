/// An IEEE 802 MAC address.
@frozen
public struct MACAddress: Hashable, Sendable, BitwiseCopyable {
    /// 48 bits, the first octet on the wire most significant.
    public var bits: UInt64

    /// The low 48 bits of `bits`.
    @inlinable
    public init(_ bits: UInt64) { self.bits = bits & 0xffff_ffff_ffff }

    @inlinable
    public init(load bytes: UnsafeRawPointer, at offset: Int = 0) {
        bits = UInt64(bytes.be16(offset)) << 32 | UInt64(bytes.be32(offset + 2))
    }

    @inlinable
    public func store(to bytes: UnsafeMutableRawPointer, at offset: Int = 0) {
        bytes.setBE16(UInt16(truncatingIfNeeded: bits >> 32), at: offset)
        bytes.setBE32(UInt32(truncatingIfNeeded: bits), at: offset + 2)
    }

    @inlinable
    public static var broadcast: MACAddress { MACAddress(0xffff_ffff_ffff) }

    @inlinable
    public static var zero: MACAddress { MACAddress(0) }

    /// The group bit: broadcast too.
    @inlinable
    public var isMulticast: Bool { bits >> 40 & 1 == 1 }

    /// The address that an IPv6 multicast group is sent to (RFC 2464 section 7).
    @inlinable
    public init(multicast group: IPAddress) { bits = 0x3333_0000_0000 | group.low & 0xffff_ffff }
}
