import Logging
import Mailbox
import NIOCore
import NIOPosix
import ServiceLifecycle

/// TURN over TCP and TLS on sockets of the kernel, for clients without UDP, bridged to the workers' allocations.
///
/// All connections live on one thread: it only carries bytes, and the rings to a worker have one producer.
public struct TURNStreamServer: Service {
    /// Why it does not start: one line.
    public struct Refusal: Error, CustomStringConvertible {
        public let description: String
    }

    /// Bytes of a message that has not come whole; the longest that is not passed over fits.
    private static let longestFrame = 8 * 1_024

    private let workers: [TURNMailbox]
    private let configuration: TURNConfiguration
    private let gauge: TURNStreamGauge
    private let logger: Logger
    private let onListening: @Sendable (TURNTransport, _ port: Int) async -> Void

    /// - Parameter onListening: told once for each listener, in the configuration's order, with the port that it got.
    public init(
        workers: [TURNMailbox], configuration: TURNConfiguration, gauge: TURNStreamGauge, logger: Logger,
        onListening: @escaping @Sendable (TURNTransport, _ port: Int) async -> Void = { _, _ in }
    ) {
        self.workers = workers
        self.configuration = configuration
        self.gauge = gauge
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until a graceful shutdown, then closes all connections.
    ///
    /// - Throws: `Refusal`.
    public func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let result: Result<Void, any Error>
        do {
            try await serve(on: group.next())
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try? await group.shutdownGracefully()
        try result.get()
    }

    private func serve(on eventLoop: any EventLoop) async throws {
        let bridge = try await eventLoop.submit {
            NIOLoopBound(
                TURNBridge(workers: workers, limits: configuration.limits, gauge: gauge, eventLoop: eventLoop),
                eventLoop: eventLoop)
        }.get()
        var listeners: [any Channel] = []
        for listen in configuration.tcp {
            listeners.append(try await bind(listen, .tcp, bridge, eventLoop))
        }
        for listen in configuration.tls {
            listeners.append(try await bind(listen, .tls, bridge, eventLoop))
        }
        try? await gracefulShutdown()
        for listener in listeners { try? await listener.close() }
        try await eventLoop.submit { bridge.value.closeAll() }.get()
    }

    private func bind(
        _ listen: ApiConfiguration.Listen, _ transport: TURNTransport, _ bridge: NIOLoopBound<TURNBridge>,
        _ eventLoop: any EventLoop
    ) async throws -> any Channel {
        let channel: any Channel
        do {
            channel = try await ServerBootstrap(group: eventLoop)
                .serverChannelOption(.backlog, value: 256)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.socketOption(.so_keepalive), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try prepare(channel, transport, bridge.value) }
                }
                .bind(host: listen.host, port: listen.port).get()
        } catch {
            let key = transport == .tcp ? "turn.tcp_listen" : "turn.tls_listen"
            throw Refusal(
                description: "cannot listen on \(listen.host) port \(listen.port): \(error): choose another \(key), "
                    + "or end the program that has it")
        }
        await AcceptGuard.add(to: channel, "turn \(transport)", isServed: false, logger: logger)
        await onListening(transport, channel.localAddress?.port ?? 0)
        return channel
    }

    private func prepare(_ channel: any Channel, _ transport: TURNTransport, _ bridge: TURNBridge) throws {
        let pipeline = channel.pipeline.syncOperations
        if transport == .tls {
            // Asked for each connection, so that a renewed certificate is used.
            guard let certificates = configuration.certificates else {
                throw Refusal(description: "turn.tls_listen needs turn.certificate")
            }
            try pipeline.addHandler(TLSHandler(certificates.context()))
        }
        let decoder = TURNFrameDecoder(channelNumbers: configuration.channelNumbers) { bridge.countDrop(.oversize) }
        try pipeline.addHandler(ByteToMessageHandler(decoder, maximumBufferSize: Self.longestFrame))
        try pipeline.addHandler(TURNStream(bridge: bridge, transport: transport, now: .now()))
    }
}

extension TURNStreamServer: CustomStringConvertible {
    /// For the log, in which the configuration's secrets have no place.
    public var description: String { "TURNStreamServer" }
}
