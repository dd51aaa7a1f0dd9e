import COpenSSL

/// Whose certificates are taken from a peer. One that is no root is trusted as it is, so that a fleet may have an
/// intermediate authority of its own.
///
/// Immutable: OpenSSL takes its own lock for what contexts share.
public final class TLSAuthorities: @unchecked Sendable {
    /// `X509_STORE`.
    let store: OpaquePointer

    /// Nil where `text` holds no certificate in PEM.
    public init?(_ text: [UInt8]) {
        defer { ERR_clear_error() }
        guard let store = X509_STORE_new() else { return nil }
        // From here on deinit frees it.
        self.store = store
        let certificates = TLSIdentity.certificates(in: text)
        defer { for certificate in certificates { X509_free(certificate) } }
        guard !certificates.isEmpty, certificates.allSatisfy({ X509_STORE_add_cert(store, $0) == 1 }),
            X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN)) == 1
        else { return nil }
    }

    deinit { X509_STORE_free(store) }

    /// Why peers with these authorities would not take the identity, as a client or as a server, whatever the time is; nil:
    /// they would.
    public func refusal(of identity: TLSIdentity) -> String? {
        defer { ERR_clear_error() }
        guard let chain = OPENSSL_sk_new_null(), let context = X509_STORE_CTX_new() else { return "no memory" }
        defer {
            OPENSSL_sk_free(chain)
            X509_STORE_CTX_free(context)
        }
        for certificate in identity.chain.dropFirst() { OPENSSL_sk_push(chain, UnsafeRawPointer(certificate)) }
        for purpose in [X509_PURPOSE_SSL_CLIENT, X509_PURPOSE_SSL_SERVER] {
            guard X509_STORE_CTX_init(context, store, identity.chain[0], chain) == 1,
                X509_STORE_CTX_set_purpose(context, purpose) == 1
            else { return "unknown reason" }
            X509_STORE_CTX_set_flags(context, UInt(X509_V_FLAG_NO_CHECK_TIME))
            guard X509_verify_cert(context) == 1 else {
                return String(cString: X509_verify_cert_error_string(Int(X509_STORE_CTX_get_error(context))))
            }
            X509_STORE_CTX_cleanup(context)
        }
        return nil
    }
}

/// The DNS names of a certificate's subjectAltName (RFC 5280 section 4.2.1.6), in its order, as they are written.
func dnsNames(of certificate: OpaquePointer) -> [String] {
    guard let names = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return [] }
    let list = OpaquePointer(names)
    defer { GENERAL_NAMES_free(list) }
    return (0..<OPENSSL_sk_num(list)).compactMap { index in
        var type: Int32 = 0
        guard let name = OPENSSL_sk_value(list, index)?.assumingMemoryBound(to: GENERAL_NAME.self),
            let value = GENERAL_NAME_get0_value(name, &type), type == GEN_DNS
        else { return nil }
        let text = value.assumingMemoryBound(to: ASN1_STRING.self)
        let bytes = UnsafeBufferPointer(start: ASN1_STRING_get0_data(text), count: Int(ASN1_STRING_length(text)))
        return String(decoding: bytes, as: UTF8.self)
    }
}
