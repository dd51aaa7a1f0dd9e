import NIOCore
import NIOHTTPTypes

/// Ends a connection (of HTTP/2: a stream) whose request takes too long to come in, however slowly it drips, or whose
/// reader takes too long to take the answer.
final class ExchangeTimer: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let requestTime: TimeAmount
    private let answerTime: TimeAmount
    private var isReading = false
    /// Requests whose answer the kernel has not: a client may send the next before it reads.
    private var unanswered = 0
    private var timer: Scheduled<Void>?

    init(_ configuration: ApiConfiguration) {
        requestTime = TimeAmount(configuration.requestTime)
        answerTime = TimeAmount(configuration.answerTime)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            isReading = true
            unanswered += 1
            start(context, requestTime)
        case .body: break
        case .end:
            isReading = false
            start(context, answerTime)
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        // The exchange is over when the kernel has the last of it; a refused request must still come to its end.
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        written.futureResult.hop(to: context.eventLoop).assumeIsolated().whenComplete { [weak self] _ in
            guard let self else { return }
            unanswered = max(0, unanswered - 1)
            if !isReading, unanswered == 0 { stop() }
        }
        context.write(data, promise: written)
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    private func start(_ context: ChannelHandlerContext, _ time: TimeAmount) {
        stop()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) { context.close(promise: nil) }
    }

    private func stop() {
        timer?.cancel()
        timer = nil
    }
}
