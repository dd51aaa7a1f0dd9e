/// An Ethernet II header, 14 bytes.
@frozen
public struct EthernetHeader: Sendable, Equatable, BitwiseCopyable {
    public var destination: MACAddress
    public var source: MACAddress
    public var etherType: UInt16

    @inlinable
    public init(destination: MACAddress, source: MACAddress, etherType: UInt16) {
        self.destination = destination
        self.source = source
        self.etherType = etherType
    }

    /// Nil when there are not 14 bytes.
    @inlinable
    public init?(_ frame: UnsafeRawBufferPointer) {
        guard frame.count >= Self.length, let base = frame.baseAddress else { return nil }
        destination = MACAddress(load: base)
        source = MACAddress(load: base, at: 6)
        etherType = base.be16(12)
    }

    @inlinable
    public func write(to frame: UnsafeMutableRawPointer) {
        destination.store(to: frame)
        source.store(to: frame, at: 6)
        frame.setBE16(etherType, at: 12)
    }

    @inlinable public static var length: Int { 14 }
    @inlinable public static var ipv4: UInt16 { 0x0800 }
    @inlinable public static var arp: UInt16 { 0x0806 }
    @inlinable public static var ipv6: UInt16 { 0x86dd }
}
