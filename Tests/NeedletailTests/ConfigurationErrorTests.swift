import Foundation
import Testing

@testable import needletail

/// One wrong configuration after the other, each with the one line that its writer gets.
struct ConfigurationErrorTests {
    private static let secret = String(repeating: "s", count: 32)
    private static let port = "port: {device: net_null0, addresses: [\"192.0.2.2/24\"]}\n"

    @Test(arguments: [
        ("pop: {id: 0}", ":2: pop.id: must be a whole number from 1 to 65535"),
        ("pop: {region: \"\"}", ":2: pop.region: must have 1 to 64 characters"),
        ("pop: {latitude: 91, longitude: 0}", ":2: pop.latitude: must be a number from -90.0 to 90.0"),
        ("pop: {latitude: north, longitude: 0}", ":2: pop.latitude: must be a number"),
        ("pop: {latitude: 50.1}", ":2: pop.latitude: needs pop.longitude"),
        ("pop: {longitude: 8}", ":2: pop.longitude: needs pop.latitude"),
        ("workers: {cores: [0, 0]}", ":2: workers.cores: names a core twice"),
        ("memory: {hugepages: yes please}", ":2: memory.hugepages: must be one of auto, required, never"),
        ("memory: {megabytes: 1}", ":2: memory.megabytes: must be a whole number from 64 to 1048576"),
        ("media: {retransmission_ms: -1}", ":2: media.retransmission_ms: must be a whole number from 0 to 5000"),
        ("media: {announced_addresses: [a.b.c.d]}", ":2: media.announced_addresses: a.b.c.d is not an IP address"),
        ("api: {listen: \"localhost\"}", ":2: api.listen: must be host:port, as 127.0.0.1:8080 or [::]:8080"),
        ("api: {certificate: /a.pem}", ":2: api.certificate: needs api.key, the file of its private key"),
        ("api: {key: /a.pem}", ":2: api.key: needs api.certificate, the file of its certificate"),
        ("api: {certificate: /no/a.pem, key: /no/b.pem}", ":2: api.certificate: /no/a.pem does not exist"),
        ("ops: {listen: \"127.0.0.1:99999\"}", ":2: ops.listen: must be host:port, as 127.0.0.1:8080 or [::]:8080"),
        (
            "auth: {keys: [\"one:too short\"]}",
            ":2: auth.keys: each must be id:secret with a secret of at least 32 characters"
        ),
        ("drain: {deadline_s: 100000}", ":2: drain.deadline_s: must be a whole number from 0 to 86400"),
        ("drain: {deadline: 5}", ":2: drain.deadline: unknown key; is drain.deadline_s meant?"),
        ("admission: {busy_ratio: 1.5}", ":2: admission.busy_ratio: must be a number from 0.05 to 1.0"),
        ("admission: {busy_ratio: 85%}", ":2: admission.busy_ratio: must be a number"),
        ("admission: {window_s: 1}", ":2: admission.window_s: must be a whole number from 2 to 600"),
        ("log: {format: xml}", ":2: log.format: must be one of text, json"),
        ("log: {level: 3}", ":2: log.level: must be one of trace, debug, info, notice, warning, error, critical"),
        (
            "api: {public_url: meet.example.org}",
            ":2: api.public_url: must be a scheme and a host, as https://meet.example.org"
        ),
        (
            "api: {signaling_url: \"https://a/b\"}",
            ":2: api.signaling_url: must be a scheme and a host, as https://meet.example.org"
        ),
        ("api: {joins: {burst: 0}}", ":2: api.joins.burst: must be a whole number from 1 to 1000000"),
        ("api: {joins: {rate: 0}}", ":2: api.joins.rate: must be a number from 0.01 to 1000000.0"),
        ("api: {joins: {rate: fast}}", ":2: api.joins.rate: must be a number"),
        ("api: {joins: 5}", ":2: api.joins: unknown key; is api.joins.burst meant?"),
        (
            "api: {trusted_proxies: [\"10.0.0.0/33\"]}",
            ":2: api.trusted_proxies: 10.0.0.0/33 is not an address or a prefix, as 10.0.0.0/8 or fd00::/8"
        ),
        ("api: {trusted_proxies: 10.0.0.1}", ":2: api.trusted_proxies: must be a list"),
        (
            "api: {allowed_origins: [portal.example.org]}",
            ":2: api.allowed_origins: portal.example.org is not an origin, as https://portal.example.org"
        ),
        (
            "api: {allowed_origins: [\"*\"]}",
            ":2: api.allowed_origins: * is not an origin, as https://portal.example.org"
        ),
        ("api: {web_folder: /nowhere}", ":2: api.web_folder: /nowhere holds no index.html that can be read"),
        (
            "api: {listen: \"[::]:80\"}\nops: {listen: \"[::]:80\"}",
            ":3: ops.listen: and api.listen name the same place twice, [::]:80 and [::]:80: each needs a port of its own"
        ),
        (
            "auth: {keys: [\"one:\(Self.secret)\", \"one:\(Self.secret)\"]}", ":2: auth.keys: names one twice"
        ),
        ("ops: [1]", ":2: ops: unknown key; is ops.listen meant?"),
    ])
    func eachMistakeIsOneLineWithItsPlace(text: String, message: String) async {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        do {
            try (Self.port + text).write(toFile: path, atomically: true, encoding: .utf8)
            _ = try NodeConfiguration(ConfigurationFile(path: path))
            Issue.record("accepted: \(text)")
        } catch {
            #expect("\(error)".replacing(path, with: "") == message)
        }
    }

    @Test func whatANodeSaysOfItselfIsRead() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let text = """
            pop: {id: 9, region: eu-central, latitude: 50, longitude: -8.5}
            admission: {busy_ratio: 1, window_s: 30}
            drain: {deadline_s: 7}
            log: {format: json}

            """
        try (Self.port + text).write(toFile: path, atomically: true, encoding: .utf8)
        let configuration = try NodeConfiguration(ConfigurationFile(path: path))
        #expect(configuration.api.identity.pop == 9)
        #expect(configuration.api.identity.region == "eu-central")
        #expect(configuration.api.identity.coordinates == .init(latitude: 50, longitude: -8.5))
        #expect(configuration.api.admission.busyRatio == 1)
        #expect(configuration.api.admission.window == .seconds(30))
        #expect(configuration.api.drainTime == .seconds(7))
        #expect(configuration.logsJSON)
    }
}
