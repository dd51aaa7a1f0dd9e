import Agents
import Foundation
import Meetings
import NIOCore
import NIOHPACK
import Testing

@testable import Api

@Suite(.timeLimit(.minutes(1))) struct TLS {
    private func configuration(_ certificate: TestCertificate, host: String = "127.0.0.1") throws -> ApiConfiguration {
        var configuration = ApiNode.configuration
        configuration.api = .init(host: host, port: 0)
        configuration.certificates = try certificate.store()
        return configuration
    }

    /// The front page's header fields, for a client that trusts only `certificate`.
    private func frontPage(
        _ node: ApiNode, trusting certificate: TestCertificate, host: String = "localhost"
    ) async throws -> HPACKHeaders? {
        let client = try await HTTP2Client.connect(node, trusting: certificate, host: host, from: nil)
        client.begin()
        let fields = try await client.frontPage()
        await client.close()
        return fields
    }

    @Test(arguments: [("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "localhost"), ("::1", "::1")])
    func restIsServedOverHTTP2ToEachNameOfTheCertificate(host: String, name: String) async throws {
        let certificate = try TestCertificate()
        defer { certificate.remove() }
        try await ApiNode.run(configuration(certificate, host: host)) { node async throws in
            let fields = try #require(try await frontPage(node, trusting: certificate, host: name))
            #expect(fields.first(name: ":status") == "200")
            #expect(fields.first(name: "strict-transport-security") == "max-age=31536000")
            #expect(fields.first(name: "x-content-type-options") == "nosniff")
        }
    }

    @Test func plainHttpHasNoStrictTransportSecurity() async throws {
        try await ApiNode.run { node async throws in
            let answer = try await node.call("GET", "/")
            #expect(answer.headers["strict-transport-security"] == nil)
        }
    }

    @Test func aRenewedCertificateIsUsedAndOpenSocketsGoOn() async throws {
        let old = try TestCertificate()
        defer { old.remove() }
        var configuration = try configuration(old)
        // Nobody joins with this socket.
        configuration.signalingJoinTime = .seconds(60)
        try await ApiNode.run(configuration) { node async throws in
            let socket = try await SignalingClient.connect(port: node.port, tls: old.client)
            #expect(try await socket.ask(["type": "ping", "id": 1])["type"] == "pong")
            let new = try TestCertificate(in: old.folder)
            await node.clock.advance(by: .seconds(1))
            // The second tick proves that the first is over.
            await node.clock.advance(by: .seconds(1))
            #expect(try await frontPage(node, trusting: new)?.first(name: ":status") == "200")
            await #expect(throws: (any Error).self) { try await frontPage(node, trusting: old) }
            #expect(try await socket.ask(["type": "ping", "id": 2])["type"] == "pong")
            try await socket.vanish()
        }
    }

    @Test func filesThatDoNotFitChangeNothing() throws {
        let certificate = try TestCertificate()
        let other = try TestCertificate()
        defer { certificate.remove() }
        defer { other.remove() }
        let store = try certificate.store()
        let validity = store.validity
        #expect(try !store.reload())
        try certificate.write(String(contentsOfFile: other.key, encoding: .utf8), to: certificate.key)
        #expect(throws: CertificateStore.Refusal.self) { try store.reload() }
        // Told once.
        #expect(try !store.reload())
        #expect(store.validity == validity)
        try certificate.write("nonsense", to: certificate.certificate)
        #expect(throws: CertificateStore.Refusal.self) { try store.reload() }
        try certificate.write(String(contentsOfFile: other.certificate, encoding: .utf8), to: certificate.certificate)
        #expect(try store.reload())
    }

    @Test func whatIsNoPairIsRefusedByName() throws {
        let certificate = try TestCertificate()
        defer { certificate.remove() }
        let missing = #expect(throws: CertificateStore.Refusal.self) {
            try CertificateStore(certificate: "/nowhere.pem", key: certificate.key)
        }
        #expect(missing?.description == "/nowhere.pem does not exist")
        let swapped = #expect(throws: CertificateStore.Refusal.self) {
            try CertificateStore(certificate: certificate.key, key: certificate.key)
        }
        #expect(swapped?.description == "\(certificate.key) holds no certificate in PEM")
        let keyless = #expect(throws: CertificateStore.Refusal.self) {
            try CertificateStore(certificate: certificate.certificate, key: certificate.certificate)
        }
        #expect(keyless?.description == "\(certificate.certificate) holds no private key in PEM without a passphrase")
    }

    /// That of the API, and that of `turn.tls_listen`.
    @Test(arguments: [("api", "certificate"), ("turn", "turn_certificate")])
    func anExpiredCertificateIsNotReady(listener: String, condition: String) async throws {
        // The tests' clock begins at 1,800,000,000 s.
        let certificate = try TestCertificate(until: Date(timeIntervalSince1970: 1_800_000_010))
        defer { certificate.remove() }
        var configuration = ApiNode.configuration
        if listener == "api" {
            configuration.certificates = try certificate.store()
        } else {
            configuration.turn = TURNConfiguration(secrets: TURNSecrets([]))
            configuration.turn?.certificates = try certificate.store()
        }
        try await ApiNode.run(configuration) { node async throws in
            #expect(try await node.call("GET", "/readyz", ops: true).status == 200)
            await node.clock.advance(by: .seconds(11))
            let ready = try await node.call("GET", "/readyz", ops: true)
            #expect(ready.status == 503)
            let finding = ready.json["conditions"]?[2]
            #expect(finding?["name"] == .string(condition) && finding?["met"] == false)
            let reason = "expired at 2027-01-15T08:00:10Z: renew \(listener).certificate, it is read again by itself"
            #expect(finding?["detail"] == .string(reason))
            #expect(try await node.call("GET", "/livez", ops: true).status == 200)
            let page = try await node.call("GET", "/metrics", ops: true).body
            let sample = "needletail_certificate_expiry_timestamp_seconds{listener=\"\(listener)\"} 1800000010\n"
            #expect(page.contains(sample))
            _ = try TestCertificate(in: certificate.folder)
            await node.clock.advance(by: .seconds(1))
            await node.clock.advance(by: .seconds(1))
            #expect(try await node.call("GET", "/readyz", ops: true).status == 200)
        }
    }

    @Test func whoBeginsNoHandshakeIsDropped() async throws {
        let certificate = try TestCertificate()
        defer { certificate.remove() }
        var configuration = try configuration(certificate)
        configuration.idleTimeout = .milliseconds(100)
        try await ApiNode.run(configuration) { node async throws in
            #expect(try await node.exchange("", port: node.port) == "")
        }
    }

    @Test(arguments: [false, true]) func aRequestThatDripsIsEnded(ops: Bool) async throws {
        var configuration = ApiNode.configuration
        configuration.requestTime = .milliseconds(100)
        try await ApiNode.run(configuration) { node async throws in
            let path = ops ? "/api/v1/node/drain" : "/api/v1/meetings/123-456-789/join"
            let request = "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"
            // It ends; what little may have been answered matters not.
            _ = try? await node.exchange(request, port: ops ? node.opsPort : node.port)
        }
    }
}
