import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import needletail

@Suite(.timeLimit(.minutes(1))) struct OpsRequestTests {
    private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

    /// Runs `body` beside a server on loopback that hears one request up to `end` and says `answer`; nothing, and it keeps
    /// the connection.
    ///
    /// - Returns: what the server heard.
    private func serve(
        _ answer: String?, after end: String = "\r\n\r\n", _ body: (OpsAddress) async throws -> Void
    ) async throws -> String {
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let port = try #require(server.channel.localAddress?.port)
        async let heard = server.executeThenClose { clients in
            for try await client in clients { return try await Self.hear(client, until: end, answer) }
            return ""
        }
        try await body(OpsAddress(host: "127.0.0.1", port: port))
        return try await heard
    }

    private static func hear(
        _ client: NIOAsyncChannel<ByteBuffer, ByteBuffer>, until end: String, _ answer: String?
    ) async throws -> String {
        try await client.executeThenClose { inbound, outbound in
            var heard = ""
            for try await part in inbound {
                heard += String(buffer: part)
                guard heard.hasSuffix(end), let answer else { continue }
                // A client that has enough hangs up.
                try? await outbound.write(ByteBuffer(string: answer))
                break
            }
            return heard
        }
    }

    @Test func theNodeHearsWhoAsksAndForWhat() async throws {
        var host = ""
        let heard = try await serve(Self.ok) { address in
            host = address.description
            let client = OpsClient(address: address, token: "a.b.c")
            let (status, body) = try await client.call("DELETE", "/api/v1/node/drain")
            #expect(status == 200 && body == Data("{}".utf8))
        }
        #expect(heard.hasPrefix("DELETE /api/v1/node/drain HTTP/1.1\r\n"))
        #expect(heard.contains("\r\nHost: \(host)\r\n"))
        #expect(heard.contains("\r\nAuthorization: Bearer a.b.c\r\n"))
    }

    @Test func aBodyGoesAlongAsJSON() async throws {
        let heard = try await serve(Self.ok, after: "}") { address in
            _ = try await OpsClient(address: address, token: nil).call("POST", "/", body: #"{"a":"é"}"#)
        }
        #expect(heard.contains("\r\nContent-Type: application/json\r\n"))
        #expect(heard.contains("\r\nContent-Length: 10\r\n"))
        #expect(heard.hasSuffix("\r\n\r\n{\"a\":\"é\"}"))
        #expect(!heard.contains("Authorization"))
    }

    @Test func noHeaderCanBeSmuggledIn() async throws {
        _ = try await serve("") { address in
            await #expect(throws: OpsClient.Silence.self) {
                try await OpsClient(address: address, token: "a\r\nX: b").call("GET", "/livez")
            }
        }
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{", "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n" + String(repeating: "a", count: 1_048_577),
    ])
    func halfAnAnswerOrAnEndlessOneIsNone(answer: String) async throws {
        _ = try await serve(answer) { address in
            await #expect(throws: OpsClient.Silence.self) {
                try await OpsClient(address: address, token: nil).call("GET", "/livez")
            }
        }
    }

    /// A node of another version, or another program, may say any number.
    @Test(arguments: [
        (#""busy_ratio":NaN"#, nil), (#""busy_ratio":1e999"#, nil), (#""busy_ratio":"much""#, nil),
        (#""participants":9223372036854775808"#, nil), (#""participants":1.5"#, nil),
        (#""drain_deadline_s":1e30"#, nil),
        (#""busy_ratio":-1e300"#, "busy -1"), (#""transmit":1e308"#, "sends 1"), (#""transmit":-1e19"#, "sends -1"),
        (#""participants":-9223372036854775808"#, "-9223372036854775808 participants inside"),
        (#""used":9223372036854775807"#, "9223372036854775807 of 8 sessions"),
    ])
    func figuresOutOfRangeAreToldOrRefused(_ figure: String, _ told: String?) async throws {
        let name = figure.prefix { $0 != ":" }
        let usual = [
            (#""busy_ratio""#, "0.1"), (#""participants""#, "1"), (#""drain_deadline_s""#, "1"), (#""transmit""#, "1"),
            (#""used""#, "1"),
        ].map { $0.0 == name ? figure : "\($0.0):\($0.1)" }
        let body = """
            {"pop":{"id":3},"version":"0.1.0","state":"draining","meetings":2,"allocations":2,\(usual[1]),\(usual[2]),
             "sessions":{\(usual[4]),"limit":8},
             "load":{\(usual[0]),"packets_per_second":{"receive":1,\(usual[3])},
                     "bits_per_second":{"receive":1,\(usual[3])}}}
            """
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        _ = try await serve(answer) { address in
            let client = OpsClient(address: address, token: nil)
            func ask() async throws -> NodeAnswer { try await client.ask("GET", "/api/v1/node", as: NodeAnswer.self) }
            guard let told else {
                let failure = await #expect(throws: OpsClient.Failure.self) { try await ask() }
                #expect(failure?.description.hasSuffix("is it another program?") == true)
                return
            }
            let node = try await ask()
            #expect("\(node.sentence) \(node.figures)".contains(told), "\(node.sentence) \(node.figures)")
        }
    }

    @Test func whoSaysNothingIsNotWaitedForLong() async throws {
        _ = try await serve(nil) { address in
            let client = OpsClient(address: address, token: nil, patience: .milliseconds(100))
            let failure = await #expect(throws: OpsClient.Silence.self) { try await client.call("GET", "/livez") }
            #expect(failure?.description.hasPrefix("no answer from \(address) (") == true)
        }
    }
}

struct OpsAddressTests {
    @Test(arguments: [
        ("127.0.0.1:9090", "127.0.0.1", 9_090), ("[::1]:1", "::1", 1),
        ("pop3.example.org:65535", "pop3.example.org", 65_535),
    ])
    func isReadAndWrittenAlike(text: String, host: String, port: Int) {
        let address = OpsAddress(text)
        #expect(address == OpsAddress(host: host, port: port))
        #expect(address?.description == text)
    }

    @Test(arguments: [
        "", ":9090", "9090", "a", "a:", "a:0", "a:65536", "a:-1", "::1:9090", "[]:9090", "[::1:9090", "a:b:1",
    ])
    func anotherFormIsNone(text: String) { #expect(OpsAddress(text) == nil) }
}
