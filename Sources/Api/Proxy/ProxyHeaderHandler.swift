import NIOCore
import Wire

/// Takes the PROXY header off a trusted proxy's connection, where it has one. It stays, and tells whose connection it is.
final class ProxyHeaderHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    let peer: Peer
    private let onSource: (Peer) -> Bool
    /// What came before it was known; nil afterwards.
    private var waiting: ByteBuffer?

    /// - Parameter onSource: whether a connection for this peer may stay; called once, when the proxy has named it.
    init(_ peer: Peer, onSource: @escaping (Peer) -> Bool) {
        self.peer = peer
        self.onSource = onSource
        waiting = peer.isProxy ? ByteBuffer() : nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard var bytes = waiting else { return context.fireChannelRead(data) }
        var more = unwrapInboundIn(data)
        bytes.writeBuffer(&more)
        switch bytes.withUnsafeReadableBytes(ProxyHeader.read) {
        case .incomplete: waiting = bytes
        case .absent: pass(bytes, context)
        case .malformed: context.close(promise: nil)
        case .header(let header):
            if let source = header.source {
                peer.tell(source.address)
                guard onSource(peer) else { return context.close(promise: nil) }
            }
            bytes.moveReaderIndex(forwardBy: header.length)
            pass(bytes, context)
        }
    }

    private func pass(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        waiting = nil
        if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
    }
}

extension Channel {
    /// Whose connection this is, or that of which this is a stream. On its event loop.
    func peer() throws -> Peer {
        let own = try? pipeline.syncOperations.handler(type: ProxyHeaderHandler.self)
        if let own { return own.peer }
        guard let parent else { throw ChannelPipelineError.notFound }
        return try parent.pipeline.syncOperations.handler(type: ProxyHeaderHandler.self).peer
    }
}
