import Foundation
import Testing

@testable import needletail

/// Slips of operators that look right: each is one line with file, line and key.
@Suite struct ConfigurationMistakeTests {
    private static let port = "port: {device: net_null0, addresses: [\"192.0.2.2/24\"]}\n"

    private static func complaint(_ text: String, machine: Int = 1 << 20) -> String {
        do {
            _ = try NodeConfiguration(ConfigurationFile(text: text, path: "f"), machine: machine)
            return "accepted"
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [
        ("http://127.0.0.1:8080", "must be host:port without a scheme or a path, as 127.0.0.1:8080 or [::]:8080"),
        ("https://meet.example.org", "must be host:port without a scheme or a path, as 127.0.0.1:8080 or [::]:8080"),
        ("127.0.0.1:8080/", "must be host:port without a scheme or a path, as 127.0.0.1:8080 or [::]:8080"),
        ("127.0.0.1:+80", "must be host:port, as 127.0.0.1:8080 or [::]:8080"),
        ("127.0.0.1:", "must be host:port, as 127.0.0.1:8080 or [::]:8080"),
        ("127.0.0.1:65536", "must be host:port, as 127.0.0.1:8080 or [::]:8080"),
        (":::8080", ":: is neither an address nor a host name: write as 127.0.0.1:8080 or [::]:8080"),
        ("[::1:8080", "[::1 is neither an address nor a host name: write as 127.0.0.1:8080 or [::]:8080"),
        ("[127.0.0.1]:80", "[127.0.0.1] is neither an address nor a host name: write as 127.0.0.1:8080 or [::]:8080"),
        ("*:8080", "* is neither an address nor a host name: write as 127.0.0.1:8080 or [::]:8080"),
        ("a b:8080", "a b is neither an address nor a host name: write as 127.0.0.1:8080 or [::]:8080"),
    ])
    func aListenerIsAHostAndAPort(text: String, message: String) {
        for key in ["api", "ops"] {
            #expect(Self.complaint(Self.port + "\(key): {listen: \"\(text)\"}") == "f:2: \(key).listen: \(message)")
        }
        #expect(
            Self.complaint(Self.port + "turn: {tcp_listen: [\"\(text)\"]}") == "f:2: turn.tcp_listen: \(message)")
    }

