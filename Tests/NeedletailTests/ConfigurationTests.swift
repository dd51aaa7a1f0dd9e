import Api
import Dataplane
import Foundation
import Testing

@testable import needletail

/// What the configuration accepts, and the one line that each mistake gets.
struct ConfigurationTests {
    private static let minimal = """
        port:
          device: net_null0
          addresses: ["192.0.2.2/24"]
        """

    private func load(_ text: String) async throws -> NodeConfiguration {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml").path
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try NodeConfiguration(ConfigurationFile(path: path))
    }

    private func complaint(_ text: String) async -> String {
        do {
            _ = try await load(text)
            return "accepted"
        } catch {
            // Without the file's folder.
            return "\(error)".replacing(/^.*\.yaml/, with: "")
        }
    }

    @Test func defaultsAreEnoughBesideThePort() async throws {
        let configuration = try await load(Self.minimal)
        #expect(configuration.mediaPort == 3_478)
        #expect(configuration.cores == [0])
        #expect(configuration.announced.map(\.description) == ["192.0.2.2"])
        #expect(configuration.profiles.first == .aeadAes128Gcm)
        #expect(configuration.api.mediaServer == "192.0.2.2:3478")
    }

    @Test func idlingFollowsThePortUnlessToldOtherwise() async throws {
        let usual = try await load(Self.minimal)
        #expect(usual.idle == IdleChoice(ofKernelPorts: IdlePolicy(), ofNICs: .poll))
        let chosen = IdlePolicy(pauseAfter: 5, sleepAfter: 9, longestSleep: 70)
        let keys = "pause_after: 5, sleep_after: 9, longest_sleep_us: 70"
        let auto = try await load(Self.minimal + "\nworkers: {\(keys)}")
        #expect(auto.idle == IdleChoice(ofKernelPorts: chosen, ofNICs: .poll))
        let adaptive = try await load(Self.minimal + "\nworkers: {idle: adaptive, \(keys)}")
        #expect(adaptive.idle == IdleChoice(ofKernelPorts: chosen, ofNICs: chosen))
        let poll = try await load(Self.minimal + "\nworkers: {idle: poll}")
        #expect(poll.idle == IdleChoice(ofKernelPorts: .poll, ofNICs: .poll))
    }

    @Test func joinsProxiesAndOriginsAreTaken() async throws {
        let usual = try await load(Self.minimal)
        #expect(usual.api.rateLimit == .init(burst: 200, perSecond: 20))
        #expect(usual.api.trustedProxies == TrustedProxies() && usual.api.allowedOrigins == [])
        let chosen = try await load(
            Self.minimal + """

                api:
                  joins: {burst: 7, rate: 3}
                  trusted_proxies: ["192.0.2.10", "2001:db8::/48"]
                  allowed_origins: ["https://portal.example.org", "http://localhost:3000"]
                """)
        #expect(chosen.api.rateLimit == .init(burst: 7, perSecond: 3))
        let prefixes = chosen.api.trustedProxies.prefixes
        #expect(prefixes.map(\.address.description) == ["192.0.2.10", "2001:db8::"])
        #expect(prefixes.map(\.length) == [32, 48])
        #expect(chosen.api.allowedOrigins == ["https://portal.example.org", "http://localhost:3000"])
    }

    @Test func theCommentedExampleHoldsEveryKeyAndIsAccepted() async throws {
        let example = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../appliance/needletail.yaml").standardizedFileURL
        let text = try String(contentsOf: example, encoding: .utf8)
        _ = try await load(text)
        for key in ConfigurationKey.allCases {
            let name = key.rawValue.split(separator: ".").last!
            #expect(text.contains("\(name):"), "\(key.rawValue) is not explained")
        }
        for key in WebhookKey.allCases {
            #expect(text.contains("\(key.rawValue):"), "webhooks.endpoints.\(key.rawValue) is not explained")
        }
    }

