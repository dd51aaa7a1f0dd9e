import Dataplane
import Foundation
import Wire

/// The kernel's end of the exception path: gives the interface that DPDK made the port's addresses and the way from
/// there, by iproute2.
///
/// The kernel may have other interfaces, on the same network even: what it sends from the port's addresses takes a routing
/// table of its own, so that answers leave by the port that the questions came by.
struct KernelInterface {
    /// The routing table and the priority of the rules that lead to it; also the metric of the default routes in the
    /// main table, where those of others come first.
    static let table = 3_478

    let name: String
    let mac: MACAddress
    let mtu: Int
    let interfaces: [HostConfiguration.Interface]
    let anycast: [IPAddress]
    let gateways: [IPAddress]

    /// Configures the interface. Throws one line with the remedy.
    func setUp() throws {
        forgetRules()
        try run("link set dev \(name) address \(mac) mtu \(mtu) up")
        for isV4 in [true, false] where interfaces.contains(where: { $0.address.isV4 == isV4 }) {
            for command in commands(isV4: isV4) { try run("\(isV4 ? "-4" : "-6") \(command)") }
        }
    }

    /// Takes back what does not go with the interface, also what a process left that was killed.
    func forgetRules() {
        for family in ["-4", "-6"] { try? run("\(family) rule flush table \(Self.table)") }
    }

    /// What `ip` is told about one family.
    func commands(isV4: Bool) -> [String] {
        let own = interfaces.filter { $0.address.isV4 == isV4 }
        let shared = anycast.filter { $0.isV4 == isV4 }
        // Duplicate address detection asks the link, where the data plane answers for the same address.
        let quick = isV4 ? "" : " nodad"
        var lines = own.map { "address replace \($0.address)/\($0.prefixLength) dev \(name)\(quick)" }
        lines += shared.map { "address replace \($0)/\(isV4 ? 32 : 128) dev \(name)\(quick)" }
        for interface in own {
            let network = interface.address.network(prefixLength: interface.prefixLength)
            lines.append("route replace \(network)/\(interface.prefixLength) dev \(name) table \(Self.table)")
        }
        for gateway in gateways where gateway.isV4 == isV4 {
            let route = "route replace default via \(gateway) dev \(name) onlink"
            lines += ["\(route) table \(Self.table)", "\(route) metric \(Self.table)"]
        }
        lines += (own.map(\.address) + shared).map {
            "rule add from \($0)/\(isV4 ? 32 : 128) lookup \(Self.table) priority \(Self.table)"
        }
        return lines
    }

    /// What is missing, in one line; nil: nothing.
    func fault(in state: KernelState) -> String? {
        guard state.exists else {
            return "\(name) is gone: somebody removed it; restart the node, which makes it again"
        }
        guard state.isUp else { return "\(name) is down" }
        let own = interfaces.map(\.address) + anycast
        if let missing = own.first(where: { !state.addresses.contains($0) }) {
            return "\(name) does not have \(missing)"
        }
        let networks = interfaces.map {
            KernelState.Prefix(
                address: $0.address.network(prefixLength: $0.prefixLength), length: $0.prefixLength)
        }
        let defaults = gateways.map {
            KernelState.Prefix(address: $0.isV4 ? IPAddress(v4: 0) : IPAddress(high: 0, low: 0), length: 0)
        }
        if let missing = (networks + defaults).first(where: { !state.routes.contains($0) }) {
            return "table \(Self.table) has no route to \(missing) by \(name)"
        }
        if let missing = own.first(where: { !state.sources.contains($0) }) {
            return "no rule leads from \(missing) to table \(Self.table)"
        }
        return nil
    }

    private func run(_ command: String) throws {
        do {
            try Command.run(["ip"] + command.split(separator: " ").map(String.init))
        } catch {
            throw ConfigurationError("port.exception: `ip \(command)` failed: \(error)")
        }
    }
}