    @Test func theStoreIsAFileOfAPoPAlone() throws {
        for path in ["\"\"", "/var/lib/", "\"a\\0b\""] {
            #expect(
                Self.complaint(Self.port + "store: {path: \(path)}")
                    == "f:2: store.path: must name a file, as /var/lib/needletail/store/meetings.db")
        }
        let store = "store: {path: meetings.db}\n"
        let fleet = "fleet: {name: a, signaling_url: \"https://a.example.org\", redis: [r]}"
        #expect(
            Self.complaint(Self.port + store + fleet)
                == "f:2: store.path: is for a PoP alone: not beside a fleet section")
        let file = try ConfigurationFile(text: Self.port + store, path: "f")
        #expect(try NodeConfiguration(file).storePath == "meetings.db")
    }

    @Test(arguments: [
        ("127.0.0.1:80", "127.0.0.1:80"), ("127.0.0.1:80", "127.1:80"), ("127.0.0.1:80", "0x7f000001:80"),
        ("127.0.0.1:80", "localhost:80"), ("LOCALHOST:80", "[::1]:80"), ("0.0.0.0:80", "192.0.2.9:80"),
        ("[::]:80", "192.0.2.9:80"), ("[::]:80", "0.0.0.0:80"), ("[::1]:80", "[0:0::1]:80"),
        ("[::ffff:127.0.0.1]:80", "127.0.0.1:080"),
    ])
    func onePortHasOneListenerInAnySpelling(first: String, second: String) {
        for (first, second) in [(first, second), (second, first)] {
            let text = Self.port + "api: {listen: \"\(first)\"}\nops: {listen: \"\(second)\"}"
            #expect(Self.complaint(text).hasPrefix("f:3: ops.listen: and api.listen name the same place twice"))
            let relay = Self.port + "api: {listen: \"\(first)\"}\nturn: {tcp_listen: [\"\(second)\"]}"
            #expect(Self.complaint(relay).hasPrefix("f:3: turn.tcp_listen: and api.listen name the same place twice"))
            let two = Self.port + "turn: {tcp_listen: [\"\(first)\", \"\(second)\"]}"
            #expect(Self.complaint(two).hasPrefix("f:2: turn.tcp_listen: names the same place twice"))
        }
    }

    @Test(arguments: [
        ("127.0.0.1:80", "127.0.0.2:80"), ("127.0.0.1:80", "127.0.0.1:81"), ("127.0.0.1:0", "127.0.0.1:0"),
        ("[::1]:80", "127.0.0.1:80"), ("0.0.0.0:80", "[::1]:80"), ("one.example.org:80", "two.example.org:80"),
    ])
    func listenersMayShareAPortOrAnAddress(first: String, second: String) {
        let text = Self.port + "api: {listen: \"\(first)\"}\nops: {listen: \"\(second)\"}"
        #expect(Self.complaint(text) == "accepted")
    }

    @Test(arguments: [
        ("log:\n  level: info\n  format: json\n  level: debug\n", "f:5: log.level: is there twice, first in line 3"),
        ("log: {level: info, level: debug}\n", "f:2: log.level: is there twice, first in line 2"),
        ("log: {level: info}\nops: {}\nlog: {format: json}\n", "f:4: log: is there twice, first in line 2"),
        (
            "log:\n  # level: info\n  level: info\n  \"level\": debug\n",
            "f:5: log.level: is there twice, first in line 4"
        ),
        (
            "turn:\n  realm: a\n  alternate_udp_ports: []\n  realm: b\n",
            "f:5: turn.realm: is there twice, first in line 3"
        ),
        ("log.level: info\nlog: {level: debug}\n", "f:3: log.level: is there twice"),
    ])
    func aKeyIsThereOnce(text: String, message: String) {
        #expect(Self.complaint(Self.port + text) == message)
    }

    @Test func whatIsNoYAMLNamesItsLineAndShowsNoSecret() {
        let said = Self.complaint("auth:\n  keys: [\"one:verysecret\"\nlog: {level: info}\n")
        #expect(said.hasPrefix("f:3: not YAML: ") && !said.contains("verysecret") && !said.contains("\n"))
        let twice = Self.complaint("auth:\n  keys: [\"one:verysecret\"]\n  keys: []\n")
        #expect(twice == "f:3: auth.keys: is there twice, first in line 2")
    }

    @Test(arguments: [
        ("192.0.2.255/24", "is the network's broadcast address"),
        ("192.0.2.0/24", "is the network, not an address in it"),
        ("10.255.255.255/8", "is the network's broadcast address"),
        ("255.255.255.255/32", "is no address that others can send to"),
        ("239.1.1.1/24", "is no address that others can send to"),
        ("0.0.0.0/0", "is no address that others can send to"),
    ])
    func aPortHasAnAddressOfAHost(address: String, message: String) {
        #expect(
            Self.complaint("port: {device: net_null0, addresses: [\"\(address)\"]}")
                == "f:1: port.addresses: \(address) \(message)")
    }

    @Test(arguments: [
        ("\"192.0.2.2/24\"", "192.0.3.1", "192.0.3.1 is on no network of port.addresses, and so cannot be reached"),
        ("\"192.0.2.2/24\"", "192.0.2.255", "192.0.2.255 is the network's broadcast address"),
        ("\"192.0.2.2/24\"", "192.0.2.0", "192.0.2.0 is the network, not an address in it"),
        ("\"192.0.2.2/24\"", "2001:db8::1", "2001:db8::1 needs an IPv6 address in port.addresses, which has none"),
        ("\"2001:db8::2/64\"", "192.0.2.1", "192.0.2.1 needs an IPv4 address in port.addresses, which has none"),
        (
            "\"2001:db8::2/64\"", "2001:db8:1::1",
            "2001:db8:1::1 is on no network of port.addresses, and so cannot be reached"
        ),
        ("\"192.0.2.2/24\"", "224.0.0.1", "224.0.0.1 is no address that others can send to"),
    ])
    func aGatewayIsOnTheLink(addresses: String, gateway: String, message: String) {
        #expect(
            Self.complaint("port: {device: net_null0, addresses: [\(addresses)], gateway: [\"\(gateway)\"]}")
                == "f:1: port.gateway: \(message)")
    }

    @Test(arguments: [
        ("192.0.2.2/31", "192.0.2.3"), ("192.0.2.2/32", "198.51.100.1"), ("2001:db8::2/64", "fe80::1"),
        ("2001:db8::2/128", "2001:db8:1::1"), ("192.0.2.2/24", "192.0.2.1"),
    ])
    func whatCloudsAndRoutersDoIsTaken(address: String, gateway: String) {
        #expect(
            Self.complaint("port: {device: net_null0, addresses: [\"\(address)\"], gateway: [\"\(gateway)\"]}")
                == "accepted")
    }

    @Test func aFamilyNeedsAnAddressOfItsOwn() {
        #expect(
            Self.complaint(Self.port + "anycast: {addresses: [\"2001:db8:5::1/128\"]}")
                == "f:2: anycast.addresses: 2001:db8:5::1 needs an IPv6 address in port.addresses, which has none")
        #expect(
            Self.complaint(Self.port + "media: {announced_addresses: [\"2001:db8:5::1\"]}")
                == "f:2: media.announced_addresses: 2001:db8:5::1 needs an IPv6 address in port.addresses, which has none"
        )
        #expect(
            Self.complaint(Self.port + "media: {announced_addresses: [\"255.255.255.255\"]}")
                == "f:2: media.announced_addresses: 255.255.255.255 is no address that others can send to")
    }

    @Test func moreMemoryThanThereIsIsRefused() {
        #expect(
            Self.complaint(Self.port + "memory: {megabytes: 4096}", machine: 4_095)
                == "f:2: memory.megabytes: wants 4096 MiB, and this machine has 4095 MiB")
        #expect(
            Self.complaint(
                "port:\n  device: net_null0\n  addresses: [\"192.0.2.2/24\"]\n  buffers: 4194303\n", machine: 8_192)
                == "f:4: port.buffers: wants 16471 MiB, and this machine has 8192 MiB")
        #expect(Self.complaint(Self.port + "memory: {megabytes: 4096}", machine: 8_192) == "accepted")
        let tables = Self.complaint(Self.port + "capacity: {tracks: 1000000}", machine: 16_384)
        #expect(tables.hasPrefix("f:2: capacity.tracks: wants ") && tables.hasSuffix(" has 16384 MiB"), "\(tables)")
    }

    @Test func whatIsNoTextFileIsSaidApart() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        func complaint(_ name: String) -> String {
            let path = name.hasPrefix("/") ? name : folder.appendingPathComponent(name).path
            do {
                _ = try ConfigurationFile(path: path)
                return "accepted"
            } catch {
                return "\(error)".replacing(path, with: "f").replacing(
                    ": name a file with --config, as appliance/needletail.yaml", with: "")
            }
        }
        func write(_ name: String, _ bytes: [UInt8]) throws {
            try Data(bytes).write(to: folder.appendingPathComponent(name))
        }
        #expect(complaint("missing.yaml") == "f: does not exist")
        #expect(complaint(folder.path) == "f: is a folder")
        #expect(complaint("/dev/zero") == "f: is a device")
        #expect(mkfifo(folder.appendingPathComponent("pipe").path, 0o600) == 0)
        #expect(complaint("pipe") == "f: is a pipe")
        try write("latin1.yaml", Array("pop:\n  # Zürich\n".utf16.map { UInt8($0) }))
        #expect(complaint("latin1.yaml") == "f:2: is not text in UTF-8")
        try write("long.yaml", [UInt8](repeating: 0x23, count: 1_048_577))
        #expect(complaint("long.yaml") == "f: has more than 1048576 bytes")
        try write("closed.yaml", [])
        #expect(chmod(folder.appendingPathComponent("closed.yaml").path, 0) == 0)
        // Of this thread alone (setfsuid(2), which Swift does not import); root may read everything.
        let symbol = try #require(dlsym(nil, "setfsuid"))
        let setUser = unsafeBitCast(symbol, to: (@convention(c) (uid_t) -> Int32).self)
        let own = setUser(65_534)
        defer { _ = setUser(uid_t(own)) }
        #expect(complaint("closed.yaml").hasSuffix("may not be read by this user"))
    }
}
