import Mailbox
import NIOCore
import Wire

/// One TCP or TLS connection of a TURN client, between its socket and the worker that it is given to. Lives on the bridge's
/// event loop.
final class TURNStream: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Answers that may wait for a client that does not read.
    private static let patience = 64
    /// Bytes that may wait for a client before its media is dropped, a tenth of a second of a call; and how many of them
    /// are left when it is sent again.
    private static let limit = 64 * 1_024
    private static let relief = 16 * 1_024
    /// Messages that may wait likewise: each is a write of its own where it is a record of its own.
    private static let messageLimit = 512
    /// Bytes that are written together at least while more come.
    private static let batch = 32 * 1_024

    private let bridge: TURNBridge
    private let transport: TURNTransport
    private(set) var client: TURNClient?
    private var context: ChannelHandlerContext?
    /// When the client was heard last.
    private(set) var lastHeard: NIODeadline
    private(set) var hasAllocation = false
    /// Answers written while the socket took none.
    private var held = 0
    /// More than `limit` waited, and not yet less than `relief`.
    private var isFull = false
    /// Bytes of the one write that is under way, and what comes behind it: many small writes would cost NIO a hundred times
    /// what they carry.
    private var underWay = 0
    private var waiting = ByteBuffer()
    /// Of the messages in `waiting`, over TLS.
    private var lengths: [Int] = []

    init(bridge: TURNBridge, transport: TURNTransport, now: NIODeadline) {
        self.bridge = bridge
        self.transport = transport
        lastHeard = now
    }

    // MARK: from the client

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        guard let remote = Endpoint(context.remoteAddress), let local = Endpoint(context.localAddress) else {
            return context.close(promise: nil)
        }
        client = bridge.open(self, transport: transport, remote: remote, local: local)
        if client == nil { context.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let client else { return }
        lastHeard = .now()
        var message = TURNStreamMessage(client)
        let fits = unwrapInboundIn(data).withUnsafeReadableBytes { message.fill($0) }
        if fits { bridge.pass(message) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        waiting = ByteBuffer()
        lengths = []
        if let client { bridge.close(client) }
        client = nil
    }

    /// Bytes that are no TURN, TLS that is none, a reset: the end of this connection and nobody else's affair.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: from the worker

    /// Puts a message on its way. Media that the socket does not take now is dropped: late media is worth nothing, and what
    /// is kept for a slow reader has no end. Answers are kept, to a number.
    func deliver(_ message: TURNStreamMessage) {
        guard let context else { return }
        if message.closed { return close() }
        let count = min(Int(message.count), TURNStreamMessage.capacity)
        let type = message.bytes[0]
        if isFull {
            if Self.isMedia(type, message.bytes[1]) { return bridge.countDrop(.slowReader) }
            held += 1
            if held > Self.patience {
                bridge.countDrop(.slowReader)
                return close()
            }
        }
        if type == 0x01, message.bytes[1] == 0x03 { hasAllocation = true }
        message.bytes.span.withUnsafeBytes { bytes in
            _ = waiting.writeBytes(UnsafeRawBufferPointer(rebasing: bytes.prefix(count)))
        }
        if transport == .tls { lengths.append(count) }
        if waiting.readableBytes >= Self.batch { flush() }
        if backlog > Self.limit || lengths.count > Self.messageLimit { isFull = true }
    }

    /// Bytes that the network has not taken.
    var backlog: Int { underWay + waiting.readableBytes }

    /// Writes what waits, unless a write is under way.
    func flush() {
        guard let context, underWay == 0, waiting.readableBytes > 0 else { return }
        underWay = waiting.readableBytes
        let taken = context.eventLoop.makePromise(of: Void.self)
        taken.futureResult.assumeIsolated().whenComplete { [weak self] result in
            guard let self, case .success = result else { return }
            underWay = 0
            if backlog < Self.relief {
                isFull = false
                held = 0
            }
            flush()
        }
        var bytes = waiting
        waiting = ByteBuffer()
        // Over TLS each message is a record of its own: some clients (coturn's turnutils_uclient) read no second one of a record.
        for length in lengths.dropLast() {
            bytes.readSlice(length: length).map { context.write(wrapOutboundOut($0), promise: nil) }
        }
        lengths.removeAll(keepingCapacity: true)
        context.writeAndFlush(wrapOutboundOut(bytes), promise: taken)
    }

    func close() { context?.close(promise: nil) }

    /// ChannelData, or a Data indication.
    private static func isMedia(_ first: UInt8, _ second: UInt8) -> Bool {
        first >> 6 == 1 || (first == 0x00 && second == 0x17)
    }
}

extension Endpoint {
    /// Nil for an address that is not of the Internet.
    init?(_ address: SocketAddress?) {
        switch address {
        case .v4(let v4):
            self.init(
                address: withUnsafeBytes(of: v4.address.sin_addr) { IPAddress(loadV4: $0.baseAddress!) },
                port: UInt16(bigEndian: v4.address.sin_port))
        case .v6(let v6):
            // A dual-stack listener shows IPv4 as ::ffff:a.b.c.d, which is our form of it.
            self.init(
                address: withUnsafeBytes(of: v6.address.sin6_addr) { IPAddress(loadV6: $0.baseAddress!) },
                port: UInt16(bigEndian: v6.address.sin6_port))
        default: return nil
        }
    }
}
