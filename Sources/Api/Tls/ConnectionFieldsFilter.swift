import NIOCore
import NIOHTTPTypes

/// Leaves away what HTTP/1.1 alone says about a connection: swift-nio-http2 takes such a field of an answer for an error of the
/// whole connection (RFC 9113 section 8.2.2).
final class ConnectionFieldsFilter: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(var head) = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        head.headerFields[.connection] = nil
        head.headerFields[.upgrade] = nil
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }
}
