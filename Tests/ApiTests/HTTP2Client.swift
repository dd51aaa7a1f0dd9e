import NIOCore
import NIOHPACK
import NIOPosix
import NIOTLS

@testable import Api

/// HTTP/2 (RFC 9113) by hand over TLS: a client that keeps to no rule and answers nothing by itself.
final class HTTP2Client: @unchecked Sendable {
    enum Kind: UInt8 {
        case data, headers, priority, reset, settings, push, ping, goAway, windowUpdate, continuation
    }

    struct Frame: Sendable {
        var kind: Kind?
        var flags: UInt8
        var stream: UInt32
        var payload: [UInt8]

        /// Of RST_STREAM and GOAWAY (section 7).
        var errorCode: UInt32? {
            switch kind {
            case .reset: word(0)
            case .goAway: word(4)
            default: nil
            }
        }

        /// Of SETTINGS, by identifier (section 6.5.2).
        var settings: [UInt16: UInt32] {
            var found: [UInt16: UInt32] = [:]
            for place in stride(from: 0, to: payload.count - 5, by: 6) {
                found[UInt16(payload[place]) << 8 | UInt16(payload[place + 1])] = word(place + 2)
            }
            return found
        }

        private func word(_ place: Int) -> UInt32? {
            guard payload.count >= place + 4 else { return nil }
            return payload[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    static let endStream: UInt8 = 1
    static let acknowledged: UInt8 = 1
    static let endHeaders: UInt8 = 4

    private let channel: any Channel
    private var frames: AsyncStream<Frame>.Iterator
    /// What ALPN agreed on.
    let negotiated: String?

    private init(_ channel: any Channel, _ frames: AsyncStream<Frame>, negotiated: String?) {
        self.channel = channel
        self.frames = frames.makeAsyncIterator()
        self.negotiated = negotiated
    }

    /// Connects to the API's listener, whose certificate must have the name or address `host`.
    ///
    /// - Parameters:
    ///   - source: the address that the connection comes from.
    ///   - offers: what ALPN offers.
    static func connect(
        _ node: ApiNode, trusting certificate: TestCertificate, host: String = "localhost",
        from source: String? = "127.0.0.1", offers: [String] = ["h2"]
    ) async throws -> HTTP2Client {
        var tls = certificate.client
        tls.protocols = offers
        let (frames, found) = AsyncStream.makeStream(of: Frame.self)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let negotiated = loop.makePromise(of: String?.self)
        var bootstrap = ClientBootstrap(group: loop)
        if let source { bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: source, port: 0)) }
        let channel = try await bootstrap.connect(host: host, port: node.port) { channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                try pipeline.addHandler(TLSClientHandler(tls, host: host))
                try pipeline.addHandler(Listener(found, negotiated))
                return channel
            }
        }
        return HTTP2Client(channel, frames, negotiated: try await negotiated.futureResult.get())
    }

    /// Sends bytes; whether the server still takes them is not the question.
    func send(_ bytes: [UInt8]...) {
        channel.writeAndFlush(ByteBuffer(bytes: bytes.flatMap { $0 }), promise: nil)
    }

    /// The preface with empty SETTINGS, which every connection begins with (section 3.4).
    func begin() { send(Self.preface, Self.frame(.settings)) }

    /// The next frame; nil when the server has closed.
    func next() async -> Frame? { await frames.next() }

    /// The next frame of a kind; nil when the server has closed before.
    func next(_ kind: Kind) async -> Frame? {
        while let frame = await next() { if frame.kind == kind { return frame } }
        return nil
    }

    /// The header fields of the answer to a request of the front page by stream 1, the first of the connection.
    func frontPage() async throws -> HPACKHeaders? {
        send(Self.request(1))
        guard let head = await next(.headers), head.flags & Self.endHeaders != 0 else { return nil }
        var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
        var block = ByteBuffer(bytes: head.payload)
        return try decoder.decodeHeaders(from: &block)
    }

    func close() async { try? await channel.close() }

    static func frame(_ kind: Kind, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        let length = payload.count
        return [UInt8(length >> 16), UInt8(length >> 8 & 0xff), UInt8(length & 0xff), kind.rawValue, flags]
            + word(stream) + payload
    }

    static func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 0xff) } }

    /// HEADERS of a request of this node's front page.
    static func request(_ stream: UInt32, flags: UInt8 = endStream | endHeaders, more: [UInt8] = []) -> [UInt8] {
        frame(.headers, flags: flags, stream: stream, fields + more)
    }

    /// GET, https, / by the static table of HPACK, and :authority as a literal (RFC 7541 appendix A, section 6.2.2).
    static let fields: [UInt8] = [0x82, 0x87, 0x84, 0x01, 9] + Array("localhost".utf8)

    /// An integer of HPACK (RFC 7541 section 5.1) whose first byte has `bits` for it, and `pattern` before.
    static func integer(_ value: Int, bits: Int, pattern: UInt8 = 0) -> [UInt8] {
        let limit = 1 << bits - 1
        guard value >= limit else { return [pattern | UInt8(value)] }
        var bytes = [pattern | UInt8(limit)]
        var rest = value - limit
        while rest >= 128 {
            bytes.append(UInt8(rest % 128) | 128)
            rest /= 128
        }
        return bytes + [UInt8(rest)]
    }

    /// Takes the server's bytes apart.
    private final class Listener: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let found: AsyncStream<Frame>.Continuation
        private let negotiated: EventLoopPromise<String?>
        private var waiting = ByteBuffer()

        init(_ found: AsyncStream<Frame>.Continuation, _ negotiated: EventLoopPromise<String?>) {
            self.found = found
            self.negotiated = negotiated
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var part = unwrapInboundIn(data)
            waiting.writeBuffer(&part)
            while let head = waiting.getBytes(at: waiting.readerIndex, length: 9) {
                let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
                guard waiting.readableBytes >= 9 + length else { return }
                waiting.moveReaderIndex(forwardBy: 9)
                found.yield(
                    Frame(
                        kind: Kind(rawValue: head[3]), flags: head[4],
                        stream: head[5...].reduce(0) { $0 << 8 | UInt32($1) },
                        payload: waiting.readBytes(length: length) ?? []))
            }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .handshakeCompleted(let name)? = event as? TLSUserEvent { negotiated.succeed(name) }
            context.fireUserInboundEventTriggered(event)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            negotiated.fail(error)
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            negotiated.fail(ChannelError.eof)
            found.finish()
        }
    }
}
