import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP2
import NIOHTTPTypes
import NIOHTTPTypesHTTP2

/// A connection of HTTP/2 (RFC 9113), each of whose streams carries one request.
struct HTTP2Channel: Sendable {
    typealias Stream = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    struct Value: Sendable {
        let connection: NIOHTTP2Handler.AsyncStreamMultiplexer<Stream>
    }

    let http1: SignalingChannel
    /// Counts the requests of all connections together.
    let requests: ConnectionCount

    private var configuration: ApiConfiguration { http1.configuration }

    /// Answers to PING and SETTINGS that wait for a client that does not read.
    private static let controlFrames = 500

    private static var limits: NIOHTTP2Handler.Configuration {
        var limits = NIOHTTP2Handler.Configuration()
        limits.connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: StreamLimit.most),
            HTTP2Setting(parameter: .maxHeaderListSize, value: ApiConfiguration.headerLimit),
        ]
        limits.connection.maximumBufferedControlFrames = controlFrames
        return limits
    }

    /// The other limits for a connection are those of swift-nio-http2: `HTTP2` tests hold them.
    func setup(_ channel: any Channel, _ logger: Logger) throws -> Value {
        let pipeline = channel.pipeline.syncOperations
        let streams = NIOLoopBound(StreamLimit(), eventLoop: channel.eventLoop)
        let bodies = NIOLoopBound(BodyBudget(http1.ends), eventLoop: channel.eventLoop)
        let connection = try pipeline.configureAsyncHTTP2Pipeline(
            mode: .server,
            connectionManagerConfiguration: .init(
                maxIdleTime: TimeAmount(configuration.idleTimeout), maxAge: nil,
                maxGraceTime: TimeAmount(configuration.farewellTime), keepalive: nil),
            http2HandlerConfiguration: Self.limits
        ) { stream in
            stream.eventLoop.makeCompletedFuture { try setUp(stream, streams.value, bodies.value, logger) }
        }
        let frames = try pipeline.handler(type: NIOHTTP2Handler.self)
        let farewell = Farewell(patience: TimeAmount(configuration.farewellTime) * 2)
        try pipeline.addHandler(farewell, position: .after(frames))
        return Value(connection: connection)
    }

    private func setUp(
        _ stream: any Channel, _ streams: StreamLimit, _ bodies: BodyBudget, _ logger: Logger
    ) throws -> Stream {
        let pipeline = stream.pipeline.syncOperations
        try pipeline.addHandler(StreamGate(streams))
        try pipeline.addHandler(HTTP2FramePayloadToHTTPServerCodec())
        try pipeline.addHandler(ConnectionFieldsFilter())
        try pipeline.addHandler(RequestGate(requests, of: stream.peer()))
        try pipeline.addHandlers(EarlyAnswer(), BodyGate(bodies), ExchangeTimer(configuration))
        try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: configuration.idleTimeout, logger: logger))
        return try Stream(wrappingChannelSynchronously: stream)
    }

    func handle(_ value: Value, logger: Logger) async {
        do {
            try await withThrowingDiscardingTaskGroup { group in
                for try await stream in value.connection.inbound {
                    group.addTask { await http1.handleHTTP(asyncChannel: stream, logger: logger) }
                }
            }
        } catch {
            logger.debug("a connection of HTTP/2 failed", metadata: ["error": "\(error)"])
        }
    }
}
