import Agents
import NIOCore
import NIOTLS

/// TLS of a connection: what comes before it in the pipeline is encrypted, what comes after it is not.
final class TLSHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private enum State {
        case handshaking, open
        /// We have said that we send no more; the peer has not, and is waited for.
        case closing
        case closed
    }

    /// A record's longest plaintext (RFC 8446 section 5.1).
    private static let recordLength = 16_384
    /// For a peer's close_notify, so that what we sent last is not lost by a reset of TCP.
    private static let farewell: TimeAmount = .seconds(5)

    private let connection: TLSConnection
    private var state = State.handshaking
    /// Plaintext that is not encrypted yet, and up to where it is to be.
    private var waiting = MarkedCircularBuffer<(ByteBuffer, EventLoopPromise<Void>?)>(initialCapacity: 4)
    private var timer: Scheduled<Void>?
    /// Of whoever asked for the end that is under way.
    private var ended: EventLoopPromise<Void>?
    /// A read was asked for and has brought no plaintext yet.
    private var isReadWanted = false

    init(_ context: TLSContext) throws { connection = try TLSConnection(context) }

    /// What the peer's certificate is for, after the handshake.
    var peerNames: [String] { connection.peerNames }

    /// The client speaks first.
    func channelActive(context: ChannelHandlerContext) {
        if connection.isClient { shakeHands(context) }
        context.fireChannelActive()
    }

    // MARK: From the peer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard state != .closed else { return }
        unwrapInboundIn(data).withUnsafeReadableBytes(connection.receive)
        if state == .handshaking { shakeHands(context) }
        readAll(context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // Half a record is nothing to those who asked; and while closing nobody asks.
        if isReadWanted || state == .closing { context.read() }
    }

    func read(context: ChannelHandlerContext) {
        isReadWanted = true
        context.read()
    }

    private func shakeHands(_ context: ChannelHandlerContext) {
        let outcome = connection.handshake()
        send(context)
        switch outcome {
        case .needsInput: break
        case .done:
            state = .open
            context.fireUserInboundEventTriggered(
                TLSUserEvent.handshakeCompleted(negotiatedProtocol: connection.negotiatedProtocol))
            encrypt(context)
        case .closed: fail(context, "the peer closed during the handshake")
        case .failed(let reason): fail(context, reason)
        }
    }

    /// Hands on what can be decrypted. Whoever takes it may write, or close.
    private func readAll(_ context: ChannelHandlerContext) {
        while state == .open || state == .closing {
            let (outcome, bytes) = readRecord()
            switch outcome {
            case .done:
                // After our farewell nobody is here to read it.
                guard state == .open else { continue }
                isReadWanted = false
                context.fireChannelRead(wrapInboundOut(bytes))
            case .needsInput:
                // There may be an answer of the protocol's own, to a change of keys.
                return send(context)
            case .closed:
                if state == .open { connection.finish() }
                send(context)
                return closeNow(context)
            case .failed(let reason):
                send(context)
                return fail(context, reason)
            }
        }
    }

    /// By way of memory that is given back at once: most records are small.
    private func readRecord() -> (TLSConnection.Outcome, ByteBuffer) {
        withUnsafeTemporaryAllocation(byteCount: Self.recordLength, alignment: 1) { space in
            let (outcome, count) = connection.read(into: space)
            return (outcome, ByteBuffer(bytes: space[..<count]))
        }
    }

    private func fail(_ context: ChannelHandlerContext, _ reason: String) {
        guard state != .closed else { return }
        state = .closed
        context.fireErrorCaught(Failure(description: reason))
        closeNow(context)
    }

    private func closeNow(_ context: ChannelHandlerContext) {
        state = .closed
        timer?.cancel()
        let promise = ended
        ended = nil
        context.close(mode: .all, promise: promise)
    }

    /// Where a listener allows half-closed connections, a peer that says no more is only told of: it ends no handshake, and
    /// answers no farewell.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .inputClosed? = event as? ChannelEvent else { return context.fireUserInboundEventTriggered(event) }
        switch state {
        case .handshaking: fail(context, "the peer closed during the handshake")
        case .closing: closeNow(context)
        case .open, .closed: context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        release(ChannelError.ioOnClosedChannel)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { release(ChannelError.ioOnClosedChannel) }

    private func release(_ error: any Error) {
        state = .closed
        timer?.cancel()
        timer = nil
        ended?.succeed()
        ended = nil
        while let (_, promise) = waiting.popFirst() { promise?.fail(error) }
    }

    // MARK: To the peer

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard state == .handshaking || state == .open else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        waiting.append((unwrapOutboundIn(data), promise))
    }

    func flush(context: ChannelHandlerContext) {
        waiting.mark()
        encrypt(context)
    }

    private func encrypt(_ context: ChannelHandlerContext) {
        while state == .open, waiting.hasMark {
            let (bytes, promise) = waiting.removeFirst()
            switch bytes.withUnsafeReadableBytes(connection.write) {
            case .done: write(context, promise)
            case .failed(let reason):
                promise?.fail(Failure(description: reason))
                fail(context, reason)
            case .needsInput, .closed:
                // Only a renegotiation would, which is off.
                promise?.fail(ChannelError.ioOnClosedChannel)
                fail(context, "cannot write")
            }
        }
        context.flush()
    }

    /// Writes what there is for the peer.
    private func write(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        let count = connection.outputCount
        guard count > 0 else {
            promise?.succeed()
            return
        }
        var bytes = context.channel.allocator.buffer(capacity: count)
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { connection.takeOutput(into: $0) }
        context.write(wrapOutboundOut(bytes), promise: promise)
    }

    private func send(_ context: ChannelHandlerContext) {
        guard connection.outputCount > 0 else { return }
        write(context, nil)
        context.flush()
    }

    // MARK: The end

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .input: context.close(mode: .input, promise: promise)
        case .output:
            guard state == .open else { return context.close(mode: .output, promise: promise) }
            connection.finish()
            send(context)
            context.close(mode: .output, promise: promise)
        case .all: end(context, promise)
        }
    }

    private func end(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        switch state {
        case .handshaking, .closed:
            state = .closed
            context.close(mode: .all, promise: promise)
        case .closing: ended.setOrCascade(to: promise)
        case .open:
            state = .closing
            ended = promise
            connection.finish()
            send(context)
            timer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.farewell) { self.closeNow(context) }
            context.read()
        }
    }
}
