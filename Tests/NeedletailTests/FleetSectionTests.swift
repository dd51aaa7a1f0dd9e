import Api
import Fleet
import Foundation
import Meetings
import Redis
import TestSupport
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
        let redis = fleet.redis
        #expect(
            redis.addresses.map(\.description)
                == ["redis.example.org:6379", "192.0.2.40:7000", "[fd00::5]:7001", "[fd00::6]:6379"])
        #expect(redis.user == "n" && redis.password == "a secret" && redis.prefix == "east:")
        #expect(redis.tls == nil && fleet.api.links == nil)
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
        (
            "key_prefix: x",
            "fleet.redis: is missing: name the servers, as [\"192.0.2.40:6379\"]"
        ),
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

    // MARK: links

    private static let listen = ", listen: [\"192.0.2.2:7443\"]"

    private func keys(_ files: (certificate: String, key: String), _ authority: TestAuthority) -> String {
        ", certificate: \"\(files.certificate)\", key: \"\(files.key)\", ca: \"\(authority.path)\""
    }

    @Test func whatIsGivenOfLinksIsTaken() throws {
        let authority = try TestAuthority()
        let keys = keys(try authority.issue("DNS:a,DNS:x"), authority)
        let plain = try load(Self.rest + ", redis: [r], listen: [\"192.0.2.2:7443\", \"[2001:db8::2]:7443\"]" + keys)
        let links = try #require(plain.fleet?.api.links)
        #expect(links.fleet == "needletail:" && links.peers.isEmpty)
        #expect(links.listen == [.init(host: "192.0.2.2", port: 7_443), .init(host: "2001:db8::2", port: 7_443)])
        #expect(links.announced.map(\.description) == ["192.0.2.2:7443", "[2001:db8::2]:7443"])
        #expect(plain.listeners.contains { $0.key == .fleetListen } && plain.certificates.count == 1)
        let hidden = try load(
            Self.rest
                + ", redis: [r], key_prefix: east, listen: [\"0.0.0.0:7443\"], announced_addresses: [\"p.example:1\"]"
                + keys)
        #expect(hidden.fleet?.api.links?.announced.map(\.description) == ["p.example:1"])
        #expect(hidden.fleet?.api.links?.fleet == "east")
    }

    @Test func eachMistakeOfLinksNamesFileLineAndKey() throws {
        let authority = try TestAuthority()
        let other = try TestAuthority()
        let (mine, theirs) = (try authority.issue("DNS:a"), try authority.issue("DNS:b"))
        let onlyServer = try authority.issue("DNS:a", usage: "serverAuth")
        let redis = ", redis: [r]"
        let mistakes: [(String, String)] = [
            (redis + ", ca: \"/no/f\"", "fleet.ca: needs fleet.listen, where the other PoPs come in"),
            (redis + Self.listen, "fleet.certificate: is missing: fleet.listen needs a PEM file"),
            (
                redis + Self.listen + ", certificate: /no/f", "fleet.key: is missing: fleet.listen needs a PEM file"
            ),
            (
                redis + Self.listen + ", certificate: /no/f, key: /no/k",
                "fleet.ca: is missing: fleet.listen needs a PEM file"
            ),
            (
                redis + Self.listen + ", certificate: /no/f, key: /no/k, ca: /no/c",
                "fleet.certificate: /no/f does not exist"
            ),
            (
                redis + Self.listen + ", certificate: \"\(mine.certificate)\", key: /no/k, ca: /no/c",
                "fleet.key: /no/k does not exist"
            ),
            (
                redis + Self.listen + ", certificate: \"\(mine.certificate)\", key: \"\(mine.key)\", ca: /no/c",
                "fleet.ca: /no/c does not exist"
            ),
            (
                redis + Self.listen
                    + ", certificate: \"\(mine.certificate)\", key: \"\(mine.key)\", ca: \"\(mine.key)\"",
                "fleet.ca: \(mine.key) holds no certificate in PEM"
            ),
            (
                redis + Self.listen
                    + ", certificate: \"\(mine.certificate)\", key: \"\(theirs.key)\", ca: \"\(authority.path)\"",
                "fleet.certificate: the key of \(theirs.key) is not that of the certificate of \(mine.certificate)"
            ),
            (
                redis + Self.listen + keys(theirs, authority),
                "fleet.certificate: \(theirs.certificate) is for b: the first DNS name of its subjectAltName must be "
                    + "fleet.name, a"
            ),
            (
                redis + Self.listen + keys(mine, other),
                "fleet.certificate: \(mine.certificate) is not taken by those who trust \(other.path): "
                    + "unable to get local issuer certificate"
            ),
            (
                redis + Self.listen + keys(onlyServer, authority),
                "fleet.certificate: \(onlyServer.certificate) is not taken by those who trust \(authority.path): "
                    + "unsuitable certificate purpose"
            ),
        ]
        expect(mistakes)
    }

    @Test func eachMistakeOfAddressesNamesFileLineAndKey() throws {
        let authority = try TestAuthority()
        let good = keys(try authority.issue("DNS:a"), authority)
        let redis = ", redis: [r]"
        let fixed =
            "fleet.peers: is not supported: a fixed list of PoPs shares no meetings; name a Redis in fleet.redis"
        expect([
            (redis + ", listen: []" + good, "fleet.listen: must name 1 to 16 addresses, as [\"192.0.2.2:7443\"]"),
            (redis + ", listen: [\"h:0\"]" + good, "fleet.listen: h:0 has no port that others could know"),
            (
                redis + ", listen: [\"[::]:7443\"]" + good,
                "fleet.listen: [::]:7443 is no address that other PoPs could reach: give them fleet.announced_addresses"
            ),
            (
                redis + Self.listen + ", announced_addresses: [\"0.0.0.0:7443\"]" + good,
                "fleet.announced_addresses: 0.0.0.0:7443 is no address that a PoP could be reached by"
            ),
            (Self.listen + good + ", peers: [\"b=h:1\"]", fixed), (redis + ", peers: []", fixed),
            (
                redis + ", listen: [\"127.0.0.1:9090\"]" + good,
                "fleet.listen: and ops.listen name the same place twice, 127.0.0.1:9090 and 127.0.0.1:9090: "
                    + "each needs a port of its own"
            ),
        ])
    }

    private func expect(_ mistakes: [(section: String, message: String)]) {
        for (section, message) in mistakes {
            let told = complaint(Self.rest + section)
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

    @Test func roundTripsOfLinksAreTold() throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let rest = #""state":"serving","load":0,"participants":0,"capacity":8,"age_s":0"#
        let text = """
            {"name":"a","registry_up":true,"pops":[{"name":"a",\(rest)},{"name":"b","linked":true,"rtt_ms":12.345,\(rest)},
             {"name":"c","linked":true,\(rest)},{"name":"d","linked":false,\(rest)}]}
            """
        let fleet = try decoder.decode(FleetAnswer.self, from: Data(text.utf8))
        let links = fleet.lines.map { $0.split(separator: "  ").last.map { $0.drop { $0 == " " } } }
        #expect(links.prefix(5) == ["LINK", "-", "12.3 ms", "open", "none"])
    }

    @Test func trunksAreToldAsATable() throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let rest = #""state":"serving","load":0,"participants":0,"capacity":8,"age_s":0"#
        let trunk = """
            {"open":true,"lanes":2,"tracks_in":5,"tracks_out":3,"sent_packets":100,"sent_bytes":9,"received_packets":397,
            "missing_packets":8,"repaired_packets":5,"rtt_ms":81.56}
            """
        let closed = """
            {"open":false,"lanes":0,"tracks_in":0,"tracks_out":0,"sent_packets":0,"sent_bytes":0,"received_packets":0,
            "missing_packets":0,"repaired_packets":0}
            """
        let text = """
            {"name":"a","registry_up":true,"pops":[{"name":"a",\(rest)},{"name":"b","trunk":\(trunk),\(rest)},
             {"name":"c","trunk":\(closed),\(rest)},{"name":"d",\(rest)}]}
            """
        let fleet = try decoder.decode(FleetAnswer.self, from: Data(text.utf8))
        #expect(
            fleet.lines.suffix(4) == [
                "TRUNK  STATE   SENT  RECEIVED  LOSS   UNREPAIRED  RTT      LANES  TRACKS",
                "b      open    100   397       2.00%  3           81.6 ms  2      5 in, 3 out",
                "c      closed  0     0         0.00%  0           -        0      0 in, 0 out",
                "the registry is up",
            ])
    }

    @Test func theCheckSaysWhetherTheCertificateIsValidNow() throws {
        let authority = try TestAuthority()
        let certificate = keys(try authority.issue("DNS:a", until: 1_700_000_000), authority)
        let configuration = try load(Self.rest + ", redis: [r]" + Self.listen + certificate)
        func finding(at seconds: Int64) -> [MachineCheck.Finding] {
            CertificateCheck.findings(configuration, at: Timestamp(milliseconds: seconds * 1_000))
        }
        let good = finding(at: 1_699_999_999)
        #expect(good.map(\.line) == ["ok       fleet certificate: valid until 2023-11-14T22:13:20Z"])
        let expired = finding(at: 1_700_000_001)
        #expect(
            expired.map(\.line) == [
                "error    fleet certificate: expired at 2023-11-14T22:13:20Z: renew fleet.certificate, it is read again by "
                    + "itself"
            ])
        let early = finding(at: 1_500_000_000)
        #expect(early.map(\.severity) == [.error] && early[0].text.contains("not valid before"))
    }
}
