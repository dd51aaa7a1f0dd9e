import Api
import Fleet
import Foundation
import Wire

/// The links with the other PoPs, checked.
extension FleetSection {
    static let linkKeys: [ConfigurationKey] = [
        .fleetAnnounced, .fleetCertificate, .fleetKey, .fleetCA,
    ]
    /// What a PoP's record in the Registry may name.
    private static let mostAddresses = 16

    /// Nil without `fleet.listen`.
    static func links(_ file: ConfigurationFile, name: PoPName, fleet: String) throws -> LinkConfiguration? {
        guard let texts = file.texts(.fleetListen) else {
            if let key = linkKeys.first(where: file.has) {
                throw file.error(key, "needs fleet.listen, where the other PoPs come in")
            }
            return nil
        }
        guard (1...mostAddresses).contains(texts.count) else {
            throw file.error(.fleetListen, "must name 1 to \(mostAddresses) addresses, as [\"192.0.2.2:7443\"]")
        }
        let listen = try texts.map { text in
            let listen = try ListenRules.listen(text, of: .fleetListen, in: file)
            guard listen.port > 0 else { throw file.error(.fleetListen, "\(text) has no port that others could know") }
            return listen
        }
        return LinkConfiguration(
            fleet: fleet, listen: listen, announced: try announced(file, listen),
            certificates: try certificates(file, name: name))
    }

    /// Where the others come in: what is listened on, unless something else is said.
    private static func announced(
        _ file: ConfigurationFile, _ listen: [ApiConfiguration.Listen]
    ) throws -> [LinkAddress] {
        if let texts = file.texts(.fleetAnnounced) {
            guard (1...mostAddresses).contains(texts.count) else {
                throw file.error(.fleetAnnounced, "must name 1 to \(mostAddresses) addresses, as [\"192.0.2.2:7443\"]")
            }
            return try texts.map { try address($0, .fleetAnnounced, file) }
        }
        let isAny = listen.first {
            ["*", "::", "0.0.0.0"].contains($0.host) || IPAddress($0.host)?.isUnspecified == true
        }
        if let isAny {
            throw file.error(
                .fleetListen, "\(isAny) is no address that other PoPs could reach: give them fleet.announced_addresses")
        }
        return listen.map { LinkAddress(host: $0.host, port: $0.port) }
    }

    private static func address(
        _ text: String, _ key: ConfigurationKey, _ file: ConfigurationFile
    ) throws -> LinkAddress {
        let listen = try ListenRules.listen(text, of: key, in: file)
        guard listen.port > 0, IPAddress(listen.host)?.isUnspecified != true else {
            throw file.error(key, "\(text) is no address that a PoP could be reached by")
        }
        return LinkAddress(host: listen.host, port: listen.port)
    }

    private static func certificates(_ file: ConfigurationFile, name: PoPName) throws -> CertificateStore {
        func path(_ key: ConfigurationKey) throws -> String {
            guard let path = file.text(key), !path.isEmpty else {
                throw file.error(key, "is missing: fleet.listen needs a PEM file")
            }
            return path
        }
        let (certificate, key, authorities) = (try path(.fleetCertificate), try path(.fleetKey), try path(.fleetCA))
        let store: CertificateStore
        do {
            store = try CertificateStore(certificate: certificate, key: key, authorities: authorities)
        } catch {
            // What is said begins with the file that it is about.
            let text = "\(error)"
            let blamed: ConfigurationKey =
                text.hasPrefix(authorities + " ") ? .fleetCA : text.hasPrefix(key + " ") ? .fleetKey : .fleetCertificate
            throw file.error(blamed, text)
        }
        guard LinkConfiguration.pop(of: store.names) == name else {
            throw file.error(
                .fleetCertificate,
                "\(certificate) is for \(store.names.first ?? "no name"): the first DNS name of its subjectAltName must be "
                    + "fleet.name, \(name)")
        }
        return store
    }
}
