import NIOCore
import NIOWebSocket

/// What a client must not send.
enum SignalingFault: Error {
    /// RFC 6455 section 5.1.
    case unmasked
    /// RFC 6455 section 5.2: of no extension that was negotiated.
    case reservedBits
}

/// Refuses frames that break the protocol, before fragments are put together.
final class FrameGuard: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = WebSocketFrame

    private let allowsCompression: Bool
    /// The message whose first frame came last is compressed (RFC 7692 section 6).
    private(set) var isCompressed = false

    init(allowsCompression: Bool) { self.allowsCompression = allowsCompression }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        let isFirst = frame.opcode == .text || frame.opcode == .binary
        if frame.maskKey == nil {
            context.fireErrorCaught(SignalingFault.unmasked)
        } else if frame.rsv1 && !(isFirst && allowsCompression) || frame.rsv2 || frame.rsv3 {
            context.fireErrorCaught(SignalingFault.reservedBits)
        } else {
            if isFirst { isCompressed = frame.rsv1 }
            context.fireChannelRead(data)
        }
    }
}

/// From whole frames to text messages: control frames, keepalive and close codes end here.
final class SignalingFrames: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = String

    private let socket: SignalingConnection
    private let frameGuard: FrameGuard
    private let keepalive: TimeAmount
    private let joinTime: TimeAmount
    /// Intervals since the last frame of the peer.
    private var silence = 0
    private var nextPing: Scheduled<Void>?
    private var joinDeadline: Scheduled<Void>?

    init(socket: SignalingConnection, frameGuard: FrameGuard, keepalive: TimeAmount, joinTime: TimeAmount) {
        self.socket = socket
        self.frameGuard = frameGuard
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
        case .text: read(payload, context)
        case .binary: socket.close(.unacceptableData, "text messages only")
        default: socket.close(.protocolError, "unknown opcode")
        }
    }

    private func read(_ payload: ByteBuffer, _ context: ChannelHandlerContext) {
        do {
            let message =
                frameGuard.isCompressed
                ? try MessageCompressor.ofThisThread.decompress(
                    payload.readableBytesView, limit: ApiConfiguration.messageLimit) : payload
            guard let text = String(validating: message.readableBytesView, as: UTF8.self) else {
                return socket.close(.dataInconsistentWithMessage, "not UTF-8")
            }
            context.fireChannelRead(wrapInboundOut(text))
        } catch MessageCompressor.Fault.tooLong {
            refuseLength()
        } catch {
            socket.close(.dataInconsistentWithMessage, "malformed compression")
        }
    }

    private func refuseLength() { socket.close(.messageTooLarge, "at most 256 KiB") }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            socket.close(.goingAway, "the server is stopping")
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case NIOWebSocketFrameAggregator.Error.accumulatedFrameSizeIsTooLarge: refuseLength()
        case is NIOWebSocketFrameAggregator.Error, is SignalingFault:
            socket.close(.protocolError, "malformed frames")
        case is NIOWebSocketError:
            // The upgrader's own handler has sent the close.
            break
        default: socket.drop()
        }
    }
}
