import Wire

/// The addresses of one port, and the way from there.
public struct HostConfiguration: Sendable, Equatable {
    /// An address of our own with the prefix of its link; IPv4 lengths are 0 to 32.
    public struct Interface: Sendable, Equatable, BitwiseCopyable {
        public var address: IPAddress
        public var prefixLength: Int

        public init(address: IPAddress, prefixLength: Int) {
            self.address = address
            self.prefixLength = prefixLength
        }
    }

    public var mac: MACAddress
    /// At most `mostInterfaces`. A link-local IPv6 address is made from the MAC address when there is any other
    /// IPv6 address and no link-local one (RFC 4291 appendix A).
    public var interfaces: [Interface]
    public var gatewayV4: IPAddress?
    public var gatewayV6: IPAddress?
    /// Addresses that are routed to us and to others like us: frames to them are ours, but the link is not told of them
    /// (no ARP, no neighbour discovery), and nothing is sent from them but answers. At most `mostInterfaces`.
    public var anycast: [IPAddress]

    public static var mostInterfaces: Int { 16 }

    public init(
        mac: MACAddress, interfaces: [Interface], gatewayV4: IPAddress? = nil,
        gatewayV6: IPAddress? = nil, anycast: [IPAddress] = []
    ) {
        self.mac = mac
        self.interfaces = interfaces
        self.gatewayV4 = gatewayV4
        self.gatewayV6 = gatewayV6
        self.anycast = anycast
    }

    /// The first `mostInterfaces`, and the link-local address that IPv6 needs where none is given.
    var effectiveInterfaces: [Interface] {
        var all = Array(interfaces.prefix(Self.mostInterfaces))
        let v6 = all.filter { !$0.address.isV4 }
        if !v6.isEmpty, !v6.contains(where: { $0.address.isLinkLocal }) {
            all.append(Interface(address: Self.linkLocal(of: mac), prefixLength: 64))
        }
        return all
    }

    /// fe80::/64 with the modified EUI-64 identifier of the MAC address (RFC 4291 appendix A).
    static func linkLocal(of mac: MACAddress) -> IPAddress {
        let upper = mac.bits >> 24 ^ 0x02_0000
        return IPAddress(
            high: 0xfe80_0000_0000_0000, low: upper << 40 | 0xff_fe00_0000 | mac.bits & 0xff_ffff)
    }
}
