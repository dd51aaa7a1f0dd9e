import COpenSSL
import Foundation

@testable import Api

/// A self-signed certificate in two files of a folder of its own.
struct TestCertificate {
    let folder: URL
    var certificate: String { folder.appending(path: "certificate.pem").path }
    var key: String { folder.appending(path: "key.pem").path }

    /// In PEM.
    private let text: String

    /// - Parameter folder: that of another certificate, whose files are replaced.
    init(in folder: URL? = nil, until end: Date = Date(timeIntervalSince1970: 2_200_000_000)) throws {
        self.folder = folder ?? FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        guard let key = needletail_generate_p256() else { throw Failure() }
        defer { EVP_PKEY_free(key) }
        let certificate = try Self.selfSign(key, until: end)
        defer { X509_free(certificate) }
        text = try Self.pem { PEM_write_bio_X509($0, certificate) }
        try write(text, to: self.certificate)
        try write(try Self.pem { PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) }, to: self.key)
    }

    /// OpenSSL refused.
    struct Failure: Error {}

    private static func selfSign(_ key: OpaquePointer, until end: Date) throws -> OpaquePointer {
        guard let certificate = X509_new() else { throw Failure() }
        let name = X509_get_subject_name(certificate)
        let subject = "needletail test \(UUID().uuidString)"
        let isSigned =
            X509_set_version(certificate, 2) == 1
            && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), UInt64.random(in: 1 ... .max)) == 1
            && ASN1_TIME_set(X509_getm_notBefore(certificate), 1_600_000_000) != nil
            && ASN1_TIME_set(X509_getm_notAfter(certificate), Int(end.timeIntervalSince1970)) != nil
            && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_FLAG | 1, subject, -1, -1, 0) == 1
            && X509_set_issuer_name(certificate, name) == 1
            && X509_set_pubkey(certificate, key) == 1
            && add(NID_basic_constraints, "critical,CA:TRUE", to: certificate)
            && add(NID_subject_alt_name, "DNS:localhost,DNS:meet.test,IP:127.0.0.1,IP:::1", to: certificate)
            && X509_sign(certificate, key, EVP_sha256()) > 0
        guard isSigned else {
            X509_free(certificate)
            throw Failure()
        }
        return certificate
    }

    /// Adds an extension in the words of OpenSSL's x509v3_config(5).
    private static func add(_ kind: Int32, _ value: String, to certificate: OpaquePointer) -> Bool {
        guard let made = X509V3_EXT_conf_nid(nil, nil, kind, value) else { return false }
        defer { X509_EXTENSION_free(made) }
        return X509_add_ext(certificate, made, -1) == 1
    }

    private static func pem(_ write: (OpaquePointer) -> Int32) throws -> String {
        guard let memory = BIO_new(BIO_s_mem()) else { throw Failure() }
        defer { BIO_free(memory) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        guard write(memory) == 1 else { throw Failure() }
        let count = BIO_read(memory, &bytes, Int32(bytes.count))
        return String(decoding: bytes.prefix(Int(count)), as: UTF8.self)
    }

    func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    func store() throws -> Api.CertificateStore {
        try Api.CertificateStore(certificate: certificate, key: key)
    }

    /// Of a client that trusts only this certificate.
    var client: TLSClientConfiguration { TLSClientConfiguration(trusted: text) }
}