    @Test(arguments: [
        (
            "port: {device: net_null0, addresses: [\"192.0.2.2/24\"], mtuu: 9}",
            ":1: port.mtuu: unknown key; is port.mtu meant?"
        ),
        ("\nworker:\n  cores: [0]", ":2: worker: unknown key; is workers.cores meant?"),
        ("nonsense: 1", ":1: nonsense: unknown key"),
        ("port: [1, 2]", ":1: port: unknown key; is port.device meant?"),
        ("- a", ": not a mapping of keys to values"),
        ("port: {device: [1]}", ":1: port.device: must be text"),
        ("port:\n  udp_port: many", ":2: port.udp_port: must be a whole number"),
        ("workers: {cores: [a]}", ":1: workers.cores: must be a list of whole numbers"),
        ("workers: {cores: 0}", ":1: workers.cores: must be a list of whole numbers"),
        ("workers: {idle: lazy}", ":1: workers.idle: must be one of auto, adaptive, poll"),
        (
            "media: {srtp_profiles: [NULL_CIPHER]}",
            ":1: media.srtp_profiles: must be a list of AEAD_AES_128_GCM, AEAD_AES_256_GCM, AES128_CM_SHA1_80"
        ),
        ("log: {level: loud}", ":1: log.level: must be one of trace, debug, info, notice, warning, error, critical"),
    ])
    func wrongKeysAndShapesNameKeyAndLine(text: String, message: String) async {
        #expect(await complaint(text) == message)
    }

    @Test(arguments: [
        ("pop: {id: 70000}", ":4: pop.id: must be a whole number from 1 to 65535"),
        ("workers: {cores: []}", ":4: workers.cores: must name 1 to 16 cores"),
        (
            "workers: {cores: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]}",
            ":4: workers.cores: must name 1 to 16 cores"
        ),
        ("workers: {cores: [1, 1]}", ":4: workers.cores: names a core twice"),
        ("workers: {cores: [5000]}", ":4: workers.cores: must name cores from 0 to 1023"),
        ("api: {listen: \"8080\"}", ":4: api.listen: must be host:port, as 127.0.0.1:8080 or [::]:8080"),
        ("api: {listen: \":8080\"}", ":4: api.listen: must name a host, as 0.0.0.0:8080"),
        (
            "auth: {keys: [\"ops:short\"]}",
            ":4: auth.keys: each must be id:secret with a secret of at least 32 characters"
        ),
        ("media: {announced_addresses: [here]}", ":4: media.announced_addresses: here is not an IP address"),
        ("media: {video_codecs: []}", ":4: media.video_codecs: must name at least one"),
        ("capacity: {sessions: 0}", ":4: capacity.sessions: must be a whole number from 2 to 1000000"),
    ])
    func wrongValuesNameKeyAndLine(addition: String, message: String) async {
        #expect(await complaint(Self.minimal + "\n" + addition) == message)
    }

    @Test func aPortNeedsADeviceAndAddresses() async {
        #expect(await complaint("").contains("port.device: is missing"))
        #expect(await complaint("port: {device: net_null0}").contains("port.addresses: is missing"))
        #expect(
            await complaint("port: {device: net_null0, addresses: [\"192.0.2.2\"]}")
                == ":1: port.addresses: 192.0.2.2 is not an address with a prefix length, as 192.0.2.2/24")
        for (addresses, mistake) in [
            ("\"127.0.0.1/8\"", "127.0.0.1/8 is no address that others can send to"),
            ("\"::/0\"", "::/0 is no address that others can send to"),
            ("\"192.0.2.2/24\", \"192.0.2.2/25\"", "names 192.0.2.2 twice"),
        ] {
            #expect(
                await complaint("port: {device: net_null0, addresses: [\(addresses)]}")
                    == ":1: port.addresses: \(mistake)")
        }
        #expect(
            await complaint("port: {device: net_null0, addresses: [\"192.0.2.2/24\"], gateway: [192.0.2.2]}")
                == ":1: port.gateway: 192.0.2.2 is in port.addresses: name the router's address")
    }

    @Test func aFileThatIsNotThereIsOneLine() async {
        #expect(throws: ConfigurationError.self) { try ConfigurationFile(path: "/nowhere.yaml") }
    }

    @Test func processorListsAreReadAsTheKernelWritesThem() {
        #expect(MachineCheck.processors("0-3,8") == [0, 1, 2, 3, 8])
        #expect(MachineCheck.processors("").isEmpty)
        #expect(MachineCheck.processors("3-1,x").isEmpty)
    }
}
