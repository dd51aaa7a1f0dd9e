import COpenSSL

/// One side of a TLS connection, sans I/O: bytes from the peer go in, bytes for the peer come out. One thread or
/// event loop owns it.
public final class TLSConnection {
    /// What a step came to.
    public enum Outcome: Equatable, Sendable {
        case done
        /// It goes on with more bytes from the peer.
        case needsInput
        /// The peer has said that it sends no more (close_notify).
        case closed
        /// In OpenSSL's words. What there is to send is an alert; nothing else works any more.
        case failed(String)
    }

    /// Kept, as its callback and its protocols are used.
    private let context: TLSContext
    private let ssl: OpaquePointer
    /// Both belong to `ssl`.
    private let input: OpaquePointer
    private let output: OpaquePointer

    /// - Throws: `DTLSError` where OpenSSL has no memory.
    public init(_ context: TLSContext) throws(DTLSError) {
        guard let ssl = SSL_new(context.context) else { throw .last("SSL_new") }
        guard let input = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            throw .last("BIO_new")
        }
        guard let output = BIO_new(BIO_s_mem()) else {
            BIO_free(input)
            SSL_free(ssl)
            throw .last("BIO_new")
        }
        SSL_set_bio(ssl, input, output)
        if context.isClient { SSL_set_connect_state(ssl) } else { SSL_set_accept_state(ssl) }
        (self.context, self.ssl, self.input, self.output) = (context, ssl, input, output)
        if let name = context.serverName { try expect(name) }
    }

    /// Takes no certificate but one for `name`.
    private func expect(_ name: String) throws(DTLSError) {
        // RFC 6066 section 3: addresses are no server names.
        if X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1 { return }
        ERR_clear_error()
        guard SSL_set1_host(ssl, name) == 1, needletail_set_server_name(ssl, name) == 1 else {
            throw .last("server name")
        }
    }

    deinit { SSL_free(ssl) }

    public var isClient: Bool { context.isClient }

    /// What the peer's certificate is for, after the handshake; none where it showed none.
    public var peerNames: [String] {
        guard let certificate = SSL_get1_peer_certificate(ssl) else { return [] }
        defer { X509_free(certificate) }
        return dnsNames(of: certificate)
    }

    /// What ALPN chose.
    public var negotiatedProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &length)
        return name.map { String(decoding: UnsafeBufferPointer(start: $0, count: Int(length)), as: UTF8.self) }
    }

    /// Takes bytes from the peer. Call `handshake` until it is done, then `read` until it needs more: they take all of them.
    public func receive(_ bytes: UnsafeRawBufferPointer) {
        // A memory BIO takes everything, or there is no memory.
        precondition(BIO_write(input, bytes.baseAddress, Int32(bytes.count)) == Int32(bytes.count))
    }

    /// Goes on with the handshake.
    public func handshake() -> Outcome {
        ERR_clear_error()
        return outcome(SSL_do_handshake(ssl))
    }

    /// Reads what the peer wrote.
    ///
    /// - Returns: how many bytes, not 0 when the outcome is done.
    public func read(into bytes: UnsafeMutableRawBufferPointer) -> (outcome: Outcome, count: Int) {
        ERR_clear_error()
        var count = 0
        let result = SSL_read_ex(ssl, bytes.baseAddress, bytes.count, &count)
        return (outcome(result), result == 1 ? count : 0)
    }

    /// Writes all of `bytes` to the peer, after the handshake.
    public func write(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard !bytes.isEmpty else { return .done }
        ERR_clear_error()
        var count = 0
        return outcome(SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count))
    }

    /// Says that we send no more (close_notify), after the handshake.
    public func finish() {
        ERR_clear_error()
        _ = SSL_shutdown(ssl)
        ERR_clear_error()
    }

    /// How many bytes there are for the peer.
    public var outputCount: Int { BIO_ctrl_pending(output) }

    /// Takes bytes for the peer.
    public func takeOutput(into bytes: UnsafeMutableRawBufferPointer) -> Int {
        max(0, Int(BIO_read(output, bytes.baseAddress, Int32(bytes.count))))
    }

    private func outcome(_ result: Int32) -> Outcome {
        if result > 0 { return .done }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .needsInput
        case SSL_ERROR_ZERO_RETURN: return .closed
        default: return .failed(reason)
        }
    }

    private var reason: String {
        let found = lastOpenSSLReason() ?? "unknown reason"
        let verification = SSL_get_verify_result(ssl)
        guard verification != Int(X509_V_OK) else { return found }
        return "\(found): \(String(cString: X509_verify_cert_error_string(verification)))"
    }
}
