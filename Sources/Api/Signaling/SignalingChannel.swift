import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOWebSocket

/// One connection of the API listener: HTTP, or the signaling socket after an upgrade (RFC 6455).
struct SignalingChannel: HTTPChannelHandler {
    static let path = "/api/v1/signal"

    enum Upgrade: Sendable {
        case http(NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>)
        /// With what limits by address count it by.
        case signaling(NIOAsyncChannel<SignalingText, WebSocketFrame>, SignalingConnection, client: String)
    }

    struct Value: ServerChildChannelValue {
        let upgrade: EventLoopFuture<Upgrade>
        let channel: any Channel
    }

    let responder: Responder
    let configuration: ApiConfiguration
    let ends: ConnectionEnds
    let makeSession: @Sendable (SignalingConnection, _ client: String) -> SignalingSession

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.boundReads()
            var pipeline = NIOUpgradableHTTPServerPipelineConfiguration(
                upgradeConfiguration: NIOTypedHTTPServerUpgradeConfiguration(
                    upgraders: [webSocketUpgrader()],
                    notUpgradingCompletionHandler: { channel in http(channel, logger: logger) }))
            pipeline.enablePipelining = false
            // `FirstRequest` and hummingbird answer what is malformed.
            pipeline.enableErrorHandling = false
            pipeline.decoderConfiguration.maxHeaderListSize = ApiConfiguration.headerLimit
            pipeline.decoderConfiguration.maxHeaderFieldCount = ApiConfiguration.headerFieldLimit
            try channel.pipeline.syncOperations.addHandler(UpgradeMask(sparesSocket: true))
            let upgrade = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
                configuration: pipeline)
            try channel.pipeline.syncOperations.addHandler(
                HandshakeGuard(Origins(configuration)),
                position: .before(
                    channel.pipeline.syncOperations.handler(type: NIOTypedHTTPServerUpgradeHandler<Upgrade>.self)))
            try channel.pipeline.syncOperations.addHandler(
                HTTP1Rules(), position: .before(channel.pipeline.syncOperations.handler(type: HandshakeGuard.self)))
            let prelude = FirstRequest(patience: TimeAmount(configuration.idleTimeout))
            try channel.pipeline.syncOperations.addHandler(prelude)
            upgrade.assumeIsolated().whenComplete { _ in prelude.finish() }
            return Value(upgrade: upgrade, channel: channel)
        }
    }

    /// Whether the connection is a socket behind this request.
    static func isOpened(by head: HTTPRequestHead) -> Bool {
        head.method == .GET && head.uri.prefix { $0 != "?" } == path && Handshake.isValid(head)
    }

    func handle(value: Value, logger: Logger) async {
        // A connection that ends before its first request has no use.
        guard let upgrade = try? await value.upgrade.get() else { return value.channel.close(promise: nil) }
        switch upgrade {
        case .http(let channel): await handleHTTP(asyncChannel: channel, logger: logger)
        case .signaling(let channel, let socket, let client): await signal(channel, socket, client, logger: logger)
        }
    }

    private func http(_ channel: any Channel, logger: Logger) -> EventLoopFuture<Upgrade> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
                HTTP1ToHTTPServerCodec(secure: configuration.certificates != nil))
            try channel.pipeline.syncOperations.addHandlers(
                EarlyAnswer(), AnswerGuard(), ExchangeTimer(configuration))
            try channel.pipeline.syncOperations.addHandler(
                HTTPConnectionStateHandler(idleTimeout: configuration.idleTimeout, logger: logger))
            let wrapped = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            return .http(wrapped)
        }
    }

    private func webSocketUpgrader() -> NIOTypedWebSocketServerUpgrader<Upgrade> {
        return NIOTypedWebSocketServerUpgrader(
            maxFrameSize: ApiConfiguration.messageLimit,
            shouldUpgrade: { channel, head in
                let path = head.uri.prefix { $0 != "?" }
                return channel.eventLoop.makeSucceededFuture(
                    path == Self.path ? PermessageDeflate.answer(to: head.headers) : nil)
            },
            upgradePipelineHandler: { channel, head in
                channel.eventLoop.makeCompletedFuture {
                    try signaling(
                        channel, isCompressed: PermessageDeflate.isOffered(in: head.headers),
                        client: channel.peer().client(head.headers))
                }
            })
    }

    private func signaling(_ channel: any Channel, isCompressed: Bool, client: String) throws -> Upgrade {
        let pipeline = channel.pipeline.syncOperations
        let writer = FrameWriter(limit: ApiConfiguration.queueLimit)
        try pipeline.addHandler(writer, position: .before(pipeline.handler(type: WebSocketFrameEncoder.self)))
        let socket = SignalingConnection(channel: channel, writer: writer, isCompressed: isCompressed, ends: ends)
        let frameGuard = FrameGuard(allowsCompression: isCompressed)
        try pipeline.addHandler(frameGuard)
        try pipeline.addHandler(
            NIOWebSocketFrameAggregator(
                minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: 1_024,
                maxAccumulatedFrameSize: ApiConfiguration.messageLimit))
        try pipeline.addHandler(
            SignalingFrames(
                socket: socket, frameGuard: frameGuard, keepalive: TimeAmount(configuration.keepalive),
                joinTime: TimeAmount(configuration.signalingJoinTime)))
        // One message is heard while another waits; the next is not read.
        let configuration = NIOAsyncChannel<SignalingText, WebSocketFrame>.Configuration(
            backPressureStrategy: .init(lowWatermark: 1, highWatermark: 1))
        return .signaling(
            try NIOAsyncChannel(wrappingChannelSynchronously: channel, configuration: configuration), socket,
            client: client)
    }

    private func signal(
        _ channel: NIOAsyncChannel<SignalingText, WebSocketFrame>, _ socket: SignalingConnection, _ client: String,
        logger: Logger
    ) async {
        var session = makeSession(socket, client)
        do {
            try await channel.executeThenClose { inbound, _ in
                for try await message in inbound where !socket.refusesInput {
                    if let text = socket.read(message) { await session.hear(text) }
                }
                socket.drop()
            }
        } catch {
            logger.debug("signaling socket failed", metadata: ["error": "\(error)"])
        }
        await session.end()
    }
}

extension Channel {
    /// On the event loop. Most requests and messages are short, and each connection keeps its buffers, as many as it may
    /// fill at once: by default four of 64 KiB. All that comes in one read is decoded at once, too.
    func boundReads() throws {
        try syncOptions?.setOption(
            .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2_048, maximum: 4_096))
        try syncOptions?.setOption(.maxMessagesPerRead, value: 1)
    }
}

/// Ends a connection that sends no request in time, no HTTP at all, or none before the server stops. Later requests are
/// under hummingbird's own timer.
final class FirstRequest: ChannelInboundHandler {
    typealias InboundIn = NIOAny
    typealias OutboundOut = HTTPServerResponsePart

    private let patience: TimeAmount
    private var isOver = false
    private var timer: Scheduled<Void>?

    init(patience: TimeAmount) { self.patience = patience }

    func handlerAdded(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: patience) { [weak self] in
            guard let self, !isOver else { return }
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    func finish() {
        isOver = true
        timer?.cancel()
        timer = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError, !isOver else { return context.fireErrorCaught(error) }
        let head = HTTPResponseHead(
            version: .http1_1, status: .badRequest, headers: ["Connection": "close", "Content-Length": "0"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent, !isOver {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
