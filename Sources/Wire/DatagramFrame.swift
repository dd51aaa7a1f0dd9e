/// What a received Ethernet frame is to us.
@frozen
public enum FrameKind: BitwiseCopyable {
    /// A whole UDP datagram.
    case udp(DatagramFrame)
    /// Parse it with `ARPPacket`.
    case arp
    /// An ICMP or ICMPv6 echo request: parse it with `ICMPEcho`.
    case icmp
    /// A neighbour solicitation or advertisement: parse it with the views of these names.
    case neighbor
    /// A fragment of an IPv4 or IPv6 packet.
    case fragment
    /// Anything else that may be valid: other EtherTypes, VLAN tags, TCP, IPv6 extension headers, ...
    case notOurs
    /// Shorter than its headers say, or with lengths that contradict each other.
    case truncated
    /// A source that must never be on the wire: multicast, broadcast, or an IPv4-mapped IPv6 address.
    case badAddress
}

/// A view of an Ethernet frame that carries one whole UDP datagram over IPv4 or IPv6. Checksums are not verified:
/// kernel peers on veth and TAP hand over partial ones.
@frozen
public struct DatagramFrame: BitwiseCopyable {
    /// The frame's first byte.
    public let base: UnsafeRawPointer
    /// Bytes of Ethernet and IP headers: where the UDP header starts.
    public let udpOffset: Int
    /// Bytes behind the UDP header, by the UDP length, which lies inside the IP length, inside the frame.
    public let payloadLength: Int
    public let isV4: Bool

    @inlinable
    init(base: UnsafeRawPointer, udpOffset: Int, payloadLength: Int, isV4: Bool) {
        self.base = base
        self.udpOffset = udpOffset
        self.payloadLength = payloadLength
        self.isV4 = isV4
    }

    /// Nil for everything that `classify` does not call `.udp`.
    @inlinable
    public init?(_ frame: UnsafeRawBufferPointer) {
        guard case .udp(let datagram) = Self.classify(frame) else { return nil }
        self = datagram
    }

    @inlinable public var payloadOffset: Int { udpOffset &+ UDPHeader.length }
    @inlinable public var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + payloadOffset, count: payloadLength)
    }
    @inlinable public var destinationMAC: MACAddress { MACAddress(load: base) }
    @inlinable public var sourceMAC: MACAddress { MACAddress(load: base, at: 6) }
    @inlinable public var source: Endpoint {
        Endpoint(
            address: isV4 ? IPAddress(loadV4: base, at: 26) : IPAddress(loadV6: base, at: 22),
            port: base.be16(udpOffset))
    }
    @inlinable public var destination: Endpoint {
        Endpoint(
            address: isV4 ? IPAddress(loadV4: base, at: 30) : IPAddress(loadV6: base, at: 38),
            port: base.be16(udpOffset &+ 2))
    }
    /// DSCP and ECN (RFC 2474, RFC 3168).
    @inlinable public var trafficClass: UInt8 {
        isV4 ? base.u8(15) : UInt8(truncatingIfNeeded: base.be16(14) >> 4)
    }

    /// Says what the frame is; proves all lengths of a UDP datagram.
    @inlinable
    public static func classify(_ frame: UnsafeRawBufferPointer) -> FrameKind {
        guard frame.count >= EthernetHeader.length, let base = frame.baseAddress else { return .truncated }
        let packet = frame.part(EthernetHeader.length, frame.count &- EthernetHeader.length)
        switch base.be16(12) {
        case EthernetHeader.ipv4: return classifyV4(base, packet)
        case EthernetHeader.ipv6: return classifyV6(base, packet)
        case EthernetHeader.arp: return .arp
        default: return .notOurs
        }
    }

    @inlinable
    static func classifyV4(_ base: UnsafeRawPointer, _ packet: UnsafeRawBufferPointer) -> FrameKind {
        guard let header = IPv4Header(packet) else { return .truncated }
        if header.isFragment { return .fragment }
        let source = header.source
        if source.isMulticast || source.isBroadcast { return .badAddress }
        switch header.protocolNumber {
        case IPProtocol.udp:
            guard let udp = UDPHeader(header.payload) else { return .truncated }
            return .udp(
                DatagramFrame(
                    base: base, udpOffset: EthernetHeader.length &+ header.headerLength,
                    payloadLength: udp.totalLength &- UDPHeader.length, isV4: true))
        case IPProtocol.icmp:
            guard header.payloadLength >= 8 else { return .truncated }
            return header.payload.baseAddress!.be16(0) == 0x0800 ? .icmp : .notOurs
        default: return .notOurs
        }
    }

    @inlinable
    static func classifyV6(_ base: UnsafeRawPointer, _ packet: UnsafeRawBufferPointer) -> FrameKind {
        guard let header = IPv6Header(packet) else { return .truncated }
        let source = header.source
        if source.isMulticast || source.isV4 { return .badAddress }
        switch header.nextHeader {
        case IPProtocol.udp:
            guard let udp = UDPHeader(header.payload) else { return .truncated }
            return .udp(
                DatagramFrame(
                    base: base, udpOffset: EthernetHeader.length &+ IPv6Header.length,
                    payloadLength: udp.totalLength &- UDPHeader.length, isV4: false))
        case IPProtocol.icmpv6:
            guard header.payloadLength >= 8 else { return .truncated }
            switch header.payload.baseAddress!.u8(0) {
            case 128: return .icmp
            case 135, 136: return .neighbor
            default: return .notOurs
            }
        case 44: return .fragment
        default: return .notOurs
        }
    }
}
