import COpenSSL
import Wire

/// Our DTLS identity: a self-signed ECDSA P-256 certificate made at start, and the settings of every
/// handshake that uses it. One thread or actor owns it together with its handshakes.
public final class Certificate {
    /// SHA-256 of the certificate, for `a=fingerprint`.
    public let fingerprint: Fingerprint

    /// `SSL_CTX`; each `SSL` made from it holds a reference of its own.
    let context: OpaquePointer

    /// Makes a key and a certificate.
    ///
    /// - Parameters:
    ///   - profiles: what we negotiate, the most preferred first; our order wins over a client's.
    ///   - notBefore: the begin of validity, seconds since 1970; the end is a year after it. Peers verify the
    ///     fingerprint and not the dates.
    /// - Throws: what OpenSSL says.
    public init(
        profiles: [SRTPProfile] = [.aeadAes128Gcm, .aeadAes256Gcm, .aes128CmHmacSha1], notBefore: Int
    ) throws(DTLSError) {
        guard let key = needletail_generate_p256() else { throw .last("key generation") }
        defer { EVP_PKEY_free(key) }
        let certificate = try Self.selfSign(key, notBefore: notBefore)
        defer { X509_free(certificate) }
        guard let fingerprint = Fingerprint(of: certificate, algorithm: .sha256) else { throw .last("X509_digest") }
        guard let context = SSL_CTX_new(DTLS_method()) else { throw .last("SSL_CTX_new") }
        // From here on deinit frees the context, also when the rest throws.
        self.fingerprint = fingerprint
        self.context = context
        guard SSL_CTX_use_certificate(context, certificate) == 1, SSL_CTX_use_PrivateKey(context, key) == 1 else {
            throw .last("SSL_CTX_use_certificate")
        }
        try configure(profiles)
    }

    deinit { SSL_CTX_free(context) }

    private static func selfSign(_ key: OpaquePointer, notBefore: Int) throws(DTLSError) -> OpaquePointer {
        guard let certificate = X509_new() else { throw .last("X509_new") }
        var serial: UInt64 = 0
        let name = X509_get_subject_name(certificate)
        let signed =
            RAND_bytes(&serial, 8) == 1
            && X509_set_version(certificate, 2) == 1
            && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) == 1
            && ASN1_TIME_set(X509_getm_notBefore(certificate), notBefore) != nil
            && ASN1_TIME_set(X509_getm_notAfter(certificate), notBefore + 365 * 86_400) != nil
            && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_FLAG | 1, "needletail", -1, -1, 0) == 1
            && X509_set_issuer_name(certificate, name) == 1
            && X509_set_pubkey(certificate, key) == 1
            && X509_sign(certificate, key, EVP_sha256()) > 0
        guard signed else {
            X509_free(certificate)
            throw .last("X509_sign")
        }
        return certificate
    }

    private func configure(_ profiles: [SRTPProfile]) throws(DTLSError) {
        guard needletail_limit_to_dtls12(context) == 1 else { throw .last("DTLS 1.2") }
        // What RFC 8827 section 6.5 requires and its like, AEAD only (see DTLSCipher); the RSA ones let us be the client of a
        // server with an RSA key.
        let suites = [
            "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
            "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
        ]
        guard SSL_CTX_set_cipher_list(context, suites.joined(separator: ":")) == 1 else { throw .last("cipher list") }
        guard needletail_set_groups(context, "X25519:P-256:P-384") == 1 else { throw .last("groups") }
        let names = profiles.map(\.openSSLName).joined(separator: ":")
        // This function alone answers 0 for success.
        guard SSL_CTX_set_tlsext_use_srtp(context, names) == 0 else { throw .last("use_srtp") }
        // Extended master secret (RFC 7627) is on by default.
        _ = SSL_CTX_set_options(
            context,
            needletail_dtls_options())
        _ = needletail_disable_session_cache(context)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        SSL_CTX_set_cert_verify_callback(context, verifyPeer, nil)
    }
}

/// OpenSSL refused something that depends on us and not on a peer.
public struct DTLSError: Error, Sendable, CustomStringConvertible {
    public var description: String

    init(_ description: String) { self.description = description }

    /// With OpenSSL's own words for what happened last on this thread.
    static func last(_ doing: String) -> DTLSError {
        DTLSError("\(doing): \(lastOpenSSLReason() ?? "unknown reason")")
    }
}

/// What OpenSSL's error queue of this thread says, which is emptied.
func lastOpenSSLReason() -> String? {
    let code = ERR_peek_last_error()
    ERR_clear_error()
    guard code != 0, let reason = ERR_reason_error_string(code) else { return nil }
    return String(cString: reason)
}

extension SRTPProfile {
    var openSSLName: String {
        switch self {
        case .aes128CmHmacSha1: "SRTP_AES128_CM_SHA1_80"
        case .aeadAes128Gcm: "SRTP_AEAD_AES_128_GCM"
        case .aeadAes256Gcm: "SRTP_AEAD_AES_256_GCM"
        }
    }
}

extension Fingerprint {
    /// Hashes an `X509`.
    init?(of certificate: OpaquePointer, algorithm: Algorithm) {
        let hash =
            switch algorithm {
            case .sha256: EVP_sha256()
            case .sha384: EVP_sha384()
            case .sha512: EVP_sha512()
            }
        var bytes = [UInt8](repeating: 0, count: algorithm.length)
        guard X509_digest(certificate, hash, &bytes, nil) == 1 else { return nil }
        self.init(algorithm: algorithm, bytes: bytes)
    }
}
