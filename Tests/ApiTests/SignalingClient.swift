import Foundation
import NIOCore
import NIOPosix
import NIOWebSocket
import Synchronization
import Testing

@testable import Api

/// A WebSocket client that can also misbehave.
final class SignalingClient: @unchecked Sendable {
    enum Event: Equatable, Sendable {
        case message(Value)
        case ping
        case closed(UInt16?)
    }

    private let channel: any Channel
    private let listener: Listener
    private var events: AsyncStream<Event>.Iterator

    /// What the server agreed to (RFC 6455 section 9.1).
    let extensions: String?

    private init(channel: any Channel, listener: Listener, events: AsyncStream<Event>, extensions: String?) {
        self.channel = channel
        self.listener = listener
        self.extensions = extensions
        self.events = events.makeAsyncIterator()
    }

    static func connect(
        port: Int, path: String = "/api/v1/signal", tls: TLSClientConfiguration? = nil, reads: Bool = true,
        extensions: String? = nil, headers: [String: String] = [:], preamble: [UInt8] = []
    ) async throws -> SignalingClient {
        let (events, found) = AsyncStream.makeStream(of: Event.self)
        let listener = Listener(found)
        let (channel, isUpgraded) = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if !preamble.isEmpty { try channel.pipeline.syncOperations.addHandler(Preamble(preamble)) }
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(TLSClientHandler(tls, host: "localhost"))
                    }
                    let upgraded = channel.eventLoop.makePromise(of: String?.self)
                    var request = "GET \(path) HTTP/1.1\r\n"
                    if let extensions { request += "Sec-WebSocket-Extensions: \(extensions)\r\n" }
                    for (name, value) in headers { request += "\(name): \(value)\r\n" }
                    try channel.pipeline.syncOperations.addHandler(Handshake(request, upgraded, listener))
                    return (channel, upgraded.futureResult)
                }
            }
        guard let head = try await isUpgraded.get() else { throw Closed(code: nil) }
        if !reads { try await channel.setOption(.autoRead, value: false).get() }
        let agreed = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("sec-websocket-extensions: ") }
        return SignalingClient(
            channel: channel, listener: listener, events: events,
            extensions: agreed.map { String($0.drop { $0 != " " }.dropFirst()) })
    }

    /// Sends bytes ahead of all others, of TLS too.
    private final class Preamble: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let bytes: [UInt8]

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        func channelActive(context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
            context.fireChannelActive()
        }
    }

    /// The opening handshake (RFC 6455 section 4.1). What comes in one read with its answer is not lost.
    private final class Handshake: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = ByteBuffer
        typealias InboundOut = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let request: String
        /// The head of the answer; nil if it was another one.
        private let upgraded: EventLoopPromise<String?>
        private let listener: Listener
        private var answer = ByteBuffer()

        /// - Parameter request: its first lines.
        init(_ request: String, _ upgraded: EventLoopPromise<String?>, _ listener: Listener) {
            self.request = request
            self.upgraded = upgraded
            self.listener = listener
        }

        func channelActive(context: ChannelHandlerContext) {
            let request =
                request + "Host: meet.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var part = unwrapInboundIn(data)
            answer.writeBuffer(&part)
            guard let end = String(buffer: answer).range(of: "\r\n\r\n") else { return }
            let head = String(buffer: answer)[..<end.upperBound]
            answer.moveReaderIndex(forwardBy: head.utf8.count)
            // The accept key is that of RFC 6455 section 1.3.
            let isUpgraded = head.hasPrefix("HTTP/1.1 101") && head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
            defer { upgraded.succeed(isUpgraded ? String(head) : nil) }
            guard isUpgraded else { return context.close(promise: nil) }
            let pipeline = context.pipeline.syncOperations
            do {
                try pipeline.addHandler(WebSocketFrameEncoder())
                try pipeline.addHandler(ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: 1 << 24)))
                try pipeline.addHandler(listener)
            } catch {
                return context.close(promise: nil)
            }
            context.fireChannelRead(wrapInboundOut(answer))
            pipeline.removeHandler(self, promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            upgraded.succeed(nil)
            context.fireChannelInactive()
        }
    }

    private final class Listener: ChannelInboundHandler, Sendable {
        typealias InboundIn = WebSocketFrame
        typealias OutboundOut = WebSocketFrame

        let compressed = Atomic(0)
        let found: AsyncStream<Event>.Continuation

        init(_ found: AsyncStream<Event>.Continuation) { self.found = found }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let frame = unwrapInboundIn(data)
            var payload = frame.unmaskedData
            switch frame.opcode {
            case .text:
                if frame.rsv1 { compressed.add(1, ordering: .relaxed) }
                let message =
                    try? frame.rsv1
                    ? MessageCompressor().decompress(payload.readableBytesView, limit: 1 << 24) : payload
                let value = try? message.map { try JSONDecoder().decode(Value.self, from: Data($0.readableBytesView)) }
                found.yield(.message(value ?? .null))
            case .ping: found.yield(.ping)
            case .connectionClose:
                found.yield(.closed(payload.readWebSocketErrorCode().map { UInt16(webSocketErrorCode: $0) }))
                context.close(promise: nil)
            default: break
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            found.yield(.closed(nil))
            found.finish()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    // MARK: Saying

    func say(_ message: Value) async throws {
        try await say(text: String(decoding: JSONEncoder().encode(message), as: UTF8.self))
    }

    func say(text: String) async throws { try await send(.text, ByteBuffer(string: text)) }

    func send(
        _ opcode: WebSocketOpcode, _ data: ByteBuffer, fin: Bool = true, rsv1: Bool = false, isMasked: Bool = true
    ) async throws {
        let frame = WebSocketFrame(
            fin: fin, rsv1: rsv1, opcode: opcode, maskKey: isMasked ? .random() : nil, data: data)
        try await channel.writeAndFlush(frame)
    }

    /// Says it and waits for the answer with its `id`, past other messages.
    func ask(_ message: Value) async throws -> Value {
        try await say(message)
        while true {
            let heard = try await next()
            if heard["id"] == message["id"] { return heard }
        }
    }

    /// As a network does: without a word.
    func vanish() async throws { try await channel.close() }

    // MARK: Hearing

    /// Those that came compressed.
    var compressedMessages: Int { listener.compressed.load(ordering: .relaxed) }

    /// What came next. A message that its schema does not describe fails the test.
    func event() async -> Event {
        let event = await events.next() ?? .closed(nil)
        if case .message(let value) = event {
            let complaint = SignalingSchema.shared.complaint(aboutServer: value)
            #expect(complaint == nil)
        }
        return event
    }

    /// The next message; pings are passed over.
    func next() async throws -> Value {
        while true {
            switch await event() {
            case .message(let value): return value
            case .ping: continue
            case .closed(let code): throw Closed(code: code)
            }
        }
    }

    /// The next message of the type, past others.
    func next(_ type: String) async throws -> Value {
        while true {
            let heard = try await next()
            if heard["type"]?.string == type { return heard }
        }
    }

    struct Closed: Error {
        var code: UInt16?
    }

    /// The close code, past other messages; nil where the connection just ended.
    func closeCode() async -> UInt16? {
        while true {
            if case .closed(let code) = await event() { return code }
        }
    }
}
