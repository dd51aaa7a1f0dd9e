import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Testing

/// A WebSocket client that can also misbehave.
final class SignalingClient: @unchecked Sendable {
    enum Event: Equatable, Sendable {
        case message(Value)
        case ping
        case closed(UInt16?)
    }

    private let channel: any Channel
    private var events: AsyncStream<Event>.Iterator

    private init(channel: any Channel, events: AsyncStream<Event>) {
        self.channel = channel
        self.events = events.makeAsyncIterator()
    }

    static func connect(port: Int, path: String = "/api/v1/signal", reads: Bool = true) async throws -> SignalingClient
    {
        let (events, found) = AsyncStream.makeStream(of: Event.self)
        let upgrade = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let upgrader = NIOTypedWebSocketClientUpgrader<Bool>(maxFrameSize: 1 << 24) { channel, _ in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(Listener(found))
                            return true
                        }
                    }
                    let head = HTTPRequestHead(
                        version: .http1_1, method: .GET, uri: path,
                        headers: ["Host": "meet.test", "Content-Length": "0"])
                    let configuration = NIOTypedHTTPClientUpgradeConfiguration(
                        upgradeRequestHead: head, upgraders: [upgrader],
                        notUpgradingCompletionHandler: { $0.eventLoop.makeSucceededFuture(false) })
                    let result = try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
                        configuration: .init(upgradeConfiguration: configuration))
                    return (channel, result)
                }
            }
        let isUpgraded = try await upgrade.1.get()
        try #require(isUpgraded)
        if !reads { try await upgrade.0.setOption(.autoRead, value: false).get() }
        return SignalingClient(channel: upgrade.0, events: events)
    }

    private final class Listener: ChannelInboundHandler, Sendable {
        typealias InboundIn = WebSocketFrame
        typealias OutboundOut = WebSocketFrame

        let found: AsyncStream<Event>.Continuation

        init(_ found: AsyncStream<Event>.Continuation) { self.found = found }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let frame = unwrapInboundIn(data)
            var payload = frame.unmaskedData
            switch frame.opcode {
            case .text:
                let value = try? JSONDecoder().decode(Value.self, from: Data(payload.readableBytesView))
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

    func send(_ opcode: WebSocketOpcode, _ data: ByteBuffer, fin: Bool = true, isMasked: Bool = true) async throws {
        let frame = WebSocketFrame(
            fin: fin, opcode: opcode, maskKey: isMasked ? .random() : nil, data: data)
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

    func event() async -> Event { await events.next() ?? .closed(nil) }

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
