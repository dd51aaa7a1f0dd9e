import COpenSSL

/// A certificate, its intermediates and its key: what a side of TLS proves itself with.
///
/// Immutable: OpenSSL counts the references to these objects atomically, and contexts only read them.
public final class TLSIdentity: @unchecked Sendable {
    /// Why files give no identity.
    public enum Refusal: Error, Sendable {
        case noCertificate, noKey, keyOfAnother
    }

    /// The leaf, then its intermediates: `X509`.
    let chain: [OpaquePointer]
    let key: OpaquePointer

    /// The time in which the leaf may be used, in seconds since 1970 (RFC 5280 section 4.1.2.5).
    public let notBefore: Int64
    public let notAfter: Int64

    /// - Parameters:
    ///   - certificates: PEM: the leaf, then its intermediates.
    ///   - key: PEM: the leaf's key, without a passphrase.
    /// - Throws: `Refusal`.
    public init(certificates: [UInt8], key: [UInt8]) throws {
        defer { ERR_clear_error() }
        chain = Self.certificates(in: certificates)
        guard let leaf = chain.first, let from = Self.seconds(X509_get0_notBefore(leaf)),
            let until = Self.seconds(X509_get0_notAfter(leaf))
        else {
            for certificate in chain { X509_free(certificate) }
            throw Refusal.noCertificate
        }
        (notBefore, notAfter) = (from, until)
        guard let found = Self.key(in: key) else {
            for certificate in chain { X509_free(certificate) }
            throw Refusal.noKey
        }
        // From here on deinit frees both.
        self.key = found
        guard X509_check_private_key(leaf, found) == 1 else { throw Refusal.keyOfAnother }
    }

    deinit {
        for certificate in chain { X509_free(certificate) }
        EVP_PKEY_free(key)
    }

    /// The caller frees them.
    static func certificates(in text: [UInt8]) -> [OpaquePointer] {
        guard let memory = needletail_copy_to_bio(text, Int32(text.count)) else { return [] }
        defer { BIO_free(memory) }
        var found: [OpaquePointer] = []
        while let certificate = PEM_read_bio_X509(memory, nil, refusePassphrase, nil) { found.append(certificate) }
        return found
    }

    /// Those of the leaf's subjectAltName.
    public var dnsNames: [String] { Agents.dnsNames(of: chain[0]) }

    private static func key(in text: [UInt8]) -> OpaquePointer? {
        guard let memory = needletail_copy_to_bio(text, Int32(text.count)) else { return nil }
        defer { BIO_free(memory) }
        return PEM_read_bio_PrivateKey(memory, nil, refusePassphrase, nil)
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        var parts = tm()
        guard ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return Int64(timegm(&parts))
    }
}

/// OpenSSL would ask for a passphrase on the terminal.
private func refusePassphrase(
    _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32, _: UnsafeMutableRawPointer?
) -> Int32 { -1 }
