import NIOCore
import NIOHTTPTypes

/// What the bodies on their way over one connection of HTTP/2 may take together: each may be as long as a body may be, and
/// there are many. Of the connection's event loop.
final class BodyBudget {
    /// Eight of the longest.
    static let limit = 8 * ApiConfiguration.bodyLimit

    private var taken = 0
    private let ends: ConnectionEnds

    init(_ ends: ConnectionEnds) { self.ends = ends }

    /// Takes so many bytes more; false where there are not as many.
    func take(_ count: Int) -> Bool {
        guard taken + count <= Self.limit else {
            ends.count(.bodies)
            return false
        }
        taken += count
        return true
    }

    func giveBack(_ count: Int) { taken -= count }
}

/// Resets a stream whose body the budget of its connection has no room for.
final class BodyGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    private let budget: BodyBudget
    private var taken = 0
    private var isRefused = false

    init(_ budget: BodyBudget) { self.budget = budget }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isRefused { return }
        if case .body(let bytes) = unwrapInboundIn(data) {
            guard budget.take(bytes.readableBytes) else {
                isRefused = true
                return context.close(promise: nil)
            }
            taken += bytes.readableBytes
        }
        context.fireChannelRead(data)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        budget.giveBack(taken)
        taken = 0
    }
}
