import NIOCore
import NIOHTTPTypes

/// Resets a stream of HTTP/2 at once when its address has enough requests on their way: a connection carries many, and
/// each takes memory.
final class RequestGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    private let count: ConnectionCount
    private var isRefused = false

    init(_ count: ConnectionCount) { self.count = count }

    func handlerAdded(context: ChannelHandlerContext) {
        isRefused = !count.admit(context.channel)
        // A stream that is not set up yet cannot be reset.
        if isRefused { context.eventLoop.assumeIsolated().execute { context.close(promise: nil) } }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !isRefused { context.fireChannelRead(data) }
    }
}
