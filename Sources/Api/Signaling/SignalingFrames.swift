import Meetings
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
            let isPart = frame.opcode == .continuation || !frame.fin
            context.fireChannelRead(isPart ? wrapInboundOut(Self.alone(frame)) : data)
        }
    }

    /// A fragment waits for the others: it may not keep all that came in the same read.
    private static func alone(_ fragment: WebSocketFrame) -> WebSocketFrame {
        var copy = fragment
        copy.data = ByteBuffer(bytes: fragment.data.readableBytesView)
        return copy
    }
}

/// A text message as it came.
struct SignalingText: Sendable {
    private let payload: ByteBuffer
    private let isCompressed: Bool

    /// - Parameter payload: is copied: it shares its memory with whatever else came in the same read.
    init(_ payload: ByteBuffer, isCompressed: Bool) {
        self.payload = ByteBuffer(bytes: payload.readableBytesView)
        self.isCompressed = isCompressed
    }

    /// What it says; nil where it is not UTF-8. It is made whole only where it is read: a small message may be a large one,
    /// and several wait at once.
    func read() throws(MessageCompressor.Fault) -> String? {
        let message =
            isCompressed
            ? try MessageCompressor.ofThisThread.decompress(
                payload.readableBytesView, limit: ApiConfiguration.messageLimit) : payload
        return String(validating: message.readableBytesView, as: UTF8.self)
    }
}

extension SignalingConnection {
    func refuseLength() { close(.messageTooLarge, "at most 256 KiB") }

    /// What the peer said; nil, and the end of the connection, where that cannot be read.
    func read(_ message: SignalingText) -> String? {
        do throws(MessageCompressor.Fault) {
            if let text = try message.read() { return text }
            close(.dataInconsistentWithMessage, "not UTF-8")
        } catch {
            switch error {
            case .tooLong: refuseLength()
            case .malformed: close(.dataInconsistentWithMessage, "malformed compression")
            }
        }
        return nil
    }
}

/// From whole frames to text messages: control frames, keepalive and close codes end here.
final class SignalingFrames: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = SignalingText

    /// Control frames at once and per second; browsers send none of their own accord.
    static let controlBurst = 100
    private static let controlPerSecond = 2.0

    private let socket: SignalingConnection
    private let frameGuard: FrameGuard
    private let keepalive: TimeAmount
    private let joinTime: TimeAmount
    /// Intervals since the last frame of the peer.
    private var silence = 0
    private var nextPing: Scheduled<Void>?
    private var joinDeadline: Scheduled<Void>?
    private var control: TokenBucket

    init(socket: SignalingConnection, frameGuard: FrameGuard, keepalive: TimeAmount, joinTime: TimeAmount) {
        self.socket = socket
        self.frameGuard = frameGuard
        self.keepalive = keepalive
        self.joinTime = joinTime
        control = TokenBucket(burst: Self.controlBurst, at: Self.now)
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
        let payload = frame.unmaskedData
        switch frame.opcode {
        case .connectionClose: socket.answerClose(Self.answer(toClose: payload))
        case _ where socket.isClosing: break
        case .ping, .pong: take(frame.opcode, payload)
        case .text:
            context.fireChannelRead(wrapInboundOut(SignalingText(payload, isCompressed: frameGuard.isCompressed)))
        case .binary: socket.close(.unacceptableData, "text messages only")
        default: socket.close(.protocolError, "unknown opcode")
        }
    }

    private func take(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) {
        guard control.take(burst: Self.controlBurst, perSecond: Self.controlPerSecond, at: Self.now) == nil else {
            return socket.closeFlood("too many control frames")
        }
        if opcode == .ping { socket.pong(payload) }
    }

    /// By the clock that no step moves.
    private static var now: Timestamp {
        Timestamp(milliseconds: Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000))
    }

    /// The peer's own code, where it may send that one (RFC 6455 sections 5.5.1 and 7.4).
    private static func answer(toClose payload: ByteBuffer) -> WebSocketErrorCode {
        guard payload.readableBytes > 0 else { return .normalClosure }
        var reason = payload
        guard let code = reason.readInteger(as: UInt16.self) else { return .protocolError }
        guard String(validating: reason.readableBytesView, as: UTF8.self) != nil else {
            return .dataInconsistentWithMessage
        }
        return switch code {
        // 1004 to 1006 and 1015 are never sent; 1016 to 2999 are of the protocol's later versions.
        case 1_000...1_003, 1_007...1_014, 3_000...4_999: WebSocketErrorCode(codeNumber: Int(code))
        default: .protocolError
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
        case NIOWebSocketFrameAggregator.Error.accumulatedFrameSizeIsTooLarge: socket.refuseLength()
        case is NIOWebSocketFrameAggregator.Error, is SignalingFault:
            socket.close(.protocolError, "malformed frames")
        case is NIOWebSocketError:
            // The upgrader's own handler has sent the close.
            break
        default: socket.drop()
        }
    }
}
