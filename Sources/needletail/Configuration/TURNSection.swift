import Agents
import Api
import Conference
import Dataplane
import Foundation
import Wire

/// The `turn` section, checked.
struct TURNSection {
    /// What the control side needs.
    var control: TURNConfiguration
    /// Those that were given; without any, the one made on start is good for this process.
    var secrets: [String]
    /// What the workers need.
    var relay: RelayConfiguration

    /// Nil when the section says that there is no relay.
    ///
    /// - Parameters:
    ///   - own: the port's own addresses.
    ///   - announced: what clients are told to send media to.
    init?(_ file: ConfigurationFile, own: [IPAddress], announced: [IPAddress], mediaPort: UInt16) throws {
        guard file.text(.turnEnabled) != "no" else { return nil }
        secrets = try Self.secrets(file)
        control = TURNConfiguration(secrets: TURNSecrets(secrets.isEmpty ? [Self.freshSecret()] : secrets))
        control.users = try Self.users(file)
        control.limits = try Self.limits(file)
        control.credentialLifetime = Int64(try file.integer(.turnLifetime, in: 60...31_536_000, default: 86_400))
        if let realm = file.text(.turnRealm) {
            guard (1...127).contains(realm.utf8.count), !realm.contains(where: { $0 == "\"" || $0 == ":" }) else {
                throw file.error(.turnRealm, "must have 1 to 127 bytes, without a quote or a colon")
            }
            control.realm = realm
        }
        control.tcp = try Self.listeners(file, .turnTCP)
        control.tls = try Self.listeners(file, .turnTLS)
        control.certificates = try Self.certificates(file, isNeeded: !control.tls.isEmpty)
        relay = try Self.relay(file, realm: control.realm, own: own, announced: announced, mediaPort: mediaPort)
        control.channelNumbers = relay.channelNumbers
        control.urls = Self.urls(
            host: file.text(.turnHost), announced: announced, udp: relay.alternatePorts, tcp: control.tcp,
            tls: control.tls)
    }

    private static func secrets(_ file: ConfigurationFile) throws -> [String] {
        let secrets = file.texts(.turnSecrets) ?? []
        guard secrets.allSatisfy({ $0.utf8.count >= 16 }) else {
            throw file.error(.turnSecrets, "each must have at least 16 characters")
        }
        return secrets
    }

