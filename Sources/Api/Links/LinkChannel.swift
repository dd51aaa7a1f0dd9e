import Fleet
import NIOCore
import NIOTLS
import Wire

/// Who has the connections: all calls come on their event loop.
protocol LinkChannelOwner: AnyObject {
    /// Both sides have proved who they are; the peer's certificate has these names.
    func established(_ channel: LinkChannel, names: [String])
    func received(_ bytes: [UInt8], on channel: LinkChannel)
    /// The network has taken what was written.
    func taken(_ channel: LinkChannel)
    func ended(_ channel: LinkChannel, _ failure: LinkFailure)
    /// Whether more may be read now; else `LinkChannel.readOn` is called later.
    var takesMore: Bool { get }
}

/// One connection between two PoPs, above its TLS: hands on what comes, and counts what is on its way to the peer.
final class LinkChannel: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The other end, as the log names it.
    private(set) var remote = "?"
    /// Nil for what is no address of the Internet.
    private(set) var remoteAddress: IPAddress?
    /// The roster's name for it, once it has one.
    var id: LinkRoster.ConnectionID?
    /// Bytes that were written and that the network has not taken.
    private(set) var underWay = 0
    /// Since when nothing of them was taken.
    private(set) var stalledSince: Duration?

    private let patience: TimeAmount
    private var timer: Scheduled<Void>?
    private let tls: TLSHandler
    private let owner: any LinkChannelOwner
    private var context: ChannelHandlerContext?
    private var failure: LinkFailure?
    private var isEstablished = false
    private var isFinished = false
    /// A read that waits for `readOn`.
    private var owesRead = false

    /// - Parameter patience: for the handshake of TLS.
    init(tls: TLSHandler, patience: Duration, owner: any LinkChannelOwner) {
        self.tls = tls
        self.patience = TimeAmount(patience)
        self.owner = owner
    }

    // MARK: From the peer

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        remote = context.remoteAddress?.ipAddress ?? "?"
        remoteAddress = Endpoint(context.remoteAddress)?.address
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: patience) {
            self.failure = self.failure ?? .silent
            context.close(promise: nil)
        }
        context.read()
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent, !isFinished {
            isEstablished = true
            timer?.cancel()
            owner.established(self, names: tls.peerNames)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard isEstablished, !isFinished else { return }
        owner.received(Array(unwrapInboundIn(data).readableBytesView), on: self)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if owner.takesMore { context.read() } else { owesRead = true }
    }

    func readOn() {
        guard owesRead else { return }
        owesRead = false
        context?.read()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? TLSHandler.Failure { failure = failure ?? .tls(error.description) }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        timer?.cancel()
        guard !isFinished else { return }
        isFinished = true
        owner.ended(self, failure ?? .lost)
    }

    // MARK: To the peer

    func write(_ bytes: [UInt8], at now: Duration) {
        guard let context, !bytes.isEmpty else { return }
        if underWay == 0 { stalledSince = now }
        underWay += bytes.count
        let taken = context.eventLoop.makePromise(of: Void.self)
        taken.futureResult.assumeIsolated().whenComplete { [weak self] result in
            guard let self else { return }
            underWay -= bytes.count
            guard case .success = result else { return }
            stalledSince = nil
            owner.taken(self)
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: taken)
    }

    /// Whether nothing of what is on its way was taken for so long.
    func isStalled(for patience: Duration, at now: Duration) -> Bool {
        guard underWay > 0 else { return false }
        // Another write was taken, and this one is waiting since.
        guard let since = stalledSince else {
            stalledSince = now
            return false
        }
        return now - since >= patience
    }

    /// Ends it; the owner hears no more of it.
    func finish(_ last: [UInt8] = [], at now: Duration) {
        guard !isFinished else { return }
        isFinished = true
        write(last, at: now)
        context?.close(promise: nil)
    }
}
