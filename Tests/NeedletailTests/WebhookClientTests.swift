import Agents
import Foundation
import Meetings
import TestSupport
import Testing
import Webhooks

@testable import needletail

/// One attempt, and what receivers may do with it.
@Suite(.timeLimit(.minutes(1))) struct WebhookClients {
    static let secret = WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")!

    private static func post(
        _ port: Int, host: String = "127.0.0.1", tls: TLSContext? = nil, timeout: Duration = .seconds(20)
    ) async -> DeliveryAnswer {
        let endpoint = WebhookEndpoint(
            name: "a", host: host, port: port, target: "/hook?a=b", secrets: [secret], tls: tls)
        let body = "{\"topic\":\"Überblick\"}"
        let now = Timestamp(milliseconds: 1_800_000_000_000)
        let signature = WebhookSignature(id: "m_1_1", body: body, at: now, by: [secret])
        return await WebhookClient(endpoint: endpoint, timeout: timeout).post(body, signature)
    }

    @Test func theReceiverGetsTheSignedBody() async throws {
        try await WebhookReceiver.run(.init { _, _ in .status(204) }) { receiver, port in
            #expect(await Self.post(port) == .status(204))
            let call = try #require(receiver.calls.first)
            #expect(call.line == "POST /hook?a=b HTTP/1.1" && call.body == "{\"topic\":\"Überblick\"}")
            #expect(call.fields["host"] == "127.0.0.1:\(port)" && call.fields["content-type"] == "application/json")
            let signature = WebhookSignature(
                id: "m_1_1", body: call.body, at: Timestamp(milliseconds: 1_800_000_000_000), by: [Self.secret])
            for (name, value) in signature.fields { #expect(call.fields[name] == value) }
        }
    }

    @Test func itsStatusIsToldAndRedirectsAreNotFollowed() async throws {
        try await WebhookReceiver.run(
            .init { _, number in
                number == 1
                    ? .status(302, "Location: http://127.0.0.1:1/\r\n") : .status(503, "Retry-After: 90\r\n")
            }
        ) { receiver, port in
            #expect(await Self.post(port) == .status(302))
            #expect(await Self.post(port) == .status(503, retryAfter: "90"))
            #expect(receiver.calls.count == 2)
        }
    }

    @Test(arguments: [
        "", "garbage\r\n\r\n", "HTTP/1.1 two hundred\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 20_000))\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\(String(repeating: "A: b\r\n", count: 10_000))\r\n", "SSH-2.0-x\r\n", "\0\0\0\0",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ])
    func whatIsNoAnswerIsSilence(_ text: String) async throws {
        try await WebhookReceiver.run(.init { _, _ in .text(text) }) { _, port in
            let answer = await Self.post(port)
            #expect(answer.status == nil, "\(answer)")
            #expect(answer.words.utf8.count <= 200)
        }
    }

    @Test func noReceiverHoldsAnAttemptForLong() async throws {
        try await WebhookReceiver.run(.init { _, _ in .never }) { _, port in
            let start = ContinuousClock.now
            #expect(await Self.post(port, timeout: .milliseconds(300)).status == nil)
            #expect(ContinuousClock.now - start < .seconds(10))
        }
        let answers: [WebhookReceiver.Answer] = [
            .endless("HTTP/1.1 200 OK\r\n\r\n", more: String(repeating: "x", count: 4_096)),
            .endless("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", more: ""),
        ]
        for answer in answers {
            try await WebhookReceiver.run(.init { _, _ in answer }) { _, port in
                let start = ContinuousClock.now
                // Its status counts, whatever follows.
                #expect(await Self.post(port, timeout: .seconds(6)) == .status(200))
                #expect(ContinuousClock.now - start < .seconds(20))
            }
        }
        try await WebhookReceiver.run(.init { _, _ in .endless("HTTP/1.1 200 OK\r\n", more: "A: b\r\n") }) { _, port in
            #expect(await Self.post(port, timeout: .seconds(5)).status == nil)
        }
    }

    @Test func whereNobodyListensThereIsNoAnswer() async {
        let answer = await Self.post(1)
        #expect(answer.status == nil && answer.words.hasPrefix("no answer"))
    }

    @Test func aReceiverProvesWhoItIs() async throws {
        let authority = try TestAuthority()
        func server(_ names: String) throws -> TLSContext {
            let files = try authority.issue(names)
            func read(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }
            let identity = try TLSIdentity(certificates: read(files.certificate), key: read(files.key))
            return try TLSContext(identity, protocols: [])
        }
        let trusted = try #require(TLSAuthorities(Array(try Data(contentsOf: URL(filePath: authority.path)))))
        let client = try TLSContext(server: "localhost", of: trusted)
        let stranger = try TLSContext(server: "localhost", of: nil)
        try await WebhookReceiver.run(tls: try server("DNS:localhost"), .init { _, _ in .status(200) }) {
            receiver, port in
            #expect(await Self.post(port, host: "localhost", tls: client) == .status(200))
            #expect(receiver.calls.count == 1)
            // Of an authority that is not trusted.
            #expect(await Self.post(port, host: "localhost", tls: stranger).status == nil)
            #expect(receiver.calls.count == 1)
        }
        try await WebhookReceiver.run(tls: try server("DNS:other.example"), .init { _, _ in .status(200) }) {
            receiver, port in
            #expect(await Self.post(port, host: "localhost", tls: client).status == nil)
            #expect(receiver.calls.isEmpty)
        }
    }
}
