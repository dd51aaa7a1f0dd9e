import NIOCore
import NIOWebSocket

/// What a client must not send.
enum SignalingFault: Error {
    /// RFC 6455 section 5.1.
    case unmasked
    /// RFC 6455 section 5.2: no extension was negotiated.
    case reservedBits
}

/// Refuses frames that break the protocol, before fragments are put together.
final class FrameGuard: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = WebSocketFrame

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        if frame.maskKey == nil {
            context.fireErrorCaught(SignalingFault.unmasked)
        } else if frame.rsv1 || frame.rsv2 || frame.rsv3 {
            context.fireErrorCaught(SignalingFault.reservedBits)
        } else {
            context.fireChannelRead(data)
        }
    }
}

/// From whole frames to text messages: control frames, keepalive and close codes end here.
final class SignalingFrames: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = String

    private let socket: SignalingConnection
    private let keepalive: TimeAmount
    private let joinTime: TimeAmount
    /// Intervals since the last frame of the peer.
    private var silence = 0
    private var nextPing: Scheduled<Void>?
    private var joinDeadline: Scheduled<Void>?

    init(socket: SignalingConnection, keepalive: TimeAmount, joinTime: TimeAmount) {
        self.socket = socket
        self.keepalive = keepalive
        self.joinTime = joinTime
    }

    func handlerAdded(context: ChannelHandlerContext) {
        scheduleKeepalive(context)
        joinDeadline = context.eventLoop.assumeIsolated().scheduleTask(in: joinTime) { [socket] in
            if !socket.hasJoined { socket.close(.policyViolation, "nobody joined") }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        nextPing?.cancel()
        joinDeadline?.cancel()
        context.fireChannelInactive()
    }

    private func scheduleKeepalive(_ context: ChannelHandlerContext) {
        nextPing = context.eventLoop.assumeIsolated().scheduleTask(in: keepalive) { [weak self] in
            guard let self, context.channel.isActive else { return }
            silence += 1
            guard silence <= 2 else { return socket.drop() }
            socket.ping()
            scheduleKeepalive(context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        silence = 0
        var payload = frame.unmaskedData
        switch frame.opcode {
        case .connectionClose:
            socket.answerClose(payload.readWebSocketErrorCode() ?? .normalClosure)
        case _ where socket.isClosing: break
        case .ping: socket.pong(payload)
        case .pong: break
        case .text:
            guard let text = String(validating: payload.readableBytesView, as: UTF8.self) else {
                return socket.close(.dataInconsistentWithMessage, "not UTF-8")
            }
            context.fireChannelRead(wrapInboundOut(text))
        case .binary: socket.close(.unacceptableData, "text messages only")
        default: socket.close(.protocolError, "unknown opcode")
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            socket.close(.goingAway, "the server is stopping")
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case NIOWebSocketFrameAggregator.Error.accumulatedFrameSizeIsTooLarge:
            socket.close(.messageTooLarge, "at most 256 KiB")
        case is NIOWebSocketFrameAggregator.Error, is SignalingFault:
            socket.close(.protocolError, "malformed frames")
        case is NIOWebSocketError:
            // The upgrader's own handler has sent the close.
            break
        default: socket.drop()
        }
    }
}
