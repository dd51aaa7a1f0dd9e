import COpenSSL
import NIOCore
import NIOTLS

/// What a client of TLS trusts and speaks.
struct TLSClientConfiguration: Sendable {
    /// Certificates in PEM; nil: whoever it is.
    var trusted: String?
    /// Files of what it shows of itself.
    var identity: (certificate: String, key: String)?
    /// What ALPN offers.
    var protocols: [String] = []
    var versions = TLS1_2_VERSION...TLS1_3_VERSION
}

/// The client's side of TLS; it has nothing of the listener's but the library.
final class TLSClientHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What OpenSSL says.
    struct Failure: Error {
        let reason: String

        static func last() -> Failure {
            let code = ERR_get_error()
            return Failure(reason: ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(code)")
        }

        /// With what was wrong with the peer's certificate.
        static func last(of ssl: OpaquePointer) -> Failure {
            let result = SSL_get_verify_result(ssl)
            guard result != X509_V_OK, let text = X509_verify_cert_error_string(result) else { return last() }
            return Failure(reason: "\(last().reason): \(String(cString: text))")
        }
    }

    private enum State { case handshaking, open, closed }

    private let ssl: OpaquePointer
    /// Both belong to `ssl`.
    private let input: OpaquePointer
    private let output: OpaquePointer
    private var state = State.handshaking
    /// Plaintext from before the end of the handshake.
    private var waiting: [(ByteBuffer, EventLoopPromise<Void>?)] = []

    /// - Parameter host: the name or address that the certificate must have.
    init(_ configuration: TLSClientConfiguration, host: String) throws {
        let context = try Self.context(configuration)
        defer { SSL_CTX_free(context) }
        guard let ssl = SSL_new(context), let input = BIO_new(BIO_s_mem()), let output = BIO_new(BIO_s_mem()) else {
            throw Failure.last()
        }
        SSL_set_bio(ssl, input, output)
        SSL_set_connect_state(ssl)
        (self.ssl, self.input, self.output) = (ssl, input, output)
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        guard SSL_set1_host(ssl, host) == 1, isAddress || needletail_set_server_name(ssl, host) == 1 else {
            throw Failure.last()
        }
    }

    deinit { SSL_free(ssl) }

    private static func context(_ configuration: TLSClientConfiguration) throws -> OpaquePointer {
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw Failure.last() }
        let (lowest, highest) = (Int(configuration.versions.lowerBound), Int(configuration.versions.upperBound))
        let offer = configuration.protocols.flatMap { [UInt8($0.utf8.count)] + $0.utf8 }
        guard SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, lowest, nil) == 1,
            SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, highest, nil) == 1,
            // For the versions that are to be refused, which OpenSSL refuses by itself otherwise.
            SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0") == 1,
            SSL_CTX_set_alpn_protos(context, offer, UInt32(offer.count)) == 0,
            configuration.identity.map({ show($0, context) }) ?? true
        else {
            SSL_CTX_free(context)
            throw Failure.last()
        }
        if let trusted = configuration.trusted { trust(trusted, context) }
        ERR_clear_error()
        return context
    }

    private static func show(_ files: (certificate: String, key: String), _ context: OpaquePointer) -> Bool {
        SSL_CTX_use_certificate_chain_file(context, files.certificate) == 1
            && SSL_CTX_use_PrivateKey_file(context, files.key, SSL_FILETYPE_PEM) == 1
    }

    private static func trust(_ certificates: String, _ context: OpaquePointer) {
        let text = needletail_copy_to_bio(certificates, Int32(certificates.utf8.count))
        defer { BIO_free(text) }
        while let certificate = PEM_read_bio_X509(text, nil, nil, nil) {
            X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate)
            X509_free(certificate)
        }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
    }

    func channelActive(context: ChannelHandlerContext) {
        shakeHands(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard state != .closed else { return }
        _ = unwrapInboundIn(data).withUnsafeReadableBytes { BIO_write(input, $0.baseAddress, Int32($0.count)) }
        if state == .handshaking { shakeHands(context) }
        if state == .open { readAll(context) }
    }

    private func shakeHands(_ context: ChannelHandlerContext) {
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        let isWaiting = SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ
        let failure = Failure.last(of: ssl)
        send(context, nil)
        if result == 1 {
            state = .open
            context.fireUserInboundEventTriggered(TLSUserEvent.handshakeCompleted(negotiatedProtocol: agreed))
            flush(context: context)
        } else if !isWaiting {
            fail(context, failure)
        }
    }

    private var agreed: String? {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &length)
        return name.map { String(decoding: UnsafeBufferPointer(start: $0, count: Int(length)), as: UTF8.self) }
    }

    private func readAll(_ context: ChannelHandlerContext) {
        while state == .open {
            var bytes = [UInt8](repeating: 0, count: 16_384)
            ERR_clear_error()
            let count = SSL_read(ssl, &bytes, Int32(bytes.count))
            if count > 0 {
                context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: bytes.prefix(Int(count)))))
                continue
            }
            switch SSL_get_error(ssl, count) {
            case SSL_ERROR_WANT_READ: return send(context, nil)
            case SSL_ERROR_ZERO_RETURN: return close(context: context, mode: .all, promise: nil)
            default: return fail(context, .last())
            }
        }
    }

    private func fail(_ context: ChannelHandlerContext, _ failure: Failure) {
        state = .closed
        context.fireErrorCaught(failure)
        context.close(promise: nil)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard state != .closed else { return promise?.fail(ChannelError.ioOnClosedChannel) ?? () }
        waiting.append((unwrapOutboundIn(data), promise))
    }

    func flush(context: ChannelHandlerContext) {
        guard state == .open else { return }
        let ready = waiting
        waiting = []
        for (bytes, promise) in ready where bytes.readableBytes > 0 {
            let count = bytes.withUnsafeReadableBytes { SSL_write(ssl, $0.baseAddress, Int32($0.count)) }
            guard count == bytes.readableBytes else { return fail(context, .last()) }
            send(context, promise)
        }
        context.flush()
    }

    private func send(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        let count = BIO_ctrl_pending(output)
        guard count > 0 else { return promise?.succeed() ?? () }
        var bytes = [UInt8](repeating: 0, count: count)
        BIO_read(output, &bytes, Int32(count))
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: promise)
    }

    /// Says so to the peer (close_notify), and waits for no answer.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if state == .open, mode != .input {
            state = .closed
            SSL_shutdown(ssl)
            send(context, nil)
        }
        context.close(mode: mode, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) {
        state = .closed
        for (_, promise) in waiting { promise?.fail(ChannelError.ioOnClosedChannel) }
        waiting = []
        context.fireChannelInactive()
    }
}
