import NIOCore
import NIOEmbedded
import Testing

@testable import Api

/// HTTP/1.1 as clients of all kinds speak it.
@Suite(.timeLimit(.minutes(1))) struct HTTP1 {
    /// Each head of an answer in what a connection brought.
    private static func statuses(_ text: String) -> [Int] {
        text.split(separator: "HTTP/1.1 ", omittingEmptySubsequences: false).dropFirst().compactMap {
            Int($0.prefix(3))
        }
    }

    private static let closing = "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    // MARK: Upgrades

    /// Java's client asks for HTTP/2 with each request over plain TCP.
    @Test(arguments: ["h2c", "TLS/1.0", "foo/2, bar", "websocket"])
    func whoWantsAnotherProtocolIsAnsweredByThisOne(_ upgrade: String) async throws {
        try await ApiNode.run { node async throws in
            let fields = "Upgrade: \(upgrade)\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\n"
            let page = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n\(fields)\r\n"
            let body = #"{"display_name": "Ada"}"#
            let join =
                "POST /api/v1/meetings/123-456-789/join HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\(fields)"
                + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            let text = try await node.exchange(page + join + page + Self.closing, port: node.port)
            #expect(Self.statuses(text) == [200, 404, 200, 404])
            #expect(text.contains("meeting_not_found"))
            let livez = "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\(fields)\r\n"
            let ops = try await node.exchange(livez + livez + Self.closing, port: node.opsPort)
            #expect(Self.statuses(ops) == [200, 200, 200])
        }
    }

    private static let key = "dGhlIHNhbXBsZSBub25jZQ=="

    @Test(arguments: [
        ("", 426), ("Upgrade: websocket\r\n", 426),
        ("Upgrade: websocket\r\nSec-WebSocket-Key: \(key)\r\n", 426),
        ("Upgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: \(key)\r\n", 426),
        ("Upgrade: websocket\r\nSec-WebSocket-Version: 13, 8\r\nSec-WebSocket-Key: \(key)\r\n", 426),
        ("Upgrade: other\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(key)\r\n", 426),
        ("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n", 400),
        ("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n", 400),
        (
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(key)\r\n"
                + "Sec-WebSocket-Key: \(key)\r\n", 400
        ),
        ("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(key)\r\nContent-Length: 2\r\n", 426),
    ])
    func aBadHandshakeIsRefusedInWords(_ fields: String, _ status: Int) async throws {
        try await ApiNode.run { node async throws in
            let body = fields.contains("Content-Length") ? "{}" : ""
            let request = "GET /api/v1/signal HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\(fields)\r\n\(body)"
            let text = try await node.exchange(request + Self.closing, port: node.port)
            #expect(Self.statuses(text) == [status])
            #expect(text.contains("Connection: close\r\n"))
            #expect((status == 426) == text.contains("Sec-WebSocket-Version: 13\r\n"))
            #expect((status == 426) == text.contains("Upgrade: websocket\r\n"))
        }
    }

    @Test(arguments: ["POST", "HEAD", "PUT"]) func aHandshakeIsAGet(_ method: String) async throws {
        try await ApiNode.run { node async throws in
            let request =
                "\(method) /api/v1/signal HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(Self.key)\r\n\r\n"
            let text = try await node.exchange(request + Self.closing, port: node.port)
            #expect(Self.statuses(text) == [method == "HEAD" ? 426 : 405, 404])
        }
    }

    @Test func whatTheMaskHidesIsTheHeaderAlone() throws {
        func masked(_ parts: [String], sparesSocket: Bool = true) throws -> String {
            let channel = EmbeddedChannel(handler: UpgradeMask(sparesSocket: sparesSocket))
            for part in parts { try channel.writeInbound(ByteBuffer(string: part)) }
            var text = ""
            while let part = try channel.readInbound(as: ByteBuffer.self) { text += String(buffer: part) }
            return text
        }
        let request = "GET /upgrade HTTP/1.1\r\nUPGRADE: h2c\r\nA: upgrade\r\nUp: 1\r\nupgrade: b\r\n\r\n"
        let hidden = "GET /upgrade HTTP/1.1\r\nUPGRAD_: h2c\r\nA: upgrade\r\nUp: 1\r\nupgrad_: b\r\n\r\n"
        #expect(try masked([request]) == hidden)
        #expect(try masked(request.map { String($0) }) == hidden)
        for rest in [" HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", "?a HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"] {
            let socket = "GET /api/v1/signal" + rest
            #expect(try masked(socket.map { String($0) }) == socket)
            #expect(try masked([socket], sparesSocket: false) != socket)
            #expect(try masked([request + socket]) == hidden + socket.replacing("Upgrade", with: "Upgrad_"))
        }
        let other = "GET /api/v1/signals HTTP/1.1\r\nUpgrad"
        #expect(try masked([other, "e: a"]) == other + "_: a")
    }

    /// The decoder takes what follows for a tunnel's, and would keep it.
    @Test(arguments: [false, true]) func thisIsNoProxy(ops: Bool) async throws {
        try await ApiNode.run { node async throws in
            let request = "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n"
            let text = try await node.exchange(request + Self.closing, port: ops ? node.opsPort : node.port)
            #expect(Self.statuses(text) == [501])
        }
    }

    /// Bytes behind the head would be the next answer's.
    @Test(arguments: [false, true]) func answersToHeadHaveNoBody(ops: Bool) async throws {
        try await ApiNode.run { node async throws in
            let paths = ops ? ["/nix", "/api/v1/node/drain", "/livez"] : ["/nix", "/api/v1/meetings/x/join", "/"]
            let requests = paths.map { "HEAD \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }
            let text = try await node.exchange(
                requests.joined() + Self.closing, port: ops ? node.opsPort : node.port)
            #expect(Self.statuses(text).count == 4)
            for answer in text.components(separatedBy: "\r\n\r\n").dropFirst().prefix(3) {
                #expect(answer.hasPrefix("HTTP/1.1 "), "\(answer.prefix(60))")
            }
            let early = "HEAD / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n"
            #expect(try await node.exchange(early, port: node.port).hasSuffix("\r\n\r\n"))
        }
    }

    // MARK: Methods

    @Test(arguments: [
        ("PUT", "/api/v1/meetings", "GET, HEAD, OPTIONS, POST"), ("GET", "/api/v1/meetings/m_1/join", "OPTIONS, POST"),
        ("POST", "/api/v1/meetings/m_1", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("PROPFIND", "/api/v1/signal", "GET, HEAD, OPTIONS"),
        ("DELETE", "/api/v1/openapi.json", "GET, HEAD, OPTIONS"), ("POST", "/", "GET, HEAD, OPTIONS"),
        ("DELETE", "/api.js", "GET, HEAD, OPTIONS"),
    ])
    func aMethodThatAPathDoesNotHaveIsSaid(_ method: String, _ path: String, _ allowed: String) async throws {
        try await ApiNode.run { node async throws in
            let answer = try await node.call(method, path)
            #expect(answer.status == 405)
            #expect(answer.code == "method_not_allowed")
            #expect(answer.headers["allow"] == allowed)
            let options = try await node.call("OPTIONS", path)
            #expect(options.status == 204)
            #expect(options.headers["allow"] == allowed)
            #expect(try await node.call(method, "/api/v1/nothing").status == 404)
        }
    }

    @Test func soDoesTheOtherListener() async throws {
        try await ApiNode.run { node async throws in
            let answer = try await node.call("POST", "/readyz", ops: true)
            #expect(answer.status == 405)
            #expect(answer.headers["allow"] == "GET, HEAD, OPTIONS")
            #expect(
                try await node.call("GET", "/api/v1/node/drain", ops: true).headers["allow"] == "DELETE, OPTIONS, POST")
            #expect(try await node.call("POST", "/nothing", ops: true).status == 404)
        }
    }

    // MARK: Expectations

    @Test func whoAsksBeforeItSendsIsToldToGoOn() async throws {
        try await ApiNode.run { node async throws in
            for port in [node.port, node.opsPort] {
                let path = port == node.port ? "/api/v1/meetings/123-456-789/join" : "/nothing"
                let head =
                    "POST \(path) HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: application/json\r\n"
                let text = try await node.exchange(
                    head + "Content-Length: 23\r\n\r\n" + #"{"display_name": "Ada"}"# + Self.closing, port: port)
                #expect(Self.statuses(text) == [100, 404, port == node.port ? 404 : 200])
                let large = try await node.exchange(head + "Content-Length: 70000\r\n\r\n", port: port)
                #expect(Self.statuses(large) == [413])
                #expect(large.contains("too_large"))
            }
            let odd = try await node.exchange(
                "GET / HTTP/1.1\r\nHost: a\r\nExpect: the best\r\n\r\n" + Self.closing, port: node.port)
            #expect(Self.statuses(odd) == [417])
        }
    }

    @Test(arguments: [false, true]) func earlyAnswersComeInTheirTurn(ops: Bool) async throws {
        try await ApiNode.run { node async throws in
            let port = ops ? node.opsPort : node.port
            let good = "GET \(ops ? "/livez" : "/") HTTP/1.1\r\nHost: a\r\n\r\n"
            let expecting = "POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: "
            for (request, answers) in [
                ("\(expecting)1\r\nExpect: 100-continue\r\n\r\n", [100]),
                // Who sends without waiting needs no word.
                ("\(expecting)1\r\nExpect: 100-continue\r\n\r\nA\(Self.closing)", [404, ops ? 200 : 404]),
                ("\(expecting)70000\r\nExpect: 100-continue\r\n\r\n", [413]),
                ("\(expecting)0\r\nExpect: more\r\n\r\n", [417]),
                ("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n", [501]),
            ] {
                var text = ""
                if answers == [100] {
                    text = try await node.converse(good + good + request, until: "100 Continue", port: port)
                } else {
                    text = try await node.exchange(good + good + request, port: port)
                }
                // Behind the word that it may go on, an answer may come that needs no body.
                let heard = Array(Self.statuses(text).prefix(answers == [100] ? 3 : 9))
                #expect(heard == [200, 200] + answers, "\(request)")
            }
        }
    }

    // MARK: The end of a connection

    @Test(arguments: [
        ("1.1", "close", "close"), ("1.1", "Close", "close"), ("1.1", "keep-alive, CLOSE", "close"),
        ("1.1", "te\r\nConnection: close", "close"), ("1.0", "te", "close"), ("1.0", "keep-alive, close", "close"),
        ("1.0", "Keep-Alive", "keep-alive"), ("1.1", "keep-alive", nil), ("1.1", "closed", nil),
    ])
    func aClientSaysWhetherItGoesOn(_ version: String, _ option: String, _ told: String?) async throws {
        try await ApiNode.run { node async throws in
            for (port, path) in [(node.port, "/"), (node.opsPort, "/livez")] {
                let request = "GET \(path) HTTP/\(version)\r\nHost: a\r\nConnection: \(option)\r\n\r\n"
                let rest = "GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                let text = try await node.exchange(request + rest, port: port)
                #expect(Self.statuses(text) == (told == "close" ? [200] : [200, 200]))
                let head = try #require(text.components(separatedBy: "\r\n\r\n").first?.lowercased())
                #expect(head.contains("\r\nconnection: ") == (told != nil))
                if let told { #expect(head.contains("\r\nconnection: \(told)")) }
            }
        }
    }

    @Test func behindTheLastRequestNothingIsAnswered() async throws {
        try await ApiNode.run { node async throws in
            let last = "GET / HTTP/1.0\r\n\r\n"
            for rest in ["\u{1} nonsense\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", Self.closing] {
                #expect(try await Self.statuses(node.exchange(last + rest, port: node.port)) == [200])
            }
        }
    }

    @Test func aClientOfHTTP10IsToldNothingInBetween() async throws {
        try await ApiNode.run { node async throws in
            for expectation in ["100-continue", "more"] {
                let request = "POST /nothing HTTP/1.0\r\nExpect: \(expectation)\r\nContent-Length: 1\r\n\r\n"
                // Its body comes when the server has had time to say something.
                let text = try await node.exchange(request + "A", port: node.opsPort)
                #expect(Self.statuses(text) == [404])
            }
        }
    }

    // MARK: Host

    @Test(arguments: [false, true]) func aRequestNamesOneHost(ops: Bool) async throws {
        try await ApiNode.run { node async throws in
            let port = ops ? node.opsPort : node.port
            let path = ops ? "/livez" : "/"
            let good = "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n"
            for fields in ["", "Host: a\r\nHost: a\r\n", "Host: a b\r\n", "Host: http://a\r\n", "Host: a, b\r\n"] {
                let bad = "GET \(path) HTTP/1.1\r\n\(fields)\r\n"
                #expect(try await Self.statuses(node.exchange(bad + Self.closing, port: port)) == [400], "\(fields)")
                let second = try await node.exchange(good + bad + Self.closing, port: port)
                #expect(Self.statuses(second) == [200, 400], "\(fields)")
            }
            let old = "GET \(path) HTTP/1.0\r\n"
            #expect(try await Self.statuses(node.exchange(old + "\r\n", port: port)) == [200])
            #expect(
                try await Self.statuses(node.exchange(old + "Host: a\r\nHost: b\r\n\r\n", port: port)) == [400])
        }
    }

    @Test func soDoesOneForTheSocket() async throws {
        try await ApiNode.run { node async throws in
            let request =
                "GET /api/v1/signal HTTP/1.1\r\nHost: a\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(Self.key)\r\n\r\n"
            #expect(try await Self.statuses(node.exchange(request, port: node.port)) == [400])
        }
    }

    @Test(arguments: [
        ("", true), ("meet.example.org", true), ("meet.example.org:8080", true), ("192.0.2.1:1", true), ("[::1]", true),
        ("[2001:db8::1]:65535", true), ("a%20b", true), ("a:", true), ("a:65536", false), ("a:80:80", false),
        ("a:8o", false), ("[::1", false), ("[]", false), ("[::1]a", false), ("a/b", false), ("user@a", false),
        ("a?", false), ("a b", false), ("ä", false), ("[a%25b]", false), (":80", true), ("a:+80", false),
    ])
    func aHostIsANameOrAnAddressAndAPort(_ text: String, _ isValid: Bool) {
        #expect(HostField.isValid(text) == isValid)
    }

    // MARK: One answer each

    @Test(arguments: [false, true]) func whatIsMalformedIsAnsweredOnce(ops: Bool) async throws {
        try await ApiNode.run { node async throws in
            let port = ops ? node.opsPort : node.port
            let path = ops ? "/livez" : "/"
            let good = "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n"
            let chunked = "GET \(path) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            #expect(try await Self.statuses(node.exchange("\u{1} nonsense\r\n\r\n", port: port)) == [400])
            #expect(try await Self.statuses(node.exchange(good + "\u{1} nonsense\r\n\r\n", port: port)) == [200, 400])
            // The answer was sent before the body was seen to be none.
            let early = try await node.exchange(chunked + "zz\r\n", port: port)
            #expect(Self.statuses(early) == [200] || Self.statuses(early) == [400])
            let late = try await node.exchange(good + chunked + "2\r\nab\r\nzz\r\n", port: port)
            #expect(Self.statuses(late) == [200, 200] || Self.statuses(late) == [200, 400])
        }
    }

    @Test func requestsThatComeTogetherAreAnsweredInTheirOrder() async throws {
        try await ApiNode.run { node async throws in
            let requests = ["/", "/nothing", "/api/v1/signal", "/api.js"].map {
                "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n"
            }
            let text = try await node.exchange(
                requests.joined() + "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + Self.closing, port: node.port)
            #expect(Self.statuses(text) == [200, 404, 426, 200, 200, 404])
        }
    }
}
