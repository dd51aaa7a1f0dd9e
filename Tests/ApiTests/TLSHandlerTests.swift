import Agents
import COpenSSL
import NIOCore
import NIOEmbedded
import NIOTLS
import Testing

@testable import Api

/// The listener's TLS against a client that has nothing of it but the library, without sockets: bytes go over when `Wire`
/// carries them.
struct TLSHandlerTests {
    /// What came out at one end.
    private final class Ear: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        var heard = ByteBuffer()
        var errors: [any Error] = []
        var agreed: String??

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            heard.writeBuffer(&bytes)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { errors.append(error) }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .handshakeCompleted(let name)? = event as? TLSUserEvent { agreed = .some(name) }
        }
    }

    private struct Wire {
        let loop = EmbeddedEventLoop()
        let server: EmbeddedChannel
        let client: EmbeddedChannel
        let atServer = Ear()
        let atClient = Ear()
        /// The most bytes that come over at once.
        var chunk = Int.max

        init(_ configure: (inout TLSClientConfiguration) -> Void = { _ in }) throws {
            let certificate = try TestCertificate()
            defer { certificate.remove() }
            var configuration = certificate.client
            configuration.protocols = ["http/1.1", "h2"]
            configure(&configuration)
            server = EmbeddedChannel(loop: loop)
            client = EmbeddedChannel(loop: loop)
            try server.pipeline.syncOperations.addHandlers([
                TLSHandler(certificate.store().context(protocols: ["h2", "http/1.1"])), atServer,
            ])
            try client.pipeline.syncOperations.addHandlers([
                TLSClientHandler(configuration, host: "localhost"), atClient,
            ])
            for channel in [server, client] { channel.connect(to: try .init(ipAddress: "::1", port: 1), promise: nil) }
        }

        /// Until both are silent.
        func carry() throws {
            var isQuiet = false
            while !isQuiet {
                isQuiet = true
                for (from, to) in [(client, server), (server, client)] {
                    while var bytes = try from.readOutbound(as: ByteBuffer.self) {
                        isQuiet = false
                        while let part = bytes.readSlice(length: min(chunk, bytes.readableBytes)),
                            part.readableBytes > 0
                        {
                            to.pipeline.fireChannelRead(part)
                            to.pipeline.fireChannelReadComplete()
                        }
                    }
                }
            }
        }

        func say(_ count: Int, _ from: EmbeddedChannel) {
            from.pipeline.writeAndFlush(Self.text(count), promise: nil)
        }

        static func text(_ count: Int) -> ByteBuffer { ByteBuffer(bytes: (0..<count).map { UInt8($0 % 251) }) }

        func leave() {
            for channel in [client, server] { channel.pipeline.fireChannelInactive() }
        }
    }

    @Test(arguments: [(1, 3_000), (1_460, 100_000), (Int.max, 1_000_000)], [TLS1_2_VERSION, TLS1_3_VERSION])
    func whatIsWrittenIsReadBothWays(_ size: (chunk: Int, count: Int), version: Int32) throws {
        var wire = try Wire { $0.versions = version...version }
        defer { wire.leave() }
        wire.chunk = size.chunk
        try wire.carry()
        #expect(wire.atServer.agreed == .some("h2") && wire.atClient.agreed == .some("h2"))
        wire.say(size.count, wire.client)
        wire.say(size.count, wire.server)
        wire.say(1, wire.server)
        try wire.carry()
        #expect(wire.atServer.heard == Wire.text(size.count))
        var expected = Wire.text(size.count)
        expected.writeInteger(0 as UInt8)
        #expect(wire.atClient.heard == expected)
        #expect(wire.atServer.errors.isEmpty && wire.atClient.errors.isEmpty)
    }

    @Test func whatIsWrittenBeforeTheHandshakeWaitsForIt() throws {
        let wire = try Wire()
        defer { wire.leave() }
        wire.say(100, wire.server)
        #expect(try wire.server.readOutbound(as: ByteBuffer.self) == nil)
        try wire.carry()
        #expect(wire.atClient.heard == Wire.text(100))
    }

    @Test func olderVersionsAreRefused() throws {
        let wire = try Wire { $0.versions = TLS1_VERSION...TLS1_1_VERSION }
        defer { wire.leave() }
        try wire.carry()
        #expect(wire.atServer.agreed == nil && wire.atServer.errors.count == 1)
        // By an alert.
        #expect(!wire.atClient.errors.isEmpty)
        #expect(!wire.server.isActive)
    }

    /// On a listener that allows half-closed connections.
    @Test(arguments: [false, true]) func whoSaysNoMoreBeforeTheEndOfTheHandshakeIsLetGo(begins: Bool) throws {
        let wire = try Wire()
        defer { wire.leave() }
        if begins, let hello = try wire.client.readOutbound(as: ByteBuffer.self) {
            wire.server.pipeline.fireChannelRead(hello)
        }
        wire.server.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(!wire.server.isActive && wire.atServer.errors.count == 1)
    }

    @Test func whoSaysNoMoreAfterOurFarewellIsLetGo() throws {
        let wire = try Wire()
        defer { wire.leave() }
        try wire.carry()
        wire.server.close(promise: nil)
        #expect(wire.server.isActive)
        wire.server.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(!wire.server.isActive && wire.atServer.errors.isEmpty)
    }

    @Test func whatIsNoTLSEndsTheConnection() throws {
        let wire = try Wire()
        defer { wire.leave() }
        wire.server.pipeline.fireChannelRead(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        #expect(wire.atServer.errors.first is TLSHandler.Failure)
        #expect(!wire.server.isActive)
        let promise = wire.loop.makePromise(of: Void.self)
        wire.server.pipeline.writeAndFlush(Wire.text(1), promise: promise)
        #expect(throws: (any Error).self) { try promise.futureResult.wait() }
        wire.server.pipeline.fireChannelRead(ByteBuffer(string: "more"))
        #expect(wire.atServer.errors.count == 1 && wire.atServer.heard.readableBytes == 0)
    }

    @Test func aChangedByteEndsTheConnection() throws {
        let wire = try Wire()
        defer { wire.leave() }
        try wire.carry()
        wire.say(100, wire.client)
        var bytes = try #require(try wire.client.readOutbound(as: ByteBuffer.self))
        let last = bytes.writerIndex - 1
        let byte = try #require(bytes.getInteger(at: last, as: UInt8.self))
        bytes.setInteger(byte ^ 1, at: last)
        wire.server.pipeline.fireChannelRead(bytes)
        #expect(wire.atServer.heard.readableBytes == 0)
        #expect(wire.atServer.errors.count == 1 && !wire.server.isActive)
    }

    /// What was written last has to arrive, so the peer's farewell is waited for; for a while.
    @Test(arguments: [true, false]) func whoClosesSaysSoAndWaitsForThePeer(peerAnswers: Bool) throws {
        let wire = try Wire()
        defer { wire.leave() }
        try wire.carry()
        wire.say(100, wire.server)
        let promise = wire.loop.makePromise(of: Void.self)
        wire.server.close(promise: promise)
        #expect(wire.server.isActive)
        if peerAnswers {
            try wire.carry()
            #expect(wire.atClient.heard == Wire.text(100) && wire.atClient.errors.isEmpty)
        } else {
            wire.say(100, wire.client)
            while let bytes = try wire.client.readOutbound(as: ByteBuffer.self) {
                wire.server.pipeline.fireChannelRead(bytes)
            }
            #expect(wire.atServer.heard.readableBytes == 0 && wire.server.isActive)
            wire.loop.advanceTime(by: .seconds(5))
        }
        #expect(!wire.server.isActive)
        try promise.futureResult.wait()
    }

    @Test func aPeerThatClosesIsAnsweredAndLetGo() throws {
        let wire = try Wire()
        defer { wire.leave() }
        try wire.carry()
        wire.say(100, wire.client)
        wire.client.close(promise: nil)
        try wire.carry()
        #expect(wire.atServer.heard == Wire.text(100))
        #expect(wire.atServer.errors.isEmpty && wire.atClient.errors.isEmpty)
        #expect(!wire.server.isActive && !wire.client.isActive)
    }
}
