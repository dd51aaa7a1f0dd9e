import COpenSSL
import Fleet
import NIOCore
import NIOPosix

/// A peer that keeps to nothing: it says the bytes of a test.
final class LinkPeer: Sendable {
    private final class Ear: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        let heard: Heard<[UInt8]>

        init(_ heard: Heard<[UInt8]>) { self.heard = heard }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            heard.append(Array(unwrapInboundIn(data).readableBytesView))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private let channel: any Channel
    private let heard = Heard<[UInt8]>()

    /// - Parameters:
    ///   - files: of its certificate and its key; nil: none.
    ///   - isSecure: whether it speaks TLS at all.
    init(
        to port: Int, _ files: (certificate: String, key: String)?, isSecure: Bool = true,
        version: Int32 = TLS1_3_VERSION
    ) async throws {
        let configuration = TLSClientConfiguration(identity: files, versions: TLS1_2_VERSION...version)
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { [heard] channel in
                channel.eventLoop.makeCompletedFuture {
                    if isSecure {
                        try channel.pipeline.syncOperations.addHandler(
                            TLSClientHandler(configuration, host: "127.0.0.1"))
                    }
                    try channel.pipeline.syncOperations.addHandler(Ear(heard))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    func say(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

    func say(_ messages: LinkMessage...) { say(messages.flatMap(\.frame.bytes)) }

    func stopReading() async throws { try await channel.setOption(.autoRead, value: false).get() }

    /// What it was told, as soon as that is enough.
    func hears(_ isEnough: @escaping @Sendable ([LinkMessage]) -> Bool) async -> [LinkMessage] {
        await heard.until { isEnough(Self.messages($0)) }
        return Self.messages(heard.all)
    }

    private static func messages(_ pieces: [[UInt8]]) -> [LinkMessage] {
        var decoder = LinkFrameDecoder(limit: LinkPolicy.frameLimit)
        var messages: [LinkMessage] = []
        for piece in pieces {
            var rest = piece[...]
            while !rest.isEmpty {
                rest = rest.dropFirst(decoder.take(rest))
                while let frame = (try? decoder.next()) ?? nil {
                    if let message = (try? LinkMessage(frame)) ?? nil { messages.append(message) }
                }
            }
        }
        return messages
    }

    /// Until the PoP has closed the connection.
    func closed() async { try? await channel.closeFuture.get() }

    func close() async { try? await channel.close() }
}
