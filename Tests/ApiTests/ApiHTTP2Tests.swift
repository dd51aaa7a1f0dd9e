import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import Api

/// HTTP/2 of the API listener against clients that keep to no rule: they lose their connection, and others are served.
@Suite(.timeLimit(.minutes(1))) struct HTTP2 {
    typealias Client = HTTP2Client

    private func withNode(
        _ change: (inout ApiConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (ApiNode, TestCertificate) async throws -> Void
    ) async throws {
        let certificate = try TestCertificate()
        defer { certificate.remove() }
        var configuration = ApiNode.configuration
        configuration.certificates = try certificate.store()
        change(&configuration)
        try await ApiNode.run(configuration) { node async throws in try await body(node, certificate) }
    }

    /// The front page by a stream of its own: its status as HPACK's static table has it (0x88: 200).
    private func isServed(_ client: Client, stream: UInt32) async -> Bool {
        client.send(Client.request(stream))
        while let frame = await client.next() {
            guard frame.stream == stream else { continue }
            if frame.kind == .headers { return frame.payload.first == 0x88 }
            if frame.kind == .reset { return false }
        }
        return false
    }

    @Test(arguments: [(["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"), (["h3"], nil)])
    func alpnChoosesBetweenTwo(offers: [String], agreed: String?) async throws {
        try await withNode { node, certificate in
            let client = try await Client.connect(node, trusting: certificate, offers: offers)
            #expect(client.negotiated == agreed)
            await client.close()
        }
    }

    /// An answer with what HTTP/1.1 alone has would be an error of the connection, and cost all other streams theirs.
    @Test func noAnswerEndsTheConnection() async throws {
        try await withNode { node, certificate in
            let client = try await Client.connect(node, trusting: certificate)
            client.begin()
            func field(_ index: UInt8, _ value: String) -> [UInt8] {
                [index, UInt8(value.utf8.count)] + Array(value.utf8)
            }
            let (get, authority): ([UInt8], [UInt8]) = ([0x82], [0x87] + field(0x01, "localhost"))
            let head = field(0x02, "HEAD")
            let expect: [UInt8] = [0x00, 6] + Array("expect".utf8) + [1] + Array("x".utf8)
            // HEAD of nothing, the socket's path, and an expectation that nobody meets.
            client.send(Client.frame(.headers, flags: 5, stream: 1, head + authority + field(0x04, "/nix")))
            client.send(Client.frame(.headers, flags: 5, stream: 3, get + authority + field(0x04, "/api/v1/signal")))
            client.send(Client.frame(.headers, flags: 5, stream: 5, get + authority + field(0x04, "/nix") + expect))
            #expect(await isServed(client, stream: 7))
            await client.close()
        }
    }

    /// RFC 9113 section 6.5.2: what is not named is 16,384 bytes a frame, 65,535 bytes of a body on their way.
    @Test func theServerSaysItsLimits() async throws {
        try await withNode { node, certificate in
            let client = try await Client.connect(node, trusting: certificate)
            client.begin()
            let settings = try #require(await client.next(.settings)).settings
            #expect(settings[3] == 32 && settings[6] == UInt32(ApiConfiguration.headerLimit))
            #expect(settings[4] == nil && settings[5] == nil)
            await client.close()
        }
    }

    /// What one client sends after its preface, and what GOAWAY tells it (RFC 9113 section 7).
    enum Attack: CaseIterable {
        case manyStreams, rapidReset, headerList, headerBomb, continuations, pings, settings, emptyData, longFrame

        var bytes: [UInt8] {
            let streams = (0..<1_000).map { UInt32(2 * $0 + 1) }
            switch self {
            // None is ended, so all are open.
            case .manyStreams: return streams.flatMap { Client.request($0, flags: Client.endHeaders) }
            // CVE-2023-44487.
            case .rapidReset:
                return streams.flatMap { Client.request($0) + Client.frame(.reset, stream: $0, Client.word(8)) }
            // A literal of 20,000 bytes in two frames.
            case .headerList:
                let field = [0x00, 1, UInt8(ascii: "a")] + Client.integer(20_000, bits: 7)
                let block = Client.fields + field + [UInt8](repeating: UInt8(ascii: "a"), count: 20_000)
                return Client.frame(.headers, flags: Client.endStream, stream: 1, Array(block.prefix(16_000)))
                    + Client.frame(.continuation, flags: Client.endHeaders, stream: 1, Array(block.dropFirst(16_000)))
            // An entry of 4,000 bytes for the dynamic table, and 8,000 references to it of a byte each.
            case .headerBomb:
                let field = [0x40, 1, UInt8(ascii: "a")] + Client.integer(4_000, bits: 7)
                let entry = field + [UInt8](repeating: UInt8(ascii: "a"), count: 4_000)
                return Client.request(1, more: entry + [UInt8](repeating: 0xbe, count: 8_000))
            // CVE-2024-27983 and its kin.
            case .continuations:
                return Client.request(1, flags: Client.endStream)
                    + (0..<10_000).flatMap { _ in Client.frame(.continuation, stream: 1, [0x00, 1, 0x61, 1, 0x61]) }
            case .pings:
                return (0..<10_000).flatMap { _ in Client.frame(.ping, [UInt8](repeating: 0, count: 8)) }
            case .settings: return (0..<10_000).flatMap { _ in Client.frame(.settings) }
            case .emptyData:
                return Client.request(1, flags: Client.endHeaders)
                    + (0..<10_000).flatMap { _ in Client.frame(.data, stream: 1) }
            case .longFrame: return Client.frame(.data, stream: 1, [UInt8](repeating: 0, count: 16_385))
            }
        }

        var errorCode: UInt32 {
            switch self {
            case .manyStreams, .headerList: 1  // PROTOCOL_ERROR
            case .longFrame: 6  // FRAME_SIZE_ERROR
            case .headerBomb: 9  // COMPRESSION_ERROR
            default: 11  // ENHANCE_YOUR_CALM
            }
        }
    }

    @Test(arguments: Attack.allCases) func whoKeepsToNoRuleIsClosedAndOthersAreServed(_ attack: Attack) async throws {
        try await withNode { node, certificate in
            let neighbour = try await Client.connect(node, trusting: certificate)
            neighbour.begin()
            #expect(await isServed(neighbour, stream: 1))
            let client = try await Client.connect(node, trusting: certificate)
            client.begin()
            client.send(attack.bytes)
            var answers = 0
            var code: UInt32?
            while let frame = await client.next() {
                if frame.kind == .goAway { code = frame.errorCode }
                if frame.kind == .headers { answers += 1 }
            }
            // What the server had not read when it closed may cost its last words.
            #expect(code == nil || code == attack.errorCode)
            #expect(answers <= 200)
            #expect(await isServed(neighbour, stream: 3))
            let newcomer = try await Client.connect(node, trusting: certificate)
            newcomer.begin()
            #expect(await isServed(newcomer, stream: 1))
            await neighbour.close()
            await newcomer.close()
        }
    }

    @Test func theLimitHoldsBeforeItIsAcknowledged() async throws {
        try await withNode { node, certificate in
            let client = try await Client.connect(node, trusting: certificate)
            // No ACK of the server's settings; no request is ended, so all are open.
            client.send(Client.preface + Client.frame(.settings))
            for stream: UInt32 in stride(from: 1, to: 80, by: 2) {
                client.send(Client.request(stream, flags: Client.endHeaders))
            }
            var refused: Set<UInt32> = []
            while refused.count < 8, let frame = await client.next(.reset) {
                #expect(frame.payload == Client.word(7))  // REFUSED_STREAM
                refused.insert(frame.stream)
            }
            #expect(refused == [65, 67, 69, 71, 73, 75, 77, 79])
            // One that ends makes room for another.
            client.send(Client.frame(.reset, stream: 1, Client.word(8)))
            var next: UInt32 = 81
            while await !isServed(client, stream: next) { next += 2 }
            await client.close()
        }
    }

    @Test func theBodiesOfAConnectionTakeSoMuchTogether() throws {
        let ends = ConnectionEnds()
        let budget = BodyBudget(ends)
        let body = ByteBuffer(repeating: 0x20, count: ApiConfiguration.bodyLimit)
        func stream() throws -> EmbeddedChannel {
            let channel = EmbeddedChannel(handler: BodyGate(budget))
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            return channel
        }
        let streams = try (0..<9).map { _ in try stream() }
        for stream in streams { try stream.writeInbound(HTTPRequestPart.body(body)) }
        #expect(streams.map(\.isActive) == Array(repeating: true, count: 8) + [false])
        #expect(ends[.bodies] == 1)
        // One that is over makes room for another.
        _ = try streams[0].finish()
        let next = try stream()
        try next.writeInbound(HTTPRequestPart.body(body))
        #expect(next.isActive)
    }

    /// Who answers nothing: no SETTINGS, no PING, and a request that never comes whole.
    @Test(arguments: [[], Client.preface, Client.preface + Client.frame(.settings) + Client.request(1, flags: 0)])
    func whoIsSilentIsLetGo(_ beginning: [UInt8]) async throws {
        let shorten: (inout ApiConfiguration) -> Void = {
            // Also for the handshake, on a busy machine.
            $0.idleTimeout = .seconds(2)
            $0.farewellTime = .milliseconds(50)
        }
        try await withNode(shorten) { node, certificate in
            let client = try await Client.connect(node, trusting: certificate)
            client.send(beginning)
            while await client.next() != nil {}
        }
    }

    /// However many connections they share.
    @Test func anAddressHasSoManyRequestsOnTheirWay() async throws {
        let narrow: (inout ApiConfiguration) -> Void = { $0.connectionsPerAddress = 3 }
        try await withNode(narrow) { node, certificate in
            let clients = [
                try await Client.connect(node, trusting: certificate, from: "127.0.0.5"),
                try await Client.connect(node, trusting: certificate, from: "127.0.0.5"),
            ]
            for client in clients {
                client.begin()
                client.send(Client.request(1, flags: Client.endHeaders))
            }
            #expect(await clients[0].next(.headers) != nil)
            #expect(await clients[1].next(.headers) != nil)
            let (client, first) = (clients[0], clients[1])
            client.send(Client.request(3, flags: Client.endHeaders), Client.request(5, flags: Client.endHeaders))
            let reset = try #require(await client.next(.reset))
            #expect(reset.stream == 5)
            let page = try await node.call("GET", "/metrics", ops: true).body
            #expect(page.contains("needletail_api_requests_refused_total 1\n"))
            // Another address is served, and this one again when a request of it is over.
            let other = try await Client.connect(node, trusting: certificate, from: "127.0.0.6")
            other.begin()
            #expect(await isServed(other, stream: 1))
            first.send(Client.frame(.reset, stream: 1, Client.word(8)))
            var stream: UInt32 = 7
            while await !isServed(client, stream: stream) { stream += 2 }
            for client in clients + [other] { await client.close() }
        }
    }
}
