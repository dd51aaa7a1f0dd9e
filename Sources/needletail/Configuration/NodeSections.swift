import Api
import Dataplane
import Foundation
import Wire

/// What the node says of itself, when it refuses newcomers, and how it speaks TLS.
extension NodeConfiguration {
    static func identity(_ file: ConfigurationFile, pop: UInt16) throws -> NodeIdentity {
        var identity = NodeIdentity(pop: Int(pop), region: file.text(.popRegion))
        if let region = identity.region, region.isEmpty || region.count > 64 {
            throw file.error(.popRegion, "must have 1 to 64 characters")
        }
        let latitude = try file.number(.popLatitude, in: -90...90)
        let longitude = try file.number(.popLongitude, in: -180...180)
        switch (latitude, longitude) {
        case (nil, nil): break
        case (let latitude?, let longitude?):
            identity.coordinates = .init(latitude: latitude, longitude: longitude)
        case (_, nil): throw file.error(.popLatitude, "needs pop.longitude")
        case (nil, _): throw file.error(.popLongitude, "needs pop.latitude")
        }
        return identity
    }

    /// Where meetings last.
    static func storePath(_ file: ConfigurationFile, isInFleet: Bool) throws -> String? {
        guard let path = file.text(.storePath) else { return nil }
        guard !path.isEmpty, !path.hasSuffix("/"), !path.utf8.contains(0) else {
            throw file.error(.storePath, "must name a file, as /var/lib/needletail/store/meetings.db")
        }
        // The others take a meeting over when this PoP is lost: what its file says then is not what became of it.
        guard !isInFleet else { throw file.error(.storePath, "is for a PoP alone: not beside a fleet section") }
        return path
    }

    /// What clients reach a listener by; paths are ours.
    static func url(_ file: ConfigurationFile, _ key: ConfigurationKey) throws -> String? {
        guard let text = file.text(key) else { return nil }
        guard text.wholeMatch(of: /https?:\/\/[^\s\/?#]+\/?/) != nil else {
            throw file.error(key, "must be a scheme and a host, as https://meet.example.org")
        }
        return text
    }

    /// How often one address may join.
    static func joins(_ file: ConfigurationFile) throws -> ApiConfiguration.RateLimit {
        var limit = ApiConfiguration.RateLimit()
        limit.burst = try file.integer(.apiJoinBurst, in: 1...1_000_000, default: limit.burst)
        limit.perSecond = try file.number(.apiJoinRate, in: 0.01...1_000_000) ?? limit.perSecond
        return limit
    }

    /// Addresses, alone or the first so many bits of them.
    static func prefixes(
        _ file: ConfigurationFile, _ key: ConfigurationKey
    ) throws -> [(network: IPAddress, length: Int)] {
        try (file.texts(key) ?? []).map { text in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard let network = IPAddress(parts[0]), parts.count <= 2,
                let length = parts.count == 1 ? (network.isV4 ? 32 : 128) : Int(parts[1]),
                (0...(network.isV4 ? 32 : 128)).contains(length)
            else { throw file.error(key, "\(text) is not an address or a prefix, as 10.0.0.0/8 or fd00::/8") }
            return (network, length)
        }
    }

    /// As browsers write them: a scheme, a host, and a port unless it goes without saying.
    static func origins(_ file: ConfigurationFile) throws -> [String] {
        try (file.texts(.apiAllowedOrigins) ?? []).map { text in
            guard text.wholeMatch(of: /[a-z][a-z0-9+.\-]*:\/\/[^\s\/?#*]+/) != nil else {
                throw file.error(.apiAllowedOrigins, "\(text) is not an origin, as https://portal.example.org")
            }
            return text
        }
    }

    static func webFolder(_ file: ConfigurationFile) throws -> String? {
        guard let folder = file.text(.apiWebFolder) else { return nil }
        guard FileManager.default.isReadableFile(atPath: folder + "/index.html") else {
            throw file.error(.apiWebFolder, "\(folder) holds no index.html that can be read")
        }
        return folder
    }

    static func admission(_ file: ConfigurationFile) throws -> AdmissionPolicy {
        var policy = AdmissionPolicy()
        policy.busyRatio = try file.number(.admissionBusyRatio, in: 0.05...1) ?? policy.busyRatio
        policy.window = .seconds(try file.integer(.admissionWindow, in: 2...600, default: 20))
        return policy
    }

    static func certificates(_ file: ConfigurationFile) throws -> CertificateStore? {
        switch (file.text(.apiCertificate), file.text(.apiKey)) {
        case (nil, nil): return nil
        case (let certificate?, let key?):
            do {
                return try CertificateStore(certificate: certificate, key: key)
            } catch {
                throw file.error(.apiCertificate, "\(error)")
            }
        case (_, nil): throw file.error(.apiCertificate, "needs api.key, the file of its private key")
        case (nil, _): throw file.error(.apiKey, "needs api.certificate, the file of its certificate")
        }
    }
}

/// What workers do when they find nothing, by the kind of port.
struct IdleChoice: Equatable {
    var ofKernelPorts: IdlePolicy
    var ofNICs: IdlePolicy
}
