import Foundation
import NIOCore
import NIOHTTP1
import NIOWebSocket

/// A WebSocket to the server's signaling (RFC 6455).
struct SignalSocket: Sendable {
    private enum Upgrade: Sendable {
        case socket(NIOAsyncChannel<WebSocketFrame, WebSocketFrame>)
        case refused
    }

    /// Bytes of a message: those of meetings of hundreds have less.
    private static let limit = 1 << 22

    private let channel: NIOAsyncChannel<WebSocketFrame, WebSocketFrame>

    /// - Throws: `RecordServer.Failure`.
    static func open(_ server: RecordServer) async throws -> SignalSocket {
        let name = server.name
        let upgrade = try await server.connect { channel -> EventLoopFuture<EventLoopFuture<Upgrade>> in
            channel.eventLoop.makeCompletedFuture {
                let upgrader = NIOTypedWebSocketClientUpgrader<Upgrade>(maxFrameSize: limit) { channel, _ in
                    channel.eventLoop.makeCompletedFuture {
                        let aggregator = NIOWebSocketFrameAggregator(
                            minNonFinalFragmentSize: 1, maxAccumulatedFrameCount: 1_024, maxAccumulatedFrameSize: limit)
                        try channel.pipeline.syncOperations.addHandler(aggregator)
                        return .socket(try NIOAsyncChannel(wrappingChannelSynchronously: channel))
                    }
                }
                let head = HTTPRequestHead(
                    version: .http1_1, method: .GET, uri: "/api/v1/signal",
                    headers: ["Host": name, "Content-Length": "0"])
                let configuration = NIOTypedHTTPClientUpgradeConfiguration<Upgrade>(
                    upgradeRequestHead: head, upgraders: [upgrader]
                ) { channel in channel.eventLoop.makeSucceededFuture(.refused) }
                return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
                    configuration: .init(upgradeConfiguration: configuration))
            }
        }
        guard case .socket(let channel) = try await upgrade.get() else {
            throw RecordServer.Failure(description: "\(name) takes no signaling socket")
        }
        return SignalSocket(channel: channel)
    }

    /// Says `first`, and hands on what the server says until the socket is closed.
    func run(first: Data, _ body: @Sendable (Data) async -> Void) async throws {
        try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(Self.frame(.text, ByteBuffer(bytes: first)))
            for try await frame in inbound {
                switch frame.opcode {
                case .text: await body(Data(frame.unmaskedData.readableBytesView))
                case .ping: try await outbound.write(Self.frame(.pong, frame.unmaskedData))
                case .connectionClose:
                    try await outbound.write(Self.frame(.connectionClose, frame.unmaskedData))
                    return
                default: break
                }
            }
        }
    }

    private static func frame(_ opcode: WebSocketOpcode, _ data: ByteBuffer) -> WebSocketFrame {
        WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: data)
    }
}
