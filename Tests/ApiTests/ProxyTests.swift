import NIOCore
import Testing
import Wire

@testable import Api

@Suite(.timeLimit(.minutes(1))) struct Proxies {
    private static let loopback = TrustedProxies.Prefix(address: IPAddress(v4: 0x7f00_0000), length: 8)
    private static let trusted = TrustedProxies([
        loopback, .init(address: IPAddress("2001:db8:1::")!, length: 48),
    ])

    @Test(arguments: [
        ("192.0.2.9", [], ["198.51.100.7"], "192.0.2.9"),
        ("127.0.0.1", [], [], "127.0.0.1"),
        ("127.0.0.1", [], ["198.51.100.7"], "198.51.100.7"),
        // What a client wrote itself stands before what the proxy added.
        ("127.0.0.1", [], ["203.0.113.1, 198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", [], ["203.0.113.1", "198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", [], ["198.51.100.7, 127.0.0.2"], "198.51.100.7"),
        ("127.0.0.1", [], ["198.51.100.7, 2001:db8:1::5"], "198.51.100.7"),
        ("127.0.0.1", [], ["198.51.100.7:4711"], "198.51.100.7"),
        ("127.0.0.1", [], ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("127.0.0.1", [], ["::ffff:198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", [], ["unknown"], "127.0.0.1"),
        ("127.0.0.1", [], ["198.51.100.7, nonsense, 127.0.0.3"], "127.0.0.3"),
        ("127.0.0.1", ["for=198.51.100.7;proto=https"], [], "198.51.100.7"),
        ("127.0.0.1", ["For=203.0.113.1, for=\"[2001:db8::7]:4711\""], [], "2001:db8::7"),
        ("127.0.0.1", ["for=_hidden"], [], "127.0.0.1"),
        ("127.0.0.1", ["by=127.0.0.1"], [], "127.0.0.1"),
        ("127.0.0.1", ["for=198.51.100.7"], ["198.51.100.7"], "198.51.100.7"),
        // One of them the client wrote: whoever does so counts as the proxy.
        ("127.0.0.1", ["for=203.0.113.1"], ["198.51.100.7"], "127.0.0.1"),
    ])
    func theNearestThatIsNoProxyCounts(
        _ nearest: String, _ forwarded: [String], _ forwardedFor: [String], _ client: String
    ) throws {
        let found = Self.trusted.client(
            nearest: try #require(IPAddress(nearest)), forwarded: forwarded, forwardedFor: forwardedFor)
        #expect(found == IPAddress(client))
    }

    // MARK: a node

    private static var configuration: ApiConfiguration {
        var configuration = ApiNode.configuration
        configuration.trustedProxies = trusted
        configuration.rateLimit = .init(burst: 1, perSecond: 0.1)
        return configuration
    }

    /// The PROXY header of a connection from 192.0.2.`host`.
    private static func header(_ host: UInt8) -> [UInt8] {
        ProxyHeader.signature + [0x21, 0x11, 0, 12, 192, 0, 2, host, 127, 0, 0, 1, 0x12, 0x67, 0x1f, 0x90]
    }

    private static let join =
        "POST /api/v1/meetings/123-456-789/join HTTP/1.1\r\nHost: meet.test\r\nConnection: close\r\n"
        + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

    private func status(_ node: ApiNode, _ preamble: [UInt8], _ request: String = join) async throws -> String {
        let answer = try await node.exchange(request, preamble: preamble, port: node.port)
        return String(answer.dropFirst("HTTP/1.1 ".count).prefix(3))
    }

    @Test func eachBehindAProxyHasItsOwnLimit() async throws {
        try await ApiNode.run(Self.configuration) { node async throws in
            func status(_ address: String) async throws -> Int {
                try await node.call(
                    "POST", "/api/v1/meetings/123-456-789/join", body: [:], headers: ["X-Forwarded-For": address]
                ).status
            }
            #expect(try await status("192.0.2.1") == 404)
            #expect(try await status("192.0.2.1") == 429)
            #expect(try await status("192.0.2.2") == 404)
            #expect(try await status("2001:db8::1") == 404)
            // The same customer.
            #expect(try await status("2001:db8::2") == 429)
        }
    }

    @Test func aProxyHeaderNamesTheConnectionsAddress() async throws {
        try await ApiNode.run(Self.configuration) { node async throws in
            func join(_ host: UInt8) async throws -> String {
                try await status(node, Self.header(host))
            }
            #expect(try await join(1) == "404")
            #expect(try await join(1) == "429")
            #expect(try await join(2) == "404")
            // Without one the proxy speaks for itself.
            #expect(try await status(node, []) == "404")
            // What the named address itself says it was forwarded for is not believed.
            let forged = Self.join.replacing("Host", with: "X-Forwarded-For: 192.0.2.77\r\nHost")
            #expect(try await status(node, Self.header(1), forged) == "429")
            let wrong = ProxyHeader.signature + [0x31, 0x11, 0, 12] + Array(repeating: 1, count: 12)
            #expect(try await status(node, wrong) == "")
        }
    }

    /// Over TLS the header comes ahead of it.
    @Test(arguments: [false, true]) func theSocketBehindOneIsCountedLikewise(_ isSecure: Bool) async throws {
        let certificate = try TestCertificate()
        defer { certificate.remove() }
        var configuration = Self.configuration
        if isSecure { configuration.certificates = try certificate.store() }
        try await ApiNode.run(configuration) { node async throws in
            func code(_ host: UInt8) async throws -> String? {
                let tls = isSecure ? certificate.client : nil
                let socket = try await SignalingClient.connect(port: node.port, tls: tls, preamble: Self.header(host))
                let join: Value = ["type": "join", "id": 1, "meeting": "123-456-789", "display_name": "Ada"]
                return try await socket.ask(join)["code"]?.string
            }
            #expect(try await code(1) == "meeting_not_found")
            #expect(try await code(1) == "too_many_requests")
            #expect(try await code(2) == "meeting_not_found")
        }
    }

    @Test func onlyTrustedOnesAreBelieved() async throws {
        var configuration = Self.configuration
        configuration.trustedProxies = TrustedProxies()
        try await ApiNode.run(configuration) { node async throws in
            #expect(try await status(node, Self.header(1)) == "400")
            let headers = ["X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1"]
            let path = "/api/v1/meetings/123-456-789/join"
            #expect(try await node.call("POST", path, body: [:]).status == 404)
            #expect(try await node.call("POST", path, body: [:], headers: headers).status == 429)
        }
    }

    @Test func theirConnectionsAreNotOfOneAddress() async throws {
        var configuration = Self.configuration
        configuration.rateLimit = nil
        configuration.connectionsPerAddress = 1
        try await ApiNode.run(configuration) { node async throws in
            let first = try await SignalingClient.connect(port: node.port)
            let second = try await SignalingClient.connect(port: node.port)
            let third = try await SignalingClient.connect(port: node.port, preamble: Self.header(1))
            for socket in [first, second, third] {
                #expect(try await socket.ask(["type": "ping", "id": 1])["type"] == "pong")
            }
            await #expect(throws: (any Error).self) {
                try await SignalingClient.connect(port: node.port, preamble: Self.header(1))
            }
            let fourth = try await SignalingClient.connect(port: node.port, preamble: Self.header(2))
            #expect(try await fourth.ask(["type": "ping", "id": 1])["type"] == "pong")
        }
    }
}
