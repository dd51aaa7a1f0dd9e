import NIOCore
import NIOWebSocket

/// Lets whole frames onto the connection past the encoder of frames: it stands between that and the network.
///
/// One write is under way at a time. What is said meanwhile waits here as bytes: thousands of small writes would cost NIO
/// a hundred times what they carry.
final class FrameWriter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes that may wait, those of the write under way among them.
    private let limit: Int
    /// Nil once nothing more is written.
    private var context: ChannelHandlerContext?
    private var underWay = 0
    private var waiting = ByteBuffer()
    /// The latest that is not answered yet (RFC 6455 section 5.5.3).
    private var pong: ByteBuffer?
    private var isPingWanted = false
    private var isFinished = false

    init(limit: Int) { self.limit = limit }

    /// Bytes that the network has not taken.
    var backlog: Int { underWay + waiting.readableBytes + (pong?.readableBytes ?? 0) }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    /// Writes frames, or keeps them until the network takes what is before them.
    ///
    /// - Returns: false where more would wait than the limit. One write may be longer where nothing waits.
    func write(_ frames: ByteBuffer) -> Bool {
        guard context != nil, !isFinished else { return true }
        guard underWay > 0 else {
            begin(frames)
            return true
        }
        guard backlog + frames.readableBytes <= limit else { return false }
        waiting.writeImmutableBuffer(frames)
        return true
    }

    func ping() {
        isPingWanted = true
        proceed()
    }

    func pong(_ data: ByteBuffer) {
        pong = ByteBuffer(bytes: data.readableBytesView)
        proceed()
    }

    /// Writes a close frame behind what waits; nothing may follow it (RFC 6455 section 5.5.1).
    ///
    /// - Parameter promise: succeeds when the network has taken it.
    func finish(_ data: ByteBuffer, promise: EventLoopPromise<Void>? = nil) {
        guard let context, !isFinished else {
            promise?.succeed()
            return
        }
        isFinished = true
        waiting.writeImmutableBuffer(TextFrame.control(.connectionClose, data))
        pong = nil
        isPingWanted = false
        let last = waiting
        waiting = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(last), promise: promise)
    }

    /// Drops what waits and writes nothing more.
    func stop() {
        context = nil
        waiting = ByteBuffer()
        pong = nil
    }

    private func proceed() {
        guard underWay == 0, !isFinished else { return }
        var next = waiting
        waiting = ByteBuffer()
        if let pong { next.writeImmutableBuffer(TextFrame.control(.pong, pong)) }
        if isPingWanted { next.writeImmutableBuffer(TextFrame.control(.ping, ByteBuffer())) }
        pong = nil
        isPingWanted = false
        if next.readableBytes > 0 { begin(next) }
    }

    private func begin(_ frames: ByteBuffer) {
        guard let context else { return }
        underWay = frames.readableBytes
        let taken = context.eventLoop.makePromise(of: Void.self)
        taken.futureResult.assumeIsolated().whenComplete { [weak self] result in
            guard let self else { return }
            underWay = 0
            if case .success = result { proceed() }
        }
        context.writeAndFlush(wrapOutboundOut(frames), promise: taken)
    }
}
