import HummingbirdCore
import Logging
import NIOCore
import NIOTLS

/// One TLS connection of the API listener. ALPN (RFC 7301) decides: HTTP/2, or HTTP/1.1, which the signaling socket
/// needs.
struct SecureChannel: HTTPChannelHandler {
    private static let protocols = ["h2", "http/1.1"]

    enum Negotiated: Sendable {
        case http1(SignalingChannel.Value)
        case http2(HTTP2Channel.Value)
    }

    struct Value: ServerChildChannelValue {
        let negotiated: EventLoopFuture<Negotiated>
        let channel: any Channel
    }

    private let certificates: CertificateStore
    private let http1: SignalingChannel
    private let http2: HTTP2Channel
    private let patience: TimeAmount

    var responder: Responder { http1.responder }

    /// - Parameter requests: counts those of HTTP/2, of all connections together.
    init(_ http1: SignalingChannel, certificates: CertificateStore, requests: ConnectionCount) {
        self.certificates = certificates
        self.http1 = http1
        patience = TimeAmount(http1.configuration.idleTimeout)
        http2 = HTTP2Channel(http1: http1, requests: requests)
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.boundReads()
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(TLSHandler(certificates.context(protocols: Self.protocols)))
            try pipeline.addHandler(HandshakeTimer(patience: patience))
            let negotiation = NIOTypedApplicationProtocolNegotiationHandler<Negotiated> { result in
                switch result {
                case .negotiated("h2"):
                    channel.eventLoop.makeCompletedFuture { .http2(try http2.setup(channel, logger)) }
                // A client without ALPN speaks HTTP/1.1; another word than those we offered is not chosen.
                case .negotiated, .fallback: http1.setup(channel: channel, logger: logger).map { .http1($0) }
                }
            }
            try pipeline.addHandler(negotiation)
            return Value(negotiated: negotiation.protocolNegotiationResult, channel: channel)
        }
    }

    func handle(value: Value, logger: Logger) async {
        // A handshake that failed is the peer's affair: it may have spoken no TLS, or not our versions.
        guard let negotiated = try? await value.negotiated.get() else { return value.channel.close(promise: nil) }
        switch negotiated {
        case .http1(let inner): await http1.handle(value: inner, logger: logger)
        case .http2(let inner): await http2.handle(inner, logger: logger)
        }
    }
}

/// Ends a connection whose TLS handshake is not done in time.
final class HandshakeTimer: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let patience: TimeAmount
    private var isDone = false
    private var timer: Scheduled<Void>?

    init(patience: TimeAmount) { self.patience = patience }

    func handlerAdded(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: patience) { context.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent {
            isDone = true
            timer?.cancel()
        }
        // The server stops: a handshake that is not done is not waited for.
        if event is ChannelShouldQuiesceEvent, !isDone { return context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }
}
