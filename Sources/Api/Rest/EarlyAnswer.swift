import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Answers what the head of a request decides alone, when all that came before it is answered: a client that asks before it
/// sends a body (Expect, RFC 9110 section 10.1.1) is told to go on, or is refused; and this is no proxy (CONNECT).
final class EarlyAnswer: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private enum Answer {
        case none, `continue`
        case refuse(Problem, isHead: Bool)
    }

    /// Requests that were let through and whose answers have not ended.
    private var unanswered = 0
    /// Of the request that came last, until it is that one's turn.
    private var pending = Answer.none
    private var isRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Nobody is here for the rest of a refused request.
        if isRefused { return }
        if case .head(let head) = unwrapInboundIn(data) {
            pending = Self.answer(to: head)
            if case .refuse = pending {
                isRefused = true
                return answerInTurn(context)
            }
            unanswered += 1
            answerInTurn(context)
        } else if case .continue = pending {
            // It did not wait.
            pending = .none
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .head(let head) = unwrapOutboundIn(data), head.status.kind != .informational, unanswered == 1 {
            // It is answered already.
            if case .continue = pending { pending = .none }
        }
        context.write(data, promise: promise)
        guard case .end = unwrapOutboundIn(data) else { return }
        unanswered = max(0, unanswered - 1)
        answerInTurn(context)
    }

    private func answerInTurn(_ context: ChannelHandlerContext) {
        switch pending {
        case .continue where unanswered == 1:
            pending = .none
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        case .refuse(let problem, let isHead) where unanswered == 0:
            pending = .none
            refuse(context, problem, isHead: isHead)
        default: break
        }
    }

    private static func answer(to head: HTTPRequest) -> Answer {
        func refuse(_ problem: Problem) -> Answer { .refuse(problem, isHead: head.method == .head) }
        // The decoder of HTTP/1.1 takes all that follows for the tunnel's.
        if head.method == .connect { return refuse(Problem(501, "not_implemented", "This is no proxy.")) }
        let expectations = head.headerFields[values: .expect]
        guard !expectations.isEmpty else { return .none }
        guard expectations.allSatisfy({ $0.lowercased() == "100-continue" }) else {
            return refuse(Problem(417, "expectation_failed", "A request may expect 100-continue, nothing else."))
        }
        let length = head.headerFields[.contentLength].flatMap { Int($0) } ?? 0
        return length > ApiConfiguration.bodyLimit ? refuse(.bodyTooLarge) : .continue
    }

    private func refuse(_ context: ChannelHandlerContext, _ problem: Problem, isHead: Bool) {
        let body = problem.body
        var head = HTTPResponse(status: problem.status, headerFields: problem.fields)
        head.headerFields[.connection] = "close"
        head.headerFields[.contentLength] = "\(body.readableBytes)"
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !isHead { context.write(wrapOutboundOut(.body(body)), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(promise: nil)
    }
}
