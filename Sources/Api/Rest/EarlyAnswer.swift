import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Answers what the head of a request decides alone: a client that asks before it sends a body (Expect, RFC 9110 section
/// 10.1.1) is told to go on, or is refused at once; and this is no proxy (CONNECT).
final class EarlyAnswer: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundOut = HTTPResponsePart

    private enum Answer {
        case none, `continue`
        case refuse(Problem)
    }

    private var isRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Nobody is here for the rest of a refused request.
        if isRefused { return }
        if case .head(let head) = unwrapInboundIn(data) {
            switch Self.answer(to: head) {
            case .none: break
            case .continue:
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            case .refuse(let problem): return refuse(context, problem, isHead: head.method == .head)
            }
        }
        context.fireChannelRead(data)
    }

    private static func answer(to head: HTTPRequest) -> Answer {
        // The decoder of HTTP/1.1 takes all that follows for the tunnel's.
        if head.method == .connect { return .refuse(Problem(501, "not_implemented", "This is no proxy.")) }
        let expectations = head.headerFields[values: .expect]
        guard !expectations.isEmpty else { return .none }
        guard expectations.allSatisfy({ $0.lowercased() == "100-continue" }) else {
            return .refuse(Problem(417, "expectation_failed", "A request may expect 100-continue, nothing else."))
        }
        let length = head.headerFields[.contentLength].flatMap { Int($0) } ?? 0
        return length > ApiConfiguration.bodyLimit ? .refuse(.bodyTooLarge) : .continue
    }

    private func refuse(_ context: ChannelHandlerContext, _ problem: Problem, isHead: Bool) {
        isRefused = true
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
