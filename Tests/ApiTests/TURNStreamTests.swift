import Agents
import Conference
import Foundation
import Logging
import Mailbox
import NIOCore
import NIOEmbedded
import NIOPosix
import ServiceLifecycle
import Synchronization
import Testing
import Wire

@testable import Api

/// The TCP listener between real sockets and a worker's rings.
@Suite(.timeLimit(.minutes(1)))
struct TURNStreamTests {
    private static let binding: [UInt8] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + Array(1...12)
    private static let answer: [UInt8] = [1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + Array(1...12)

    /// A server on loopback, and the workers' ends of its rings.
    private struct Stage: Sendable {
        let mailboxes: [TURNMailbox]
        let gauge: TURNStreamGauge
        let port: Int

        static func run(
            workers: Int = 1, messages: Int = 64, streamsPerAddress: Int = 256,
            _ body: @escaping @Sendable (Stage) async throws -> Void
        ) async throws {
            let mailboxes = (0..<workers).map { _ in TURNMailbox(requests: 2, events: 2, messages: messages) }
            var configuration = TURNConfiguration(secrets: TURNSecrets([]))
            configuration.tcp = [.init(host: "127.0.0.1", port: 0)]
            configuration.limits.streamsPerAddress = streamsPerAddress
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let gauge = TURNStreamGauge()
            let (ports, found) = AsyncStream.makeStream(of: Int.self)
            let server = TURNStreamServer(
                workers: mailboxes, configuration: configuration, gauge: gauge, logger: logger
            ) { found.yield($1) }
            let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                let port = try #require(await ports.first { _ in true })
                do {
                    try await body(Stage(mailboxes: mailboxes, gauge: gauge, port: port))
                } catch { Issue.record(error) }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
            for mailbox in mailboxes { mailbox.deallocate() }
        }

        func connect(from address: String = "127.0.0.1") async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
            try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(to: SocketAddress(ipAddress: address, port: 0))
                .channelOption(.socketOption(.so_rcvbuf), value: 4_096)
                .connect(host: "127.0.0.1", port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
        }

        /// The next message that came to a worker.
        func next(of worker: Int = 0) async throws -> TURNStreamMessage {
            while true {
                if let message = mailboxes[worker].arrivals.pop() { return message }
                try await Task.sleep(for: .milliseconds(1))
            }
        }

        func until(_ isTrue: () -> Bool) async throws {
            while !isTrue() { try await Task.sleep(for: .milliseconds(1)) }
        }
    }

    private static func message(_ client: TURNClient, _ bytes: [UInt8]) -> TURNStreamMessage {
        var message = TURNStreamMessage(client)
        _ = bytes.withUnsafeBytes { message.fill($0) }
        return message
    }

    private static func bytes(_ message: TURNStreamMessage) -> [UInt8] {
        (0..<Int(message.count)).map { message.bytes[$0] }
    }

    @Test func messagesGoToTheWorkerAndBack() async throws {
        try await Stage.run { stage in
            try await stage.connect().executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(bytes: Self.binding + [0x40, 0, 0, 1, 7, 0, 0, 0]))
                let first = try await stage.next()
                #expect(Self.bytes(first) == Self.binding)
                #expect(first.client.transport == .tcp)
                #expect(first.client.remote.address == IPAddress("127.0.0.1"))
                #expect(first.client.local == Endpoint("127.0.0.1:\(stage.port)"))
                #expect(Self.bytes(try await stage.next()) == [0x40, 0, 0, 1, 7])
                #expect(stage.mailboxes[0].departures.push(Self.message(first.client, Self.answer)))
                var got = ByteBuffer()
                for try await var part in inbound {
                    got.writeBuffer(&part)
                    if got.readableBytes >= Self.answer.count { break }
                }
                #expect(Array(got.readableBytesView) == Self.answer)
            }
            // The end is told too.
            #expect(try await stage.next().closed)
            try await stage.until { stage.gauge.count == 0 }
        }
    }

    @Test func anAddressHasOneWorkerAndAddressesAreSharedOut() async throws {
        try await Stage.run(workers: 2) { stage in
            var workers: [Int: Set<Int>] = [:]
            for number in 0..<16 {
                let last = 1 + number % 8
                try await stage.connect(from: "127.0.0.\(last)").executeThenClose { _, outbound in
                    try await outbound.write(ByteBuffer(bytes: Self.binding))
                    try await stage.until { stage.mailboxes.contains { $0.arrivals.count > 0 } }
                    workers[last, default: []].insert(stage.mailboxes[0].arrivals.count > 0 ? 0 : 1)
                }
                // Its end is told behind that it is counted no more.
                try await stage.until {
                    stage.mailboxes.contains { mailbox in
                        while let message = mailbox.arrivals.pop() { if message.closed { return true } }
                        return false
                    }
                }
            }
            #expect(workers.values.allSatisfy { $0.count == 1 })
            #expect(workers.values.reduce(Set()) { $0.union($1) } == [0, 1])
        }
    }

    @Test func aWorkerCanEndAConnection() async throws {
        try await Stage.run { stage in
            try await stage.connect().executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(bytes: Self.binding))
                let client = try await stage.next().client
                #expect(stage.mailboxes[0].departures.push(TURNStreamMessage(client, closed: true)))
                for try await _ in inbound {}
            }
            #expect(try await stage.next().closed)
        }
    }

    @Test func whatIsNoTURNIsDisconnectedAtOnce() async throws {
        try await Stage.run { stage in
            try await stage.connect().executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n"))
                for try await _ in inbound {}
            }
            #expect(try await stage.next().closed)
        }
    }

    @Test func anAddressHasSoManyConnections() async throws {
        try await Stage.run(streamsPerAddress: 1) { stage in
            try await stage.connect().executeThenClose { _, outbound in
                try await outbound.write(ByteBuffer(bytes: Self.binding))
                _ = try await stage.next()
                try await stage.connect().executeThenClose { inbound, _ in for try await _ in inbound {} }
                #expect(stage.gauge.refusals == 1)
                #expect(stage.gauge.count == 1)
            }
            try await stage.until { stage.gauge.count == 0 }
        }
    }

    /// A client that does not read loses media and keeps its answers; when it reads again it is in step.
    @Test func aSlowReaderLosesMediaOnly() async throws {
        try await Stage.run { stage in
            try await stage.connect().executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(bytes: Self.binding))
                let client = try await stage.next().client
                let media = Self.message(client, [0x40, 0, 0x03, 0xe8] + Array(repeating: 1, count: 1_000))
                #expect(stage.mailboxes[0].departures.push(Self.message(client, Self.answer)))
                // Socket buffers and the watermark together take less than this.
                try await stage.until {
                    while stage.mailboxes[0].departures.push(media) {}
                    return stage.gauge[.slowReader] > 100
                }
                try await stage.until { stage.mailboxes[0].departures.push(Self.message(client, Self.answer)) }
                var decoder = TURNFrameDecoder()
                var got = ByteBuffer()
                var answers = 0
                reading: for try await var part in inbound {
                    got.writeBuffer(&part)
                    while got.readableBytes > 0, let step = try decoder.next(of: &got) {
                        if let message = step, Array(message.readableBytesView) == Self.answer { answers += 1 }
                        if answers == 2 { break reading }
                    }
                }
            }
        }
    }

    /// Takes writes as a socket does whose peer does not read.
    private final class StalledNetwork: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer

        private(set) var writes: [Int] = []
        private var promises: [EventLoopPromise<Void>] = []

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            writes.append(unwrapOutboundIn(data).readableBytes)
            if let promise { promises.append(promise) }
        }

        func take() {
            let taken = promises
            promises = []
            for promise in taken { promise.succeed() }
        }
    }

    /// Many small messages for a client that does not read are one write and the bytes behind it.
    /// Some clients read one message of a record of TLS, and lose the next.
    @Test(arguments: [(TURNTransport.tls, [8, 8, 8]), (.tcp, [24])])
    func overTLSEachMessageIsARecord(transport: TURNTransport, writes: [Int]) throws {
        let mailbox = TURNMailbox(requests: 2, events: 2, messages: 2)
        defer { mailbox.deallocate() }
        let loop = EmbeddedEventLoop()
        let bridge = TURNBridge(
            workers: [mailbox], limits: AllocationLimits(), gauge: TURNStreamGauge(), eventLoop: loop)
        let stream = TURNStream(bridge: bridge, transport: transport, now: .now())
        let network = StalledNetwork()
        let channel = EmbeddedChannel(handlers: [network, stream], loop: loop)
        channel.localAddress = try SocketAddress(ipAddress: "127.0.0.1", port: 3_478)
        channel.remoteAddress = try SocketAddress(ipAddress: "127.0.0.1", port: 50_000)
        channel.pipeline.fireChannelActive()
        let client = try #require(stream.client)
        for _ in 0..<3 { stream.deliver(Self.message(client, [0x40, 0, 0, 1, 7, 0, 0, 0])) }
        stream.flush()
        #expect(network.writes == writes)
        bridge.closeAll()
    }

    @Test func whatWaitsIsBytesAndNotWrites() throws {
        let mailbox = TURNMailbox(requests: 2, events: 2, messages: 2)
        defer { mailbox.deallocate() }
        let loop = EmbeddedEventLoop()
        let gauge = TURNStreamGauge()
        let bridge = TURNBridge(workers: [mailbox], limits: AllocationLimits(), gauge: gauge, eventLoop: loop)
        let stream = TURNStream(bridge: bridge, transport: .tcp, now: .now())
        let network = StalledNetwork()
        let channel = EmbeddedChannel(handlers: [network, stream], loop: loop)
        channel.localAddress = try SocketAddress(ipAddress: "127.0.0.1", port: 3_478)
        channel.remoteAddress = try SocketAddress(ipAddress: "127.0.0.1", port: 50_000)
        channel.pipeline.fireChannelActive()
        let client = try #require(stream.client)
        let media = Self.message(client, [0x40, 0, 0, 1, 7, 0, 0, 0])
        for _ in 0..<100_000 {
            stream.deliver(media)
            stream.flush()
        }
        #expect(network.writes == [8])
        #expect(stream.backlog <= 64 * 1_024 + 8)
        #expect(gauge[.slowReader] > 90_000)
        network.take()
        #expect(network.writes.count == 2)
        network.take()
        // It reads again.
        stream.deliver(media)
        stream.flush()
        #expect(network.writes.last == 8)
        bridge.closeAll()
    }

    /// A worker that takes nothing: the ends of connections that it was not told are as good as connections.
    @Test func endsThatNobodyHearsAreCounted() throws {
        let mailbox = TURNMailbox(requests: 2, events: 2, messages: 2)
        defer { mailbox.deallocate() }
        var limits = AllocationLimits()
        limits.streams = 8
        let gauge = TURNStreamGauge()
        let bridge = TURNBridge(
            workers: [mailbox], limits: limits, gauge: gauge, eventLoop: EmbeddedEventLoop())
        let end = try #require(Endpoint("127.0.0.1:1"))
        var opened = 0
        for _ in 0..<1_000 {
            let stream = TURNStream(bridge: bridge, transport: .tcp, now: .now())
            guard let client = bridge.open(stream, transport: .tcp, remote: end, local: end) else { continue }
            opened += 1
            bridge.close(client)
        }
        // Two are in the ring.
        #expect(opened == 2 + 8)
        #expect(gauge.refusals == 990)
    }

    @Test func requestsWaitForABusyWorkerAndMediaDoesNot() async throws {
        try await Stage.run(messages: 2) { stage in
            try await stage.connect().executeThenClose { _, outbound in
                let media: [UInt8] = [0x40, 0, 0, 4, 1, 2, 3, 4]
                try await outbound.write(
                    ByteBuffer(bytes: Self.binding + Self.binding + Self.binding + media + Self.binding))
                try await stage.until { stage.gauge[.workerFull] == 1 }
                for _ in 0..<4 { #expect(Self.bytes(try await stage.next()) == Self.binding) }
            }
        }
    }
}
