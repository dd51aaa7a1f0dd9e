import COpenSSL
import Foundation

/// An authority of a fleet, in a folder of its own with what it signs.
public final class TestAuthority {
    /// OpenSSL refused.
    struct Failure: Error {}

    public let folder: URL
    private let key: OpaquePointer
    private let certificate: OpaquePointer
    /// Of its own certificate.
    public var path: String { folder.appending(path: "ca.pem").path }

    public init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        guard let key = needletail_generate_p256() else { throw Failure() }
        self.key = key
        certificate = try Self.make(
            key, "authority", issuer: nil, signer: key, [(NID_basic_constraints, "critical,CA:TRUE")],
            until: 2_200_000_000)
        try write(certificate, to: "ca.pem")
    }

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
        try? FileManager.default.removeItem(at: folder)
    }

    /// Signs a certificate for names, in two files.
    ///
    /// - Parameter names: in the words of OpenSSL's x509v3_config(5), as `DNS:a,DNS:b`; nil: none.
    public func issue(
        _ names: String?, file: String = UUID().uuidString, usage: String? = nil, until end: Int = 2_200_000_000
    ) throws -> (certificate: String, key: String) {
        guard let key = needletail_generate_p256() else { throw Failure() }
        defer { EVP_PKEY_free(key) }
        var extensions = names.map { [(NID_subject_alt_name, $0)] } ?? []
        if let usage { extensions.append((NID_ext_key_usage, usage)) }
        let leaf = try Self.make(
            key, "leaf", issuer: certificate, signer: self.key, extensions, until: end)
        defer { X509_free(leaf) }
        try write(leaf, to: "\(file).pem")
        let text = try Self.pem { PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) }
        try text.write(to: folder.appending(path: "\(file).key"), atomically: true, encoding: .utf8)
        return (folder.appending(path: "\(file).pem").path, folder.appending(path: "\(file).key").path)
    }

    private func write(_ certificate: OpaquePointer, to name: String) throws {
        let text = try Self.pem { PEM_write_bio_X509($0, certificate) }
        try text.write(to: folder.appending(path: name), atomically: true, encoding: .utf8)
    }

    private static func make(
        _ key: OpaquePointer, _ name: String, issuer: OpaquePointer?, signer: OpaquePointer,
        _ extensions: [(kind: Int32, value: String)], until end: Int
    ) throws -> OpaquePointer {
        guard let made = X509_new() else { throw Failure() }
        let isSigned =
            X509_set_version(made, 2) == 1
            && ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), UInt64.random(in: 1 ... .max)) == 1
            && ASN1_TIME_set(X509_getm_notBefore(made), 1_600_000_000) != nil
            && ASN1_TIME_set(X509_getm_notAfter(made), end) != nil
            && X509_NAME_add_entry_by_txt(
                X509_get_subject_name(made), "CN", MBSTRING_FLAG | 1, "\(name) \(UUID().uuidString)", -1, -1, 0) == 1
            && X509_set_issuer_name(made, X509_get_subject_name(issuer ?? made)) == 1
            && X509_set_pubkey(made, key) == 1 && extensions.allSatisfy { add($0.kind, $0.value, to: made) }
            && X509_sign(made, signer, EVP_sha256()) > 0
        guard isSigned else {
            X509_free(made)
            throw Failure()
        }
        return made
    }

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
}
