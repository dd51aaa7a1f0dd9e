import Foundation
import Testing

@testable import needletail

/// The `turn` section: what it accepts, and the one line that each mistake gets.
struct TURNSectionTests {
    private static let port = """
        port:
          device: net_null0
          addresses: ["192.0.2.2/24", "2001:db8::2/64"]

        """

    private func load(_ text: String) async throws -> NodeConfiguration {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml").path
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try NodeConfiguration(ConfigurationFile(path: path))
    }

    @Test func byDefaultThereIsARelayWithASecretOfItsOwn() async throws {
        let configuration = try await load(Self.port)
        let turn = try #require(configuration.turn)
        #expect(turn.secrets.isEmpty)
        #expect(turn.control.secrets.issue(user: "ada", lifetime: 1, now: 0) != nil)
        #expect(turn.control.urls == ["turn:192.0.2.2:443?transport=udp", "turn:[2001:db8::2]:443?transport=udp"])
        #expect(turn.relay.v4?.local.description == "192.0.2.2")
        #expect(turn.relay.v6?.announced.description == "2001:db8::2")
        #expect(turn.relay.ports == 49_152...65_535)
        #expect(turn.relay.realm == turn.control.realm)
        #expect(configuration.capacity.allocations == 16_384)
        #expect(configuration.api.turn?.urls == turn.control.urls)
    }

    @Test func itCanBeSwitchedOff() async throws {
        let configuration = try await load(Self.port + "turn: {enabled: no}")
        #expect(configuration.turn == nil)
        #expect(configuration.api.turn == nil)
    }

