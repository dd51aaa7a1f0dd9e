import Api
import Fleet
import Foundation
import Redis
import Wire

/// The `fleet` section, checked.
struct FleetSection {
    /// What the API needs.
    var api: FleetConfiguration
    /// Where the Registry is.
    var redis: RedisConfiguration

    private static let keys: [ConfigurationKey] =
        [.fleetName, .fleetSignalingURL, .fleetKeyPrefix, .fleetListen] + linkKeys + [.fleetPeers, .fleetRedis]
        + redisKeys
    private static let redisKeys: [ConfigurationKey] = [
        .fleetRedisUser, .fleetRedisPassword, .fleetRedisPasswordFile, .fleetRedisTLS, .fleetRedisCA,
        .fleetRedisServerName, .fleetRedisCertificate, .fleetRedisKey,
    ]
    private static let mostServers = 16

    /// Nil without the section.
    ///
    /// - Parameters:
    ///   - media: where clients send media to.
    ///   - port: of it.
    init?(_ file: ConfigurationFile, media: [IPAddress], port: UInt16) throws {
        guard let first = Self.keys.first(where: file.has) else { return nil }
        guard let text = file.text(.fleetName) else {
            throw file.error(first, "needs fleet.name, a name that no other PoP of the fleet has")
        }
        guard let name = PoPName(text) else {
            throw file.error(.fleetName, "must have 1 to 64 of the characters A-Z a-z 0-9 - _ .")
        }
        let key: ConfigurationKey = file.has(.fleetSignalingURL) ? .fleetSignalingURL : .apiSignalingURL
        guard let url = try NodeConfiguration.url(file, key) else {
            throw file.error(
                .fleetName,
                "needs fleet.signaling_url (or api.signaling_url): what clients reach this PoP alone by, as "
                    + "https://pop1.example.org")
        }
        guard FleetConfiguration.isUsable(url) else {
            throw file.error(
                key, "must be a scheme, a host and perhaps a port, without a user, as https://pop1.example.org")
        }
        if let region = file.text(.popRegion), region.utf8.count > 64 {
            throw file.error(.popRegion, "must have at most 64 bytes in a fleet")
        }
        let prefix = file.text(.fleetKeyPrefix) ?? "needletail:"
        guard prefix.wholeMatch(of: /[A-Za-z0-9_.:\-]{1,64}/) != nil else {
            throw file.error(.fleetKeyPrefix, "must have 1 to 64 of the characters A-Z a-z 0-9 - _ . :")
        }
        redis = try Self.redis(file, prefix: prefix)
        api = FleetConfiguration(
            name: name, url: url,
            mediaAddresses: media.prefix(16).map { Endpoint(address: $0, port: port).description },
            links: try Self.links(file, name: name, fleet: prefix))
    }

    private static func redis(_ file: ConfigurationFile, prefix: String) throws -> RedisConfiguration {
        // Links alone tell neither where a meeting is, nor where the others receive media.
        if file.has(.fleetPeers) {
            throw file.error(
                .fleetPeers, "is not supported: a fixed list of PoPs shares no meetings; name a Redis in fleet.redis")
        }
        guard let texts = file.texts(.fleetRedis), !texts.isEmpty else {
            throw file.error(.fleetRedis, "is missing: name the servers, as [\"192.0.2.40:6379\"]")
        }
        guard texts.count <= mostServers else { throw file.error(.fleetRedis, "has more than \(mostServers) servers") }
        var addresses: [RedisAddress] = []
        for text in texts {
            let address = try address(text, file)
            guard !addresses.contains(address) else { throw file.error(.fleetRedis, "names \(text) twice") }
            addresses.append(address)
        }
        let password = try password(file)
        if password == nil, file.has(.fleetRedisUser) {
            throw file.error(.fleetRedisUser, "needs fleet.redis_password or fleet.redis_password_file")
        }
        return RedisConfiguration(
            addresses: addresses, tls: try tls(file, hosts: addresses.map(\.host)), user: file.text(.fleetRedisUser),
            password: password, prefix: prefix)
    }

    /// A host with or without a port.
    private static func address(_ text: String, _ file: ConfigurationFile) throws -> RedisAddress {
        let hasPort = text.wholeMatch(of: /(\[[^\]]*\]|[^:]*):[0-9]+/) != nil
        let isBareV6 = !text.hasPrefix("[") && IPAddress(text).map { !$0.isV4 } == true
        let full = hasPort ? text : isBareV6 ? "[\(text)]:6379" : "\(text):6379"
        let listen = try ListenRules.listen(full, of: .fleetRedis, in: file)
        guard listen.port > 0 else { throw file.error(.fleetRedis, "\(text) has no port that a server has") }
        return RedisAddress(host: listen.host, port: UInt16(listen.port))
    }

    private static func password(_ file: ConfigurationFile) throws -> String? {
        guard let path = file.text(.fleetRedisPasswordFile) else {
            if file.text(.fleetRedisPassword)?.isEmpty == true { throw file.error(.fleetRedisPassword, "is empty") }
            return file.text(.fleetRedisPassword)
        }
        guard !file.has(.fleetRedisPassword) else {
            throw file.error(.fleetRedisPasswordFile, "is there beside fleet.redis_password: give one of them")
        }
        let bytes = try read(path, .fleetRedisPasswordFile, file)
        guard let line = String(validating: bytes.prefix { $0 != 0x0a && $0 != 0x0d }, as: UTF8.self), !line.isEmpty
        else { throw file.error(.fleetRedisPasswordFile, "\(path) has no password in its first line") }
        return line
    }

    // MARK: TLS

    private static func tls(_ file: ConfigurationFile, hosts: [String]) throws -> RedisTLS? {
        guard file.text(.fleetRedisTLS) == "yes" else {
            let others: [ConfigurationKey] = [
                .fleetRedisCA, .fleetRedisServerName, .fleetRedisCertificate, .fleetRedisKey,
            ]
            if let key = others.first(where: file.has) { throw file.error(key, "needs fleet.redis_tls: yes") }
            return nil
        }
        var tls = RedisTLS()
        tls.serverName = file.text(.fleetRedisServerName)
        try check(tls, .fleetRedisServerName, hosts, file)
        tls.authorities = try file.text(.fleetRedisCA).map { try read($0, .fleetRedisCA, file) }
        try check(tls, .fleetRedisCA, hosts, file)
        switch (file.text(.fleetRedisCertificate), file.text(.fleetRedisKey)) {
        case (nil, nil): break
        case (let certificate?, let key?):
            tls.identity = .init(
                certificates: try read(certificate, .fleetRedisCertificate, file),
                key: try read(key, .fleetRedisKey, file))
        case (_, nil): throw file.error(.fleetRedisCertificate, "needs fleet.redis_key, the file of its private key")
        case (nil, _): throw file.error(.fleetRedisKey, "needs fleet.redis_certificate, the file of its certificate")
        }
        try check(tls, .fleetRedisCertificate, hosts, file)
        return tls
    }

    private static func check(
        _ tls: RedisTLS, _ key: ConfigurationKey, _ hosts: [String], _ file: ConfigurationFile
    ) throws {
        for host in hosts {
            if let fault = tls.fault(for: host) { throw file.error(key, fault) }
        }
    }

    private static func read(_ path: String, _ key: ConfigurationKey, _ file: ConfigurationFile) throws -> [UInt8] {
        do {
            return try RegularFile.read(path)
        } catch {
            throw file.error(key, "\(path) \(error)")
        }
    }
}
