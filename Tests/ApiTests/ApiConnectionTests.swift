import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Api

/// How many connections the API listener lets in.
@Suite(.timeLimit(.minutes(1))) struct Connections {
    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private func hold(_ node: ApiNode, from address: String) async throws -> any Channel {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(to: SocketAddress(ipAddress: address, port: 0))
            .connect(host: "127.0.0.1", port: node.port).get()
    }

    private func connect(_ node: ApiNode, from address: String) async throws -> Connection {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(to: SocketAddress(ipAddress: address, port: 0))
            .connect(host: "127.0.0.1", port: node.port) { channel in
                channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
            }
    }

    /// The first bytes of the answer to a request; none when the connection was closed.
    private func ask(_ connection: Connection) async throws -> String {
        try await connection.executeThenClose { inbound, outbound in
            try? await outbound.write(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
            var parts = inbound.makeAsyncIterator()
            return (try? await parts.next()).map { String(buffer: $0) } ?? ""
        }
    }

    /// 16 KiB and 100 fields.
    @Test(arguments: [false, true]) func headersHaveALimit(ops: Bool) async throws {
        try await ApiNode.run { node async throws in
            let port = ops ? node.opsPort : node.port
            func ask(_ fields: [String]) async throws -> String {
                let lines = ["GET \(ops ? "/livez" : "/") HTTP/1.1", "Host: a", "Connection: close"] + fields
                return try await node.exchange(lines.joined(separator: "\r\n") + "\r\n\r\n", port: port)
            }
            #expect(try await ask(["A: \(String(repeating: "a", count: 12_000))"]).hasPrefix("HTTP/1.1 200"))
            #expect(try await ask((0..<90).map { "A\($0): a" }).hasPrefix("HTTP/1.1 200"))
            for fields in [["A: \(String(repeating: "a", count: 20_000))"], (0..<200).map { "A\($0): a" }] {
                let answer = (try? await ask(fields)) ?? ""
                #expect(!answer.hasPrefix("HTTP/1.1 2"), "\(fields.count) fields: \(answer.prefix(60))")
            }
        }
    }

    @Test func whoSaysNothingMoreIsLetGo() async throws {
        var configuration = ApiNode.configuration
        // Long enough for a request on a busy machine.
        configuration.idleTimeout = .seconds(3)
        try await ApiNode.run(configuration) { node async throws in
            // It is the server that closes.
            let answer = try await node.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n", port: node.port)
            #expect(answer.hasPrefix("HTTP/1.1 200"))
        }
    }

    /// Requests that came together are answered one after the other, and each answer begins the time for the next.
    @Test(.timeLimit(.minutes(2))) func whoAsksOnAndNeverReadsIsLetGo() async throws {
        var configuration = ApiNode.configuration
        configuration.answerTime = .seconds(1)
        configuration.requestTime = .seconds(600)
        configuration.idleTimeout = .seconds(600)
        try await ApiNode.run(configuration) { node async throws in
            let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.autoRead, value: false)
                .channelOption(.socketOption(.so_rcvbuf), value: 4_096)
                .connect(host: "127.0.0.1", port: node.port).get()
            let requests = String(repeating: "GET /call.js HTTP/1.1\r\nHost: a\r\n\r\n", count: 20_000)
            client.writeAndFlush(ByteBuffer(string: requests), promise: nil)
            // The server resets the connection: there are requests that it never read.
            try await client.closeFuture.get()
        }
    }

    // MARK: the listener's limit

    /// Counts lines.
    private struct Lines: LogHandler {
        let count: Counter
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        final class Counter: Sendable {
            let lines = Mutex(0)
        }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { count.lines.withLock { $0 += 1 } }
    }

    @Test(arguments: [1, 8, 100]) func aFullListenerSaysSoNowAndThen(_ limit: Int) {
        let count = Lines.Counter()
        let clock = ManualClock()
        let logger = Logger(label: "test") { _ in Lines(count: count) }
        var connections = ConnectionLimit(limit, of: "api", clock: clock, logger: logger)
        func fillAndEmpty() {
            for _ in 0..<limit { connections.connectionOpened() }
            #expect(!connections.isAcceptingNewConnections())
            for _ in 0..<limit { connections.connectionClosed() }
            #expect(connections.isAcceptingNewConnections())
        }
        for _ in 0..<10 { fillAndEmpty() }
        #expect(count.lines.withLock { $0 } == 1)
        clock.advanceUnheard(by: .seconds(59))
        fillAndEmpty()
        #expect(count.lines.withLock { $0 } == 1)
        clock.advanceUnheard(by: .seconds(1))
        for _ in 0..<10 { fillAndEmpty() }
        #expect(count.lines.withLock { $0 } == 2)
    }

    @Test(arguments: [false, true]) func anAddressHasItsShareAndNoMore(secure: Bool) async throws {
        var configuration = ApiNode.configuration
        configuration.connectionsPerAddress = 2
        let certificate = try TestCertificate()
        defer { certificate.remove() }
        if secure { configuration.certificates = try certificate.store() }
        try await ApiNode.run(configuration) { node async throws in
            func metric(_ name: String) async throws -> String? {
                try await node.call("GET", "/metrics", ops: true).body.split(separator: "\n")
                    .first { $0.hasPrefix(name + " ") }.map { String($0.dropFirst(name.count + 1)) }
            }
            func until(_ name: String, _ value: String) async throws {
                while try await metric(name) != value { try await Task.sleep(for: .milliseconds(20)) }
            }
            let open = [try await hold(node, from: "127.0.0.5"), try await hold(node, from: "127.0.0.5")]
            try await until("needletail_api_connections", "2")
            #expect(try await ask(connect(node, from: "127.0.0.5")) == "")
            #expect(try await metric("needletail_api_connections_refused_total") == "1")
            // Others are served, and who closed one may open another.
            if !secure { #expect(try await ask(connect(node, from: "127.0.0.6")).hasPrefix("HTTP/1.1 200")) }
            for connection in open { try await connection.close() }
            try await until("needletail_api_connections", "0")
            if !secure { #expect(try await ask(connect(node, from: "127.0.0.5")).hasPrefix("HTTP/1.1 200")) }
        }
    }
}
