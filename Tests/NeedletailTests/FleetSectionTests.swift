import Foundation
import Redis
import Testing

@testable import needletail

/// The `fleet` section, and the one line that each mistake in it gets.
struct FleetSectionTests {
    private static let port = "port: {device: net_null0, addresses: [\"192.0.2.2/24\", \"2001:db8::2/64\"]}\n"
    private static let rest = "name: a, signaling_url: \"https://a.example.org\""

    private func load(_ fleet: String, more: String = "") throws -> NodeConfiguration {
        try NodeConfiguration(ConfigurationFile(text: Self.port + "fleet: {\(fleet)}\n" + more, path: "f"))
    }

    private func file(_ text: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).txt").path
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test func withoutTheSectionThePoPIsAlone() throws {
        for text in ["", "fleet:\n"] {
            let configuration = try NodeConfiguration(ConfigurationFile(text: Self.port + text, path: "f"))
            #expect(configuration.fleet == nil && configuration.api.fleet == nil)
            #expect(configuration.api.signalingURL == nil)
        }
    }

    @Test func whatIsGivenIsTaken() throws {
        let password = try file("a secret\nand more\n")
        defer { try? FileManager.default.removeItem(atPath: password) }
        let configuration = try load(
            Self.rest
                + ", redis: [redis.example.org, \"192.0.2.40:7000\", \"[fd00::5]:7001\", \"fd00::6\"], redis_user: n, "
                + "redis_password_file: \"\(password)\", key_prefix: \"east:\"")
        let fleet = try #require(configuration.fleet)
        #expect(
            fleet.redis.addresses.map(\.description)
                == ["redis.example.org:6379", "192.0.2.40:7000", "[fd00::5]:7001", "[fd00::6]:6379"])
        #expect(fleet.redis.user == "n" && fleet.redis.password == "a secret" && fleet.redis.prefix == "east:")
        #expect(fleet.redis.tls == nil)
        #expect(fleet.api.name.rawValue == "a" && fleet.api.url == "https://a.example.org")
        #expect(fleet.api.mediaAddresses == ["192.0.2.2:3478", "[2001:db8::2]:3478"])
        #expect(configuration.api.signalingURL == "https://a.example.org")
        let tls = try load(Self.rest + ", redis: [r], redis_tls: yes, redis_server_name: s.example.org")
        #expect(tls.fleet?.redis.tls?.serverName == "s.example.org")
    }

    @Test func theAddressOfThePoPMayBeThatOfTheAPI() throws {
        let configuration = try load("name: a, redis: [r]", more: "api: {signaling_url: \"https://b.example.org/\"}")
        #expect(configuration.fleet?.api.url == "https://b.example.org")
        #expect(configuration.api.signalingURL == "https://b.example.org/")
    }

    /// What stands in the section, and what its writer is told.
    private static let mistakes: [(String, String)] = [
        ("redis: [r]", "fleet.redis: needs fleet.name, a name that no other PoP of the fleet has"),
        ("name: a b, redis: [r]", "fleet.name: must have 1 to 64 of the characters A-Z a-z 0-9 - _ ."),
        (
            "name: a, redis: [r]",
            "fleet.name: needs fleet.signaling_url (or api.signaling_url): what clients reach this PoP alone by, as https://pop1.example.org"
        ),
        (
            "name: a, signaling_url: a.example.org, redis: [r]",
            "fleet.signaling_url: must be a scheme and a host, as https://meet.example.org"
        ),
        (
            "name: a, signaling_url: \"https://u@a\", redis: [r]",
            "fleet.signaling_url: must be a scheme, a host and perhaps a port, without a user, as https://pop1.example.org"
        ),
    ]

    /// What is added to a section that has a name and an address.
    private static let additions: [(String, String)] = [
        ("key_prefix: x", "fleet.redis: is missing: name the servers, as [\"192.0.2.40:6379\"]"),
        ("redis: r", "fleet.redis: must be a list"),
        ("redis: [r, r]", "fleet.redis: names r twice"),
        ("redis: [\"r:0\"]", "fleet.redis: r:0 has no port that a server has"),
        ("redis: [\"r:99999\"]", "fleet.redis: must be host:port, as 127.0.0.1:8080 or [::]:8080"),
    ]

    /// What is added to one that has a server, too.
    private static let ofServers: [(String, String)] = [
        ("redis_user: n", "fleet.redis_user: needs fleet.redis_password or fleet.redis_password_file"),
        ("redis_password: \"\"", "fleet.redis_password: is empty"),
        (
            "redis_password: x, redis_password_file: y",
            "fleet.redis_password_file: is there beside fleet.redis_password: give one of them"
        ),
        ("redis_password_file: /no/f", "fleet.redis_password_file: /no/f does not exist"),
        ("redis_tls: maybe", "fleet.redis_tls: must be one of yes, no"),
        ("redis_ca: /no/f", "fleet.redis_ca: needs fleet.redis_tls: yes"),
        ("redis_tls: yes, redis_ca: /no/f", "fleet.redis_ca: /no/f does not exist"),
        (
            "redis_tls: yes, redis_key: /no/f",
            "fleet.redis_key: needs fleet.redis_certificate, the file of its certificate"
        ),
        ("key_prefix: \"\"", "fleet.key_prefix: must have 1 to 64 of the characters A-Z a-z 0-9 - _ . :"),
        ("region: eu", "fleet.region: unknown key; is pop.region meant?"),
    ]

    private func complaint(_ section: String) -> String {
        do {
            _ = try load(section)
            return "accepted"
        } catch {
            return "\(error)"
        }
    }

    @Test func eachMistakeNamesFileLineAndKey() {
        var sections = Self.mistakes
        sections += Self.additions.map { (Self.rest + ", " + $0.0, $0.1) }
        sections += Self.ofServers.map { (Self.rest + ", redis: [r], " + $0.0, $0.1) }
        for (section, message) in sections {
            // What is missing has no line.
            let told = complaint(section)
            #expect(told == "f:2: " + message || told == "f: " + message, "\(section)")
        }
    }

    @Test func aFileThatHoldsNoCertificateIsRefused() throws {
        let empty = try file("nothing\n")
        defer { try? FileManager.default.removeItem(atPath: empty) }
        let told = complaint(Self.rest + ", redis: [r], redis_tls: yes, redis_ca: \"\(empty)\"")
        #expect(told == "f:2: fleet.redis_ca: the authorities' file holds no certificate")
    }

    @Test func theFleetIsToldAsATable() throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let text = """
            {"name":"pop1","registry_up":false,"pops":[
             {"name":"pop1","region":"eu","state":"serving","load":0.256,"participants":1,"capacity":8,"age_s":0},
             {"name":"pop10","state":"lost","load":1,"participants":12,"capacity":800,"age_s":83}]}
            """
        let fleet = try decoder.decode(FleetAnswer.self, from: Data(text.utf8))
        #expect(
            fleet.lines == [
                "POP           REGION  STATE    LOAD  PARTICIPANTS  AGE",
                "pop1 (asked)  eu      serving  26%   1 of 8        0 s",
                "pop10         -       lost     100%  12 of 800     83 s",
                "the registry cannot be reached: this is what was known last",
            ])
        #expect(!fleet.isWhole)
    }
}
