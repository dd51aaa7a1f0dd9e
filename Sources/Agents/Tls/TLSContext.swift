import COpenSSL

/// The settings of TLS connections: of a listener for clients (RFC 8446; TLS 1.2 for those who have no newer, RFC 8996), or
/// of either side of connections on which both prove who they are (TLS 1.3 alone), or of a client that shows nothing.
///
/// Immutable: OpenSSL takes its own lock for what connections share.
public final class TLSContext: @unchecked Sendable {
    /// `SSL_CTX`.
    let context: OpaquePointer
    /// Whose side it is.
    public let isClient: Bool
    /// Whom the server's certificate is to be for, a host's name or its address; nil: the caller looks itself.
    let serverName: String?

    /// In ALPN's form (RFC 7301 section 3.1); the callback reads it for as long as there are connections, which hold us.
    private let protocols: UnsafeMutableBufferPointer<UInt8>

    /// A listener's.
    ///
    /// - Parameter protocols: what ALPN offers, the most preferred first; none: no ALPN.
    /// - Throws: what OpenSSL says.
    public init(_ identity: TLSIdentity, protocols: [String]) throws(DTLSError) {
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw .last("SSL_CTX_new") }
        // From here on deinit frees both, also when the rest throws.
        self.context = context
        isClient = false
        serverName = nil
        let offer = protocols.flatMap { [UInt8(truncatingIfNeeded: $0.utf8.count)] + $0.utf8 }
        self.protocols = .allocate(capacity: offer.count)
        _ = self.protocols.initialize(from: offer)
        try use(identity)
        try configure()
        if !offer.isEmpty {
            SSL_CTX_set_alpn_select_cb(context, selectProtocol, Unmanaged.passUnretained(self).toOpaque())
        }
    }

    /// Of a connection whose both sides show a certificate of `authorities`. What the peer's names is left to the caller.
    ///
    /// - Throws: what OpenSSL says.
    public init(_ identity: TLSIdentity, of authorities: TLSAuthorities, isClient: Bool) throws(DTLSError) {
        guard let context = SSL_CTX_new(isClient ? TLS_client_method() : TLS_server_method()) else {
            throw .last("SSL_CTX_new")
        }
        self.context = context
        self.isClient = isClient
        serverName = nil
        protocols = .allocate(capacity: 0)
        try use(identity)
        try configure()
        // Each connection proves itself anew: nothing is resumed.
        guard needletail_require_tls13(context) == 1, SSL_CTX_set_num_tickets(context, 0) == 1 else {
            throw .last("TLS 1.3")
        }
        SSL_CTX_set1_cert_store(context, authorities.store)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }

    /// Of a client that shows no certificate, and takes a server whose certificate is for `server` and comes from
    /// `authorities`; nil: from one of those that the system trusts.
    ///
    /// - Throws: what OpenSSL says.
    public init(server: String, of authorities: TLSAuthorities?) throws(DTLSError) {
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw .last("SSL_CTX_new") }
        self.context = context
        isClient = true
        serverName = server
        protocols = .allocate(capacity: 0)
        try configure()
        if let authorities {
            SSL_CTX_set1_cert_store(context, authorities.store)
        } else if SSL_CTX_set_default_verify_paths(context) != 1 {
            throw .last("the system's certificates")
        }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
    }

    private func use(_ identity: TLSIdentity) throws(DTLSError) {
        guard SSL_CTX_use_certificate(context, identity.chain[0]) == 1,
            identity.chain.dropFirst().allSatisfy({ needletail_add_chain_certificate(context, $0) == 1 }),
            SSL_CTX_use_PrivateKey(context, identity.key) == 1
        else { throw .last("SSL_CTX_use_certificate") }
    }

    deinit {
        SSL_CTX_free(context)
        protocols.deallocate()
    }

    private func configure() throws(DTLSError) {
        guard needletail_require_tls12(context) == 1 else { throw .last("TLS 1.2") }
        // For TLS 1.2: forward secrecy and AEAD alone, as RFC 9113 section 9.2.2 wants it. TLS 1.3 has nothing else.
        guard SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 else { throw .last("cipher list") }
        _ = SSL_CTX_set_options(context, needletail_tls_options())
        // Tickets resume sessions without memory of ours.
        _ = needletail_disable_session_cache(context)
        // A connection at rest keeps no 32 KiB of buffers.
        _ = needletail_release_buffers(context)
    }

    /// The choice among a client's protocols; nil when we have none of them.
    fileprivate func select(
        _ offered: UnsafePointer<UInt8>?, _ count: UInt32
    ) -> (name: UnsafePointer<UInt8>, count: UInt8)? {
        var name: UnsafeMutablePointer<UInt8>?
        var length: UInt8 = 0
        let found = SSL_select_next_proto(
            &name, &length, protocols.baseAddress, UInt32(protocols.count), offered, count)
        guard found == OPENSSL_NPN_NEGOTIATED, let name else { return nil }
        return (UnsafePointer(name), length)
    }
}

/// A client that knows none of ours goes on without ALPN, and gets what clients without it get.
private func selectProtocol(
    _: OpaquePointer?, name: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, length: UnsafeMutablePointer<UInt8>?,
    offered: UnsafePointer<UInt8>?, count: UInt32, context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context,
        let choice = Unmanaged<TLSContext>.fromOpaque(context).takeUnretainedValue().select(offered, count)
    else { return SSL_TLSEXT_ERR_NOACK }
    name?.pointee = choice.name
    length?.pointee = choice.count
    return SSL_TLSEXT_ERR_OK
}
