import NIOCore
import NIOHTTP2

/// How many requests one connection of HTTP/2 has on their way. Of the connection's event loop.
final class StreamLimit {
    /// RFC 9113 section 6.5.2 recommends 100, which would take 4 MiB.
    static let most = 32

    fileprivate var open = 0
}

/// Refuses a stream beyond the limit in words that let the client try again (REFUSED_STREAM, RFC 9113 section 8.7):
/// swift-nio-http2 holds a client to the limit only when it has acknowledged it, which it need not.
///
/// Its place is before all other handlers of the stream.
final class StreamGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let limit: StreamLimit
    private var isRefused = false

    init(_ limit: StreamLimit) { self.limit = limit }

    func handlerAdded(context: ChannelHandlerContext) {
        limit.open += 1
        isRefused = limit.open > StreamLimit.most
        // A stream that is not set up yet cannot be reset.
        if isRefused {
            context.eventLoop.assumeIsolated().execute {
                context.writeAndFlush(self.wrapOutboundOut(.rstStream(.refusedStream)), promise: nil)
            }
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { limit.open -= 1 }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !isRefused { context.fireChannelRead(data) }
    }
}