    @Test func everyListenerHasAURL() async throws {
        let listeners = "turn: {tcp_listen: [\"192.0.2.3:80\", \"[::]:3478\"]"
        let turn = try #require(try await load(Self.port + listeners + "}").turn)
        #expect(
            turn.control.urls.dropFirst(2) == [
                "turn:192.0.2.3:80?transport=tcp", "turn:192.0.2.2:3478?transport=tcp",
                "turn:[2001:db8::2]:3478?transport=tcp",
            ])
        let named = try #require(try await load(Self.port + listeners + ", host: turn.example.org}").turn)
        #expect(
            named.control.urls == [
                "turn:turn.example.org:443?transport=udp", "turn:turn.example.org:80?transport=tcp",
                "turn:turn.example.org:3478?transport=tcp",
            ])
    }

    /// libwebrtc would take media from there for answers of the relay.
    @Test func theMediaPortIsNoRelayThatClientsAreToldOf() async throws {
        let chosen = try #require(try await load(Self.port + "turn: {alternate_udp_ports: [80, 8443]}").turn)
        #expect(chosen.relay.alternatePorts == [80, 8_443])
        #expect(
            chosen.control.urls.filter { $0.contains("192") }.map { $0.split(separator: ":")[2] } == [
                "80?transport=udp", "8443?transport=udp",
            ])
        let none = try #require(try await load(Self.port + "turn: {alternate_udp_ports: []}").turn)
        #expect(none.relay.alternatePorts.isEmpty && none.control.urls.isEmpty)
        let moved = Self.port + "  udp_port: 443\n"
        #expect(try await load(moved).turn?.control.urls.isEmpty == true)
    }

    @Test func behindATranslatingRouterClientsAreToldItsAddress() async throws {
        let text = Self.port + "media: {announced_addresses: [\"198.51.100.9\"]}"
        let relay = try #require(try await load(text).turn?.relay)
        #expect(relay.v4?.local.description == "192.0.2.2")
        #expect(relay.v4?.announced.description == "198.51.100.9")
        #expect(relay.v6?.announced.description == "2001:db8::2")
        #expect(relay.announced.map(\.description) == ["198.51.100.9"])
    }

    @Test func prefixesMayBeSingleAddresses() async throws {
        let turn = try #require(try await load(Self.port + "turn: {deny_peers: [\"10.0.0.0/8\", \"::1\"]}").turn)
        #expect(turn.relay.refusedPeers.map(\.length) == [8, 128])
    }

    @Test func formerChannelsAreServedWhenAskedFor() async throws {
        let plain = try #require(try await load(Self.port + "turn: {}").turn)
        #expect(plain.relay.channelNumbers == 0x4000...0x4fff && plain.control.channelNumbers == 0x4000...0x4fff)
        let former = try #require(try await load(Self.port + "turn: {rfc5766_channels: \"yes\"}").turn)
        #expect(former.relay.channelNumbers == 0x4000...0x7fff && former.control.channelNumbers == 0x4000...0x7fff)
    }

    @Test(arguments: [
        ("enabled: maybe", "enabled: must be one of yes, no"),
        ("realm: \"\"", "realm: must have 1 to 127 bytes, without a quote or a colon"),
        ("secrets: [short]", "secrets: each must have at least 16 characters"),
        ("users: [lab]", "users: each must be name:password with a password of at least 8 characters"),
        ("users: [\"a:password1\", \"a:password2\"]", "users: names a twice"),
        ("credential_lifetime_s: 5", "credential_lifetime_s: must be a whole number from 60 to 31536000"),
        ("tcp_listen: [3478]", "tcp_listen: must be host:port, as 127.0.0.1:8080 or [::]:8080"),
        ("certificate: [a]", "certificate: must be text"),
        ("relay_ports: \"65535-1\"", "relay_ports: must be FIRST-LAST from 1024 to 65535, as 49152-65535"),
        ("relay_ports: \"80-90\"", "relay_ports: must be FIRST-LAST from 1024 to 65535, as 49152-65535"),
        (
            "alternate_udp_ports: [50000], relay_ports: 49152-65535", "relay_ports: holds 50000, which listens"
        ),
        ("alternate_udp_ports: [70000]", "alternate_udp_ports: must name at most 4 ports from 1 to 65535"),
        ("alternate_udp_ports: [3478]", "alternate_udp_ports: names a port twice, or port.udp_port"),
        (
            "relay_addresses: [\"192.0.2.2\", \"192.0.2.2\"]",
            "relay_addresses: must be one IPv4 address, one IPv6 address, or one of each"
        ),
        (
            "allow_peers: [\"10.0.0.0/33\"]",
            "allow_peers: 10.0.0.0/33 is not an address or a prefix, as 10.0.0.0/8 or fd00::/8"
        ),
        ("allow_peers: [\"\"]", "allow_peers:  is not an address or a prefix, as 10.0.0.0/8 or fd00::/8"),
        ("relay_addresses: [\"192.0.2.9\"]", "relay_addresses: 192.0.2.9 is not one of port.addresses"),
        ("allocations_per_user: 0", "allocations_per_user: must be a whole number from 1 to 1000000"),
    ])
    func wrongValuesNameKeyAndLine(line: String, message: String) async {
        do {
            _ = try await load(Self.port + "turn: {\(line)}")
            Issue.record("accepted")
        } catch {
            #expect("\(error)".replacing(/^.*\.yaml/, with: "") == ":4: turn.\(message)")
        }
    }

    @Test func tlsNeedsACertificateThatCanBeRead() async {
        for (addition, message) in [
            ("", "turn.certificate: is missing: turn.tls_listen needs a PEM file"),
            (", certificate: /nowhere.pem", "turn.private_key: is missing: turn.tls_listen needs a PEM file"),
            (
                ", certificate: /nowhere.pem, private_key: /nowhere.key",
                "turn.certificate: /nowhere.pem does not exist"
            ),
        ] {
            do {
                _ = try await load(Self.port + "turn: {tls_listen: [\"192.0.2.3:443\"]\(addition)}")
                Issue.record("accepted")
            } catch {
                #expect("\(error)".hasSuffix(message), "\(error)")
            }
        }
    }
}
