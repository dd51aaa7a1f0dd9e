import NIOCore
import NIOWebSocket
import Synchronization

/// A signaling socket over a connection of the API listener.
final class SignalingConnection: SignalingSocket {
    private let channel: any Channel
    /// Of `channel`'s event loop.
    private let writer: NIOLoopBound<FrameWriter>
    /// The peer agreed to RFC 7692.
    private let isCompressed: Bool
    private let closing = Atomic<Bool>(false)
    /// The close was our own word, not the peer's.
    private let isRefused = Atomic<Bool>(false)
    private let joined = Atomic<Bool>(false)

    /// On the channel's event loop.
    ///
    /// - Parameter writer: a handler of the channel.
    init(channel: any Channel, writer: FrameWriter, isCompressed: Bool) {
        self.channel = channel
        self.isCompressed = isCompressed
        self.writer = NIOLoopBound(writer, eventLoop: channel.eventLoop)
    }

    var eventLoop: any EventLoop { channel.eventLoop }

    var isClosing: Bool { closing.load(ordering: .acquiring) }

    /// Whether we ended the connection: what still comes in is not heard. What came in before the peer's own close
    /// (its `leave`) is.
    var refusesInput: Bool { isRefused.load(ordering: .acquiring) }

    var hasJoined: Bool { joined.load(ordering: .acquiring) }

    func markJoined() { joined.store(true, ordering: .releasing) }

    func send(_ frames: ByteBuffer) {
        guard !isClosing else { return }
        onEventLoop { self.write(frames) }
    }

    /// On the event loop. A reader that leaves too much waiting would not read a close frame either.
    func write(_ frames: ByteBuffer) {
        guard channel.isWritable else { return drop() }
        writer.value.write(isCompressed ? PermessageDeflate.compress(frames) : frames)
    }

    private func onEventLoop(_ body: @escaping @Sendable () -> Void) {
        if channel.eventLoop.inEventLoop { body() } else { channel.eventLoop.execute(body) }
    }

    func ping() { channel.writeAndFlush(WebSocketFrame(fin: true, opcode: .ping, data: ByteBuffer()), promise: nil) }

    /// On the event loop.
    func pong(_ data: ByteBuffer) {
        guard !isClosing else { return }
        guard channel.isWritable else { return drop() }
        channel.writeAndFlush(WebSocketFrame(fin: true, opcode: .pong, data: data), promise: nil)
    }

    /// A peer that does not answer in 2 s is dropped.
    func close(_ code: WebSocketErrorCode, _ reason: String) {
        guard !closing.exchange(true, ordering: .acquiringAndReleasing) else { return }
        isRefused.store(true, ordering: .releasing)
        var data = channel.allocator.buffer(capacity: 2 + reason.utf8.count)
        data.write(webSocketErrorCode: code)
        data.writeString(reason)
        let frame = WebSocketFrame(fin: true, opcode: .connectionClose, data: data)
        let channel = channel
        onEventLoop {
            self.writer.value.finish()
            channel.writeAndFlush(frame, promise: nil)
        }
        let timeout = channel.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in timeout.cancel() }
    }

    /// On the event loop. Answers the peer's close and ends the connection.
    func answerClose(_ code: WebSocketErrorCode) {
        let channel = channel
        writer.value.finish()
        guard !closing.exchange(true, ordering: .acquiringAndReleasing) else {
            channel.close(promise: nil)
            return
        }
        var data = channel.allocator.buffer(capacity: 2)
        data.write(webSocketErrorCode: code)
        channel.writeAndFlush(WebSocketFrame(fin: true, opcode: .connectionClose, data: data)).whenComplete { _ in
            channel.close(promise: nil)
        }
    }

    func drop() {
        isRefused.store(true, ordering: .releasing)
        closing.store(true, ordering: .releasing)
        channel.close(promise: nil)
    }
}

/// Lets whole frames onto the connection past the encoder of frames: it stands between that and the network.
final class FrameWriter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Nil once nothing more is written.
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// Nothing may follow a close frame (RFC 6455 section 5.5.1).
    func finish() { context = nil }

    func write(_ frames: ByteBuffer) { context?.writeAndFlush(wrapOutboundOut(frames), promise: nil) }
}