    private static func freshSecret() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<4).map { _ in String(generator.next(), radix: 36) }.joined()
    }

    private static func users(_ file: ConfigurationFile) throws -> [String: String] {
        var users: [String: String] = [:]
        for text in file.texts(.turnUsers) ?? [] {
            let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2, parts[0].utf8.count <= 508, parts[1].utf8.count >= 8 else {
                throw file.error(.turnUsers, "each must be name:password with a password of at least 8 characters")
            }
            guard users.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw file.error(.turnUsers, "names \(parts[0]) twice")
            }
        }
        return users
    }

    private static func limits(_ file: ConfigurationFile) throws -> AllocationLimits {
        var limits = AllocationLimits()
        limits.allocations = try file.integer(.turnAllocations, in: 1...1_000_000, default: limits.allocations)
        limits.allocationsPerUser = try file.integer(
            .turnUserAllocations, in: 1...1_000_000, default: limits.allocationsPerUser)
        limits.allocationsPerAddress = try file.integer(
            .turnAddressAllocations, in: 1...1_000_000, default: limits.allocationsPerAddress)
        let bits = try file.integer(.turnBandwidth, in: 8_000...100_000_000_000, default: 20_000_000)
        limits.bandwidth = UInt64(bits / 8)
        limits.streams = try file.integer(.turnConnections, in: 1...1_000_000, default: limits.streams)
        limits.streamsPerAddress = try file.integer(
            .turnAddressConnections, in: 1...1_000_000, default: limits.streamsPerAddress)
        return limits
    }

    private static func listeners(_ file: ConfigurationFile, _ key: ConfigurationKey) throws -> [ApiConfiguration
        .Listen]
    {
        try (file.texts(key) ?? []).map { try ListenRules.listen($0, of: key, in: file) }
    }

    private static func certificates(_ file: ConfigurationFile, isNeeded: Bool) throws -> CertificateStore? {
        guard isNeeded else { return nil }
        func path(_ key: ConfigurationKey) throws -> String {
            guard let path = file.text(key), !path.isEmpty else {
                throw file.error(key, "is missing: turn.tls_listen needs a PEM file")
            }
            return path
        }
        let (certificate, key) = (try path(.turnCertificate), try path(.turnPrivateKey))
        do {
            return try CertificateStore(certificate: certificate, key: key)
        } catch {
            throw file.error(.turnCertificate, "\(error)")
        }
    }

    private static func relay(
        _ file: ConfigurationFile, realm: String, own: [IPAddress], announced: [IPAddress], mediaPort: UInt16
    ) throws -> RelayConfiguration {
        func random() -> UInt64 { UInt64.random(in: 0 ... .max) }
        let alternates = try alternatePorts(file, mediaPort: mediaPort)
        let ports = try relayPorts(file)
        if let inside = ([mediaPort] + alternates).first(where: ports.contains) {
            throw file.error(.turnRelayPorts, "holds \(inside), which listens")
        }
        let addresses = try relayAddresses(file, own: own)
        func address(isV4: Bool) -> RelayConfiguration.RelayAddress? {
            if let chosen = addresses { return chosen.first { $0.isV4 == isV4 }.map { .init(local: $0) } }
            return own.first { $0.isV4 == isV4 }.map { local in
                .init(local: local, announced: announced.first { $0.isV4 == isV4 })
            }
        }
        var limits = RelayLimits()
        limits.peerRate = try file.integer(.turnPeerRate, in: 1...100_000, default: limits.peerRate)
        return RelayConfiguration(
            realm: realm, secret: (random(), random(), random(), random()), alternatePorts: alternates,
            v4: address(isV4: true), v6: address(isV4: false), ports: ports,
            announced: announced.filter { !own.contains($0) }, refusedPeers: try prefixes(file, .turnDeny),
            allowedPeers: try prefixes(file, .turnAllow),
            channelNumbers: file.text(.turnFormerChannels) == "yes" ? ChannelData.formerNumbers : ChannelData.numbers,
            limits: limits)
    }

    private static func relayPorts(_ file: ConfigurationFile) throws -> ClosedRange<UInt16> {
        guard let text = file.text(.turnRelayPorts) else { return 49_152...65_535 }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).compactMap { UInt16($0) }
        guard ends.count == 2, ends[0] >= 1_024, ends[0] < ends[1] else {
            throw file.error(.turnRelayPorts, "must be FIRST-LAST from 1024 to 65535, as 49152-65535")
        }
        return ends[0]...ends[1]
    }

    /// 443 by default, which firewalls let pass for QUIC.
    private static func alternatePorts(_ file: ConfigurationFile, mediaPort: UInt16) throws -> [UInt16] {
        guard let numbers = file.integers(.turnAlternatePorts) else { return mediaPort == 443 ? [] : [443] }
        let ports = numbers.compactMap { UInt16(exactly: $0) }.filter { $0 > 0 }
        guard ports.count == numbers.count, ports.count <= 4 else {
            throw file.error(.turnAlternatePorts, "must name at most 4 ports from 1 to 65535")
        }
        guard Set(ports + [mediaPort]).count == ports.count + 1 else {
            throw file.error(.turnAlternatePorts, "names a port twice, or port.udp_port")
        }
        return ports
    }

    private static func relayAddresses(_ file: ConfigurationFile, own: [IPAddress]) throws -> [IPAddress]? {
        guard let texts = file.texts(.turnRelayAddresses) else { return nil }
        let addresses = try texts.map { text in
            guard let address = IPAddress(text), own.contains(address) else {
                throw file.error(.turnRelayAddresses, "\(text) is not one of port.addresses")
            }
            return address
        }
        let v4 = addresses.count(where: \.isV4)
        guard !addresses.isEmpty, v4 <= 1, addresses.count - v4 <= 1 else {
            throw file.error(.turnRelayAddresses, "must be one IPv4 address, one IPv6 address, or one of each")
        }
        return addresses
    }

    private static func prefixes(_ file: ConfigurationFile, _ key: ConfigurationKey) throws -> [RelayConfiguration
        .Prefix]
    {
        try NodeConfiguration.prefixes(file, key).map { .init(address: $0.network, length: $0.length) }
    }

    /// RFC 7065 forms of what listens, UDP first.
    ///
    /// The media port serves TURN too, and is not named: who reaches it needs no relay, and libwebrtc takes whatever comes
    /// from a server of its list for that server's answer, so that our candidate at the same address would never work.
    private static func urls(
        host: String?, announced: [IPAddress], udp: [UInt16], tcp: [ApiConfiguration.Listen],
        tls: [ApiConfiguration.Listen]
    ) -> [String] {
        func hosts(_ listen: ApiConfiguration.Listen?) -> [String] {
            if let host { return [host] }
            guard let listen, !["0.0.0.0", "::", "*"].contains(listen.host) else { return announced.map(bracketed) }
            return [IPAddress(listen.host).map(bracketed) ?? listen.host]
        }
        func bracketed(_ address: IPAddress) -> String { address.isV4 ? "\(address)" : "[\(address)]" }
        var urls: [String] = []
        for port in udp { urls += hosts(nil).map { "turn:\($0):\(port)?transport=udp" } }
        for listen in tcp { urls += hosts(listen).map { "turn:\($0):\(listen.port)?transport=tcp" } }
        for listen in tls { urls += hosts(listen).map { "turns:\($0):\(listen.port)?transport=tcp" } }
        var seen: Set<String> = []
        return urls.filter { seen.insert($0).inserted }
    }
}
