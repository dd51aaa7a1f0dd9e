import Foundation
import Wire

/// What the kernel has of the exception interface now.
struct KernelState: Equatable {
    /// A network, or an address with the length of its network.
    struct Prefix: Hashable, CustomStringConvertible {
        var address: IPAddress
        var length: Int

        var description: String { "\(address)/\(length)" }
    }

    var exists = false
    var isUp = false
    var addresses: Set<IPAddress> = []
    /// Of the interface's own routing table.
    var routes: Set<Prefix> = []
    /// Whose packets take that table.
    var sources: Set<IPAddress> = []

    init() {}

    /// Nil when the kernel does not say.
    init?(of name: String, table: Int) {
        let index = if_nametoindex(name)
        guard index != 0 else {
            if errno != ENODEV { return nil }
            return
        }
        exists = true
        guard readAddresses(of: name) else { return nil }
        for isV4 in [true, false] {
            guard let routes = RouteDump.routes(isV4: isV4, table: table, interface: index),
                let sources = RouteDump.ruleSources(isV4: isV4, table: table)
            else { return nil }
            self.routes.formUnion(routes.map { Prefix(address: $0.network, length: $0.prefixLength) })
            self.sources.formUnion(sources)
        }
    }

    /// getifaddrs tells an IPv4 address by its label, which begins with the interface's name.
    static func isName(_ label: UnsafePointer<CChar>, of interface: String) -> Bool {
        String(cString: label).prefix { $0 != ":" } == interface
    }

    private mutating func readAddresses(of name: String) -> Bool {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return false }
        defer { freeifaddrs(first) }
        for entry in sequence(first: first, next: { $0?.pointee.ifa_next }) {
            guard let entry = entry?.pointee, Self.isName(entry.ifa_name, of: name) else { continue }
            isUp = entry.ifa_flags & UInt32(IFF_UP) != 0
            guard let address = entry.ifa_addr else { continue }
            switch Int32(address.pointee.sa_family) {
            // The address begins behind the family and the port, of IPv6 behind the flow label too.
            case AF_INET: addresses.insert(IPAddress(loadV4: UnsafeRawPointer(address), at: 4))
            case AF_INET6: addresses.insert(IPAddress(loadV6: UnsafeRawPointer(address), at: 8))
            default: break
            }
        }
        return true
    }
}
