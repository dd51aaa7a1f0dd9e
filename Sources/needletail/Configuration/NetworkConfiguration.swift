import Dataplane
import Wire

/// What of the configuration concerns the kernel beside the port, and addresses that several PoPs share.
struct NetworkConfiguration {
    /// The kernel's interface on the port: a device of DPDK, or only the interface's name. Nil: none.
    var exception: String?
    /// The name of that interface.
    var exceptionInterface: String?
    /// Frames a second to the kernel, and as many from it.
    var exceptionRate: Int
    var anycast: [IPAddress]

    init(_ file: ConfigurationFile, device: String, interfaces: [HostConfiguration.Interface]) throws {
        exception = file.text(.portException).flatMap { $0.isEmpty ? nil : $0 }
        exceptionInterface = try exception.map { try Self.interface(file, $0, device: device) }
        exceptionRate = try file.integer(.portExceptionRate, in: 100...10_000_000, default: 20_000)
        anycast = try Self.anycast(file, interfaces: interfaces)
    }

    private static func interface(_ file: ConfigurationFile, _ text: String, device: String) throws -> String {
        guard let name = ExceptionPort.interface(text) else {
            throw file.error(
                .portException,
                "\(text) names no interface of the kernel: write as nt0, or net_virtio_user0,path=/dev/vhost-net,iface=nt0"
            )
        }
        let parts = device.split(separator: ",")
        guard !parts.contains("iface=\(name)"), parts.first != text.split(separator: ",").first else {
            throw file.error(.portException, "is the port itself: name a new interface, as nt0")
        }
        return name
    }

    private static func anycast(
        _ file: ConfigurationFile, interfaces: [HostConfiguration.Interface]
    ) throws -> [IPAddress] {
        let list = file.texts(.anycastAddresses) ?? []
        guard list.count <= HostConfiguration.mostInterfaces else {
            throw file.error(.anycastAddresses, "has more than \(HostConfiguration.mostInterfaces) addresses")
        }
        let addresses = try list.map { text in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard let address = IPAddress(parts[0]), parts.count == 2, parts[1] == (address.isV4 ? "32" : "128") else {
                throw file.error(
                    .anycastAddresses, "\(text) is not a single address, as 198.51.100.1/32 or 2001:db8:5::1/128")
            }
            guard !interfaces.contains(where: { $0.address == address }) else {
                throw file.error(
                    .anycastAddresses, "\(text) is in port.addresses too: media needs an address of its own")
            }
            return address
        }
        try AddressRules(file: file, interfaces: interfaces).checkFamilies(addresses, .anycastAddresses)
        let announced = (file.texts(.mediaAnnounced) ?? []).compactMap { IPAddress($0) }
        if let shared = announced.first(where: addresses.contains) {
            throw file.error(
                .mediaAnnounced, "\(shared) is an anycast address: running media would move with its route")
        }
        return addresses
    }
}
