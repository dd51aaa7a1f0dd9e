import NIOCore
import NIOHTTP2

/// Ends a connection of HTTP/2 whose client broke a rule, and one that was told to go (GOAWAY, RFC 9113 section 6.8) and is
/// still there a while later: swift-nio-http2's own timer starts with the client's answer, which need not come.
///
/// Its place is between NIOHTTP2Handler and the handler that manages the connection.
final class Farewell: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame
    typealias OutboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let patience: TimeAmount
    private var timer: Scheduled<Void>?

    init(patience: TimeAmount) { self.patience = patience }

    /// The manager's timers start with the channel, which is active since before ALPN.
    func handlerAdded(context: ChannelHandlerContext) { context.fireChannelActive() }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .goAway = unwrapOutboundIn(data).payload, timer == nil {
            timer = context.eventLoop.assumeIsolated().scheduleTask(in: patience) { context.close(promise: nil) }
        }
        context.write(data, promise: promise)
    }

    /// What the client is told has been written before.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }
}
