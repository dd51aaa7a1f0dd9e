import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Sees to it that each request of a connection has one final answer. A body that turns out to be malformed behind an
/// answer that was sent early ends the connection without another.
final class AnswerGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// Requests that have no answer yet.
    private var unanswered = 0
    private var isReading = false
    private var isMuted = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            unanswered += 1
            isReading = true
        case .body: break
        case .end: isReading = false
        }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What is malformed between two requests is a request too.
        if error is HTTPParserError, !isReading { unanswered += 1 }
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .head(let head) = unwrapOutboundIn(data), head.status.kind != .informational {
            isMuted = unanswered == 0
            unanswered -= isMuted ? 0 : 1
        }
        guard isMuted else { return context.write(data, promise: promise) }
        promise?.fail(ChannelError.ioOnClosedChannel)
        context.close(promise: nil)
    }
}
