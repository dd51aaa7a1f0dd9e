import Dataplane
import Foundation
import Testing
import Wire

@testable import needletail

@Suite("The exception path's and anycast's configuration")
struct NetworkConfigurationTests {
    private func load(_ port: String, _ rest: String = "") async throws -> NodeConfiguration {
        let text = """
            port: {device: "net_af_packet0,iface=eth1", addresses: ["192.0.2.2/24", "2001:db8::2/64"]\(port)}
            \(rest)
            """
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml").path
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try NodeConfiguration(ConfigurationFile(path: path))
    }

    private func complaint(_ port: String, _ rest: String = "") async -> String {
        do {
            _ = try await load(port, rest)
            return "accepted"
        } catch {
            return "\(error)".replacing(/^.*\.yaml:/, with: "")
        }
    }

    @Test func neitherIsThereByDefault() async throws {
        let network = try await load("").network
        #expect(network.exception == nil && network.exceptionInterface == nil && network.anycast.isEmpty)
    }

    @Test func bothAreRead() async throws {
        let configuration = try await load(
            ", exception: nt0, exception_rate: 500",
            "anycast: {addresses: [\"198.51.100.1/32\", \"2001:db8:5::1/128\"]}")
        #expect(configuration.network.exceptionInterface == "nt0")
        #expect(configuration.network.exceptionRate == 500)
        #expect(configuration.network.anycast.map(\.description) == ["198.51.100.1", "2001:db8:5::1"])
        // Media is not announced there.
        #expect(configuration.announced.map(\.description) == ["192.0.2.2", "2001:db8::2"])
    }

    @Test(arguments: [
        (
            ", exception: \"a/b\"", "",
            "1: port.exception: a/b names no interface of the kernel: write as nt0, or net_virtio_user0,path=/dev/vhost-net,iface=nt0"
        ),
        (", exception: eth1", "", "1: port.exception: is the port itself: name a new interface, as nt0"),
        (
            ", exception: \"net_af_packet0,iface=nt0\"", "",
            "1: port.exception: is the port itself: name a new interface, as nt0"
        ),
        (
            ", exception: nt0, exception_rate: 5", "",
            "1: port.exception_rate: must be a whole number from 100 to 10000000"
        ),
        (
            "", "anycast: {addresses: [\"198.51.100.0/24\"]}",
            "2: anycast.addresses: 198.51.100.0/24 is not a single address, as 198.51.100.1/32 or 2001:db8:5::1/128"
        ),
        (
            "", "anycast: {addresses: [\"/\"]}",
            "2: anycast.addresses: / is not a single address, as 198.51.100.1/32 or 2001:db8:5::1/128"
        ),
        (
            "", "anycast: {addresses: [\"192.0.2.2/32\"]}",
            "2: anycast.addresses: 192.0.2.2/32 is in port.addresses too: media needs an address of its own"
        ),
        (
            "", "anycast: {addresses: [\"198.51.100.1/32\"]}\nmedia: {announced_addresses: [\"198.51.100.1\"]}",
            "3: media.announced_addresses: 198.51.100.1 is an anycast address: running media would move with its route"
        ),
    ])
    func mistakesAreNamed(port: String, rest: String, expected: String) async {
        #expect(await complaint(port, rest) == expected)
    }

    private let kernel = KernelInterface(
        name: "nt0", mac: MACAddress(0x0200_0000_0007), mtu: 1_500,
        interfaces: [
            .init(address: IPAddress("192.0.2.2")!, prefixLength: 24),
            .init(address: IPAddress("2001:db8::2")!, prefixLength: 64),
        ], anycast: [IPAddress("198.51.100.1")!], gateways: [IPAddress("192.0.2.1")!])

    @Test func whatTheKernelLacksIsNamed() {
        var whole = KernelState()
        #expect(kernel.fault(in: whole)?.hasPrefix("nt0 is gone") == true)
        whole.exists = true
        whole.isUp = true
        whole.addresses = [IPAddress("192.0.2.2")!, IPAddress("2001:db8::2")!, IPAddress("198.51.100.1")!]
        whole.sources = whole.addresses
        for (address, length) in [("192.0.2.0", 24), ("2001:db8::", 64), ("0.0.0.0", 0)] {
            whole.routes.insert(.init(address: IPAddress(address)!, length: length))
        }
        #expect(kernel.fault(in: whole) == nil)
        func fault(_ change: (inout KernelState) -> Void) -> String? {
            var state = whole
            change(&state)
            return kernel.fault(in: state)
        }
        #expect(fault { $0.isUp = false } == "nt0 is down")
        #expect(fault { $0.addresses.remove(IPAddress("2001:db8::2")!) } == "nt0 does not have 2001:db8::2")
        #expect(
            fault { $0.sources.remove(IPAddress("198.51.100.1")!) } == "no rule leads from 198.51.100.1 to table 3478")
        #expect(
            fault { $0.routes.remove(.init(address: IPAddress("0.0.0.0")!, length: 0)) }
                == "table 3478 has no route to 0.0.0.0/0 by nt0")
    }

    @Test func aClaimNamesThePortAndTheExceptionPath() async throws {
        #expect(try await Claim.names(load("")) == ["port.device eth1"])
        #expect(try await Claim.names(load(", exception: nt0")) == ["port.device eth1", "port.exception"])
    }

    @Test func theKernelSendsFromThePortsAddressesByThePort() {
        #expect(
            kernel.commands(isV4: true) == [
                "address replace 192.0.2.2/24 dev nt0", "address replace 198.51.100.1/32 dev nt0",
                "route replace 192.0.2.0/24 dev nt0 table 3478",
                "route replace default via 192.0.2.1 dev nt0 onlink table 3478",
                "route replace default via 192.0.2.1 dev nt0 onlink metric 3478",
                "rule add from 192.0.2.2/32 lookup 3478 priority 3478",
                "rule add from 198.51.100.1/32 lookup 3478 priority 3478",
            ])
        #expect(
            kernel.commands(isV4: false) == [
                "address replace 2001:db8::2/64 dev nt0 nodad", "route replace 2001:db8::/64 dev nt0 table 3478",
                "rule add from 2001:db8::2/128 lookup 3478 priority 3478",
            ])
    }
}
