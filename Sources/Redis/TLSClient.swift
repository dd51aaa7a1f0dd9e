import COpenSSL
import Glibc

/// Why there is no connection to a server.
struct ConnectionFailure: Error {
    let reason: String
}

/// The client's side of one TLS connection, sans I/O: bytes from the server go in, bytes for it come out. The server's
/// certificate must be for its name and come from somebody who is trusted. One thread owns it.
final class TLSClient {
    enum Outcome {
        case done, needsInput, closed
        case failed(String)
    }

    private let ssl: OpaquePointer
    /// Both belong to `ssl`.
    private let input: OpaquePointer
    private let output: OpaquePointer

    /// - Parameter serverName: a host's name or its address.
    init(_ configuration: RedisTLS, serverName: String) throws(ConnectionFailure) {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw Self.failure("SSL_CTX_new") }
        // The connection holds it.
        defer { SSL_CTX_free(context) }
        guard needletail_require_tls12(context) == 1 else { throw Self.failure("TLS 1.2") }
        try Self.trust(configuration.authorities, in: context)
        if let identity = configuration.identity { try Self.use(identity, in: context) }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        guard let ssl = SSL_new(context) else { throw Self.failure("SSL_new") }
        guard let input = BIO_new(BIO_s_mem()), let output = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            throw Self.failure("BIO_new")
        }
        SSL_set_bio(ssl, input, output)
        SSL_set_connect_state(ssl)
        (self.ssl, self.input, self.output) = (ssl, input, output)
        try expect(serverName)
    }

    deinit { SSL_free(ssl) }

    private static func trust(_ authorities: [UInt8]?, in context: OpaquePointer) throws(ConnectionFailure) {
        guard let authorities else {
            guard SSL_CTX_set_default_verify_paths(context) == 1 else { throw failure("the system's certificates") }
            return
        }
        let count = try eachCertificate(of: authorities) { certificate, _ in
            X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate) == 1
        }
        guard count > 0 else { throw ConnectionFailure(reason: "the authorities' file holds no certificate") }
    }

    private static func use(_ identity: RedisTLS.Identity, in context: OpaquePointer) throws(ConnectionFailure) {
        let count = try eachCertificate(of: identity.certificates) { certificate, index in
            index == 0
                ? SSL_CTX_use_certificate(context, certificate) == 1
                : needletail_add_chain_certificate(context, certificate) == 1
        }
        guard count > 0 else { throw ConnectionFailure(reason: "our certificate's file holds no certificate") }
        guard let memory = needletail_copy_to_bio(identity.key, Int32(identity.key.count)) else {
            throw failure("BIO_new")
        }
        defer { BIO_free(memory) }
        guard let key = PEM_read_bio_PrivateKey(memory, nil, refusePassphrase, nil) else { throw failure("our key") }
        defer { EVP_PKEY_free(key) }
        guard SSL_CTX_use_PrivateKey(context, key) == 1, SSL_CTX_check_private_key(context) == 1 else {
            throw failure("our key")
        }
    }

    /// Hands each to `body`, which says whether OpenSSL took it.
    ///
    /// - Returns: how many there are.
    private static func eachCertificate(
        of text: [UInt8], _ body: (_ certificate: OpaquePointer, _ index: Int) -> Bool
    ) throws(ConnectionFailure) -> Int {
        guard let memory = needletail_copy_to_bio(text, Int32(text.count)) else { throw failure("BIO_new") }
        defer { BIO_free(memory) }
        var count = 0
        while let certificate = PEM_read_bio_X509(memory, nil, refusePassphrase, nil) {
            defer { X509_free(certificate) }
            guard body(certificate, count) else { throw failure("certificate \(count + 1)") }
            count += 1
        }
        // The end of the text is an error to OpenSSL.
        ERR_clear_error()
        return count
    }

    private func expect(_ name: String) throws(ConnectionFailure) {
        let parameters = SSL_get0_param(ssl)
        // RFC 6066 section 3: addresses are no server names.
        if X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1 { return }
        ERR_clear_error()
        guard SSL_set1_host(ssl, name) == 1, needletail_set_server_name(ssl, name) == 1 else {
            throw Self.failure("server name \(name)")
        }
    }

    /// Takes bytes from the server: call `handshake` until it is done, then `read` until it needs more.
    func receive(_ bytes: UnsafeRawBufferPointer) {
        // A memory BIO takes everything, or there is no memory.
        precondition(BIO_write(input, bytes.baseAddress, Int32(bytes.count)) == Int32(bytes.count))
    }

    func handshake() -> Outcome {
        ERR_clear_error()
        return outcome(SSL_do_handshake(ssl))
    }

    func read(into bytes: UnsafeMutableRawBufferPointer) -> (outcome: Outcome, count: Int) {
        ERR_clear_error()
        var count = 0
        let result = SSL_read_ex(ssl, bytes.baseAddress, bytes.count, &count)
        return (outcome(result), result == 1 ? count : 0)
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        ERR_clear_error()
        var count = 0
        return outcome(SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count))
    }

    /// Bytes for the server.
    func takeOutput() -> [UInt8] {
        let count = BIO_ctrl_pending(output)
        return [UInt8](unsafeUninitializedCapacity: count) { bytes, taken in
            taken = max(0, Int(BIO_read(output, bytes.baseAddress, Int32(count))))
        }
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
        let verification = SSL_get_verify_result(ssl)
        guard verification == Int(X509_V_OK) else {
            return "certificate: \(String(cString: X509_verify_cert_error_string(verification)))"
        }
        return Self.failure("TLS").reason
    }

    private static func failure(_ what: String) -> ConnectionFailure {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        guard code != 0, let reason = ERR_reason_error_string(code) else { return ConnectionFailure(reason: what) }
        return ConnectionFailure(reason: "\(what): \(String(cString: reason))")
    }
}

/// OpenSSL would ask for a passphrase on the terminal.
private func refusePassphrase(
    _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32, _: UnsafeMutableRawPointer?
) -> Int32 { -1 }
