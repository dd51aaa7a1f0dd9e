import NIOCore
import NIOWebSocket
import Synchronization

/// A signaling socket over a connection of the API listener.
final class SignalingConnection: SignalingSocket {
    /// For the peer's part of the closing handshake.
    private static let patience = TimeAmount.seconds(2)

    private let channel: any Channel
    /// Of `channel`'s event loop.
    private let writer: NIOLoopBound<FrameWriter>
    /// The peer agreed to RFC 7692.
    private let isCompressed: Bool
    private let ends: ConnectionEnds
    private let closing = Atomic<Bool>(false)
    /// The close was our own word, not the peer's.
    private let isRefused = Atomic<Bool>(false)
    private let joined = Atomic<Bool>(false)

    /// On the channel's event loop.
    ///
    /// - Parameter writer: a handler of the channel.
    init(channel: any Channel, writer: FrameWriter, isCompressed: Bool, ends: ConnectionEnds) {
        self.ends = ends
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
        guard !writer.value.write(isCompressed ? PermessageDeflate.compress(frames) : frames) else { return }
        ends.count(.slowReader)
        drop()
    }

    func closeFlood(_ reason: String) {
        ends.count(.flood)
        close(.policyViolation, reason)
    }

    private func onEventLoop(_ body: @escaping @Sendable () -> Void) {
        if channel.eventLoop.inEventLoop { body() } else { channel.eventLoop.execute(body) }
    }

    /// On the event loop.
    func ping() { writer.value.ping() }

    /// On the event loop.
    func pong(_ data: ByteBuffer) {
        if !isClosing { writer.value.pong(data) }
    }

    func close(_ code: WebSocketErrorCode, _ reason: String) {
        guard !closing.exchange(true, ordering: .acquiringAndReleasing) else { return }
        isRefused.store(true, ordering: .releasing)
        var data = channel.allocator.buffer(capacity: 2 + reason.utf8.count)
        data.write(webSocketErrorCode: code)
        data.writeString(reason)
        onEventLoop { [data] in self.writer.value.finish(data) }
        endInTime()
    }

    /// A peer that takes no close frame, or does not answer ours, is not waited for.
    private func endInTime() {
        let channel = channel
        let timeout = channel.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in timeout.cancel() }
    }

    /// On the event loop. Answers the peer's close and ends the connection.
    func answerClose(_ code: WebSocketErrorCode) {
        let channel = channel
        guard !closing.exchange(true, ordering: .acquiringAndReleasing) else {
            channel.close(promise: nil)
            return
        }
        var data = channel.allocator.buffer(capacity: 2)
        data.write(webSocketErrorCode: code)
        let written = channel.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in channel.close(promise: nil) }
        writer.value.finish(data, promise: written)
        endInTime()
    }

    func drop() {
        isRefused.store(true, ordering: .releasing)
        closing.store(true, ordering: .releasing)
        onEventLoop { self.writer.value.stop() }
        channel.close(promise: nil)
    }
}
