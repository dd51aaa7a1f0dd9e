import Dataplane
import Wire

/// What addresses of the configuration must be, so that packets come and go.
struct AddressRules {
    let file: ConfigurationFile
    /// `port.addresses`
    let interfaces: [HostConfiguration.Interface]

    /// Whether others can send to it.
    static func isUsable(_ address: IPAddress) -> Bool {
        !address.isUnspecified && !address.isLoopback && !address.isMulticast && !address.isBroadcast
    }

    /// Why an interface cannot have its address: networks of IPv4 keep two for themselves (RFC 922 section 7), but those of
    /// two addresses (RFC 3021).
    static func fault(of interface: HostConfiguration.Interface) -> String? {
        let address = interface.address
        guard isUsable(address) else { return "is no address that others can send to" }
        guard address.isV4, interface.prefixLength < 31 else { return nil }
        let host = address.v4 & (UInt32.max >> UInt32(interface.prefixLength))
        if host == 0 { return "is the network, not an address in it" }
        if host == UInt32.max >> UInt32(interface.prefixLength) { return "is the network's broadcast address" }
        return nil
    }

    /// An address of a family that the port does not have reaches nobody.
    func checkFamilies(_ addresses: [IPAddress], _ key: ConfigurationKey) throws {
        for address in addresses {
            guard Self.isUsable(address) else {
                throw file.error(key, "\(address) is no address that others can send to")
            }
            guard interfaces.contains(where: { $0.address.isV4 == address.isV4 }) else {
                throw file.error(
                    key,
                    "\(address) needs an \(address.isV4 ? "IPv4" : "IPv6") address in port.addresses, which has none")
            }
        }
    }

    /// A router answers on a link of its own only. Where the port has nothing but single addresses, as in some clouds, any
    /// router is taken to be there.
    func checkGateways(_ gateways: [IPAddress]) throws {
        if let mine = gateways.first(where: { gateway in interfaces.contains { $0.address == gateway } }) {
            throw file.error(.portGateway, "\(mine) is in port.addresses: name the router's address")
        }
        try checkFamilies(gateways, .portGateway)
        for gateway in gateways {
            let links = interfaces.filter {
                $0.address.isV4 == gateway.isV4 && $0.prefixLength < (gateway.isV4 ? 32 : 128)
            }
            let near = links.filter { gateway.isInside($0.address, prefixLength: $0.prefixLength) }
            if gateway.isLinkLocal || links.isEmpty { continue }
            guard let link = near.first else {
                throw file.error(
                    .portGateway, "\(gateway) is on no network of port.addresses, and so cannot be reached")
            }
            if gateway.isV4, let fault = Self.fault(of: .init(address: gateway, prefixLength: link.prefixLength)) {
                throw file.error(.portGateway, "\(gateway) \(fault)")
            }
        }
    }
}
