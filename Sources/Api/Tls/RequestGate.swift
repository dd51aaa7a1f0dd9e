import NIOCore
import NIOHTTPTypes

/// Resets a stream of HTTP/2 at once when its address has enough requests on their way: a connection carries many, and
/// each takes memory.
final class RequestGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    private let count: ConnectionCount
    private var isRefused = false

    private let peer: Peer

    init(_ count: ConnectionCount, of peer: Peer) {
        self.count = count
        self.peer = peer
    }

    func handlerAdded(context: ChannelHandlerContext) {
        isRefused = !count.admit(context.channel, of: peer)
        // A stream that is not set up yet cannot be reset.
        if isRefused { context.eventLoop.assumeIsolated().execute { context.close(promise: nil) } }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !isRefused { context.fireChannelRead(data) }
    }
}
