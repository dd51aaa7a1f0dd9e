import NIOCore
import NIOWebSocket
import Synchronization

/// The server's end of one signaling socket. Anybody may send from anywhere; nobody waits for the reader.
final class SignalingSocket: Sendable {
    /// Close codes of our own (RFC 6455 section 7.4.2).
    static let replaced = WebSocketErrorCode.unknown(4_001)

    private let channel: any Channel
    /// Bytes handed to the channel and not yet to the kernel.
    private let queued = Atomic<Int>(0)
    private let closing = Atomic<Bool>(false)
    /// The close was our own word, not the peer's.
    private let isRefused = Atomic<Bool>(false)
    private let joined = Atomic<Bool>(false)

    init(channel: any Channel) { self.channel = channel }

    /// Whether either side ended the connection: nothing more is sent.
    var isClosing: Bool { closing.load(ordering: .acquiring) }

    /// Whether we ended the connection: what still comes in is not heard. What came in before the peer's own close
    /// (its `leave`) is.
    var refusesInput: Bool { isRefused.load(ordering: .acquiring) }

    var hasJoined: Bool { joined.load(ordering: .acquiring) }

    func markJoined() { joined.store(true, ordering: .releasing) }

    func send(_ message: some Encodable) { send(text: ByteBuffer(bytes: JSON.encode(message))) }

    /// Sends an encoded message; one buffer may go to many sockets.
    func send(text: ByteBuffer) {
        guard !isClosing else { return }
        let size = text.readableBytes
        let (_, waiting) = queued.add(size, ordering: .relaxed)
        guard waiting <= ApiConfiguration.queueLimit else {
            // Such a reader would not read a close frame either.
            drop()
            return
        }
        channel.writeAndFlush(WebSocketFrame(fin: true, opcode: .text, data: text)).whenComplete { [self] _ in
            queued.subtract(size, ordering: .relaxed)
        }
    }

    func ping() { channel.writeAndFlush(WebSocketFrame(fin: true, opcode: .ping, data: ByteBuffer()), promise: nil) }

    func pong(_ data: ByteBuffer) {
        guard !isClosing else { return }
        channel.writeAndFlush(WebSocketFrame(fin: true, opcode: .pong, data: data), promise: nil)
    }

    /// Begins the closing handshake (RFC 6455 section 7.1.2); a peer that does not answer is dropped.
    func close(_ code: WebSocketErrorCode, _ reason: String) {
        guard !closing.exchange(true, ordering: .acquiringAndReleasing) else { return }
        isRefused.store(true, ordering: .releasing)
        var data = channel.allocator.buffer(capacity: 2 + reason.utf8.count)
        data.write(webSocketErrorCode: code)
        data.writeString(reason)
        channel.writeAndFlush(WebSocketFrame(fin: true, opcode: .connectionClose, data: data), promise: nil)
        let channel = channel
        let timeout = channel.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in timeout.cancel() }
    }

    /// Answers the peer's close and ends the connection.
    func answerClose(_ code: WebSocketErrorCode) {
        let channel = channel
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
