import Crypto
import Foundation
import NIOSSL
import SwiftASN1
import X509

@testable import Api

/// A self-signed certificate in two files of a folder of its own.
struct TestCertificate {
    let folder: URL
    var certificate: String { folder.appending(path: "certificate.pem").path }
    var key: String { folder.appending(path: "key.pem").path }

    /// What a client that trusts only this certificate knows.
    let trusted: NIOSSLCertificate

    /// - Parameter folder: that of another certificate, whose files are replaced.
    init(in folder: URL? = nil, until end: Date = Date(timeIntervalSince1970: 2_200_000_000)) throws {
        self.folder = folder ?? FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        let key = P256.Signing.PrivateKey()
        let name = try DistinguishedName { CommonName("needletail test \(UUID().uuidString)") }
        let names: [GeneralName] = [
            .dnsName("localhost"), .dnsName("meet.test"), .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
            .ipAddress(ASN1OctetString(contentBytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])),
        ]
        let made = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
            notValidBefore: Date(timeIntervalSince1970: 1_600_000_000), notValidAfter: end, issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                BasicConstraints.isCertificateAuthority(maxPathLength: nil)
                SubjectAlternativeNames(names)
            }, issuerPrivateKey: .init(key))
        let text = try made.serializeAsPEM().pemString
        trusted = try NIOSSLCertificate(bytes: Array(text.utf8), format: .pem)
        try write(text, to: self.certificate)
        try write(key.pemRepresentation, to: self.key)
    }

    func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    func store() throws -> Api.CertificateStore {
        try Api.CertificateStore(certificate: certificate, key: key)
    }

    var client: TLSConfiguration {
        var client = TLSConfiguration.makeClientConfiguration()
        client.trustRoots = .certificates([trusted])
        return client
    }
}
