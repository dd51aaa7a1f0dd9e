import Fleet
import Foundation
import TestSupport
import Testing

@testable import Redis

/// Who is let in, and whom we trust.
@Suite(.serialized, .timeLimit(.minutes(1))) struct RedisAccessTests {
    private typealias Contract = RegistryContractTests

    private static func reason(_ under: RedisUnderTest) async throws -> String {
        try await under.expectChange(up: false)
        do throws(RegistryError) {
            _ = try await under.registry.pops()
        } catch { return error.description }
        return ""
    }

    /// The rights that the documentation names.
    private static func rights() throws -> [String] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = root.appendingPathComponent("Sources/needletail/Documentation.docc/Fleet.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let command = try #require(text.firstMatch(of: /ACL SETUSER [^`]+/)).output
        return command.matches(of: /\+\w+/).map { String($0.output) }
    }

    @Test func aUserOfOurOwnNeedsFewRights() async throws {
        let user = ["--user", "needletail", "on", ">secret word", "~fleet1:*"] + (try Self.rights())
        try await withRedis(user + ["--user", "default", "off"]) { server in
            let configuration = RedisConfiguration(
                addresses: [server.address], user: "needletail", password: "secret word", prefix: "fleet1:")
            let a = try RedisUnderTest(configuration)
            try await a.expectChange(up: true)
            let registry: any Registry = a.registry
            let (meeting, number) = (Contract.meeting, Contract.number)
            #expect(try await registry.claim(meeting, number: number) == .granted(epoch: 1))
            #expect(
                try await registry.renew([Lease(meeting: meeting, number: number, epoch: 2)]) == RenewalOutcome())
            #expect(
                try await registry.takeOver(meeting, number: number, seen: 3, homeIsDead: true) == .granted(epoch: 4))
            #expect(try await registry.find(number)?.home.epoch == 4)
            try await registry.release(meeting, epoch: 4)
            try await registry.announce(Contract.record("a"))
            #expect(try await registry.pops().count == 1)
            try await registry.withdraw()
            #expect(try await registry.pops() == [])

            var wrong = configuration
            wrong.password = "another"
            let b = try RedisUnderTest(wrong)
            #expect(try await Self.reason(b).contains("WRONGPASS"))
            wrong.password = nil
            let c = try RedisUnderTest(wrong)
            #expect(try await Self.reason(c).contains("NOAUTH"))
            var elsewhere = configuration
            elsewhere.prefix = "fleet2:"
            let d = try RedisUnderTest(elsewhere)
            try await d.expectChange(up: true)
            await #expect { try await d.registry.claim(meeting, number: number) } throws: { error in
                guard case .refused(let text)? = error as? RegistryError else { return false }
                return text.contains("keys") || text.contains("NOPERM")
            }
        }
    }

    @Test func aPasswordAloneIsEnough() async throws {
        try await withRedis(["--requirepass", "secret"]) { server in
            let a = try RedisUnderTest(RedisConfiguration(addresses: [server.address], password: "secret"))
            try await a.expectChange(up: true)
            let b = try RedisUnderTest(RedisConfiguration(addresses: [server.address], password: "wrong"))
            #expect(try await Self.reason(b).contains("WRONGPASS"))
        }
    }

    @Test func scriptsThatRedisForgotAreSentAgain() async throws {
        try await withRedis { server in
            let a = try RedisUnderTest(RedisConfiguration(addresses: [server.address]))
            try await a.expectChange(up: true)
            let bench = try await RedisBench(server)
            #expect(try await a.registry.claim(Contract.meeting, number: Contract.number) == .granted(epoch: 1))
            try await bench.call("SCRIPT", "FLUSH")
            #expect(try await a.registry.claim(Contract.meeting, number: Contract.number) == .granted(epoch: 1))
            // EVAL has left the script for EVALSHA.
            let loaded = try await bench.call("SCRIPT", "EXISTS", RegistryScript.claim.hash)
            #expect(loaded == .array([.integer(1)]))
        }
    }

    @Test func tlsIsForWhomWeTrust() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("redis-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Self.makeCertificates(in: folder)
        let files = [
            "--tls-cert-file", folder.appendingPathComponent("redis.pem").path,
            "--tls-key-file", folder.appendingPathComponent("redis.key").path,
            "--tls-ca-cert-file", folder.appendingPathComponent("ca.pem").path,
        ]
        let authority = [UInt8](try Data(contentsOf: folder.appendingPathComponent("ca.pem")))
        let stranger = [UInt8](try Data(contentsOf: folder.appendingPathComponent("other.pem")))
        let key = [UInt8](try Data(contentsOf: folder.appendingPathComponent("redis.key")))
        let ours = [UInt8](try Data(contentsOf: folder.appendingPathComponent("redis.pem")))
        // Redis asks for a certificate of ours unless it is told not to.
        try await withRedis(files, isTLS: true) { server in
            var tls = RedisTLS(authorities: authority, identity: .init(certificates: ours, key: key))
            let a = try RedisUnderTest(RedisConfiguration(addresses: [server.address], tls: tls))
            try await a.expectChange(up: true)
            _ = try await a.registry.claim(Contract.meeting, number: Contract.number)
            tls.identity?.key = [UInt8](try Data(contentsOf: folder.appendingPathComponent("other.key")))
            let b = try RedisUnderTest(RedisConfiguration(addresses: [server.address], tls: tls))
            #expect(try await Self.reason(b).contains("our key"))
            tls.identity = nil
            let c = try RedisUnderTest(RedisConfiguration(addresses: [server.address], tls: tls))
            #expect(try await !Self.reason(c).isEmpty)
        }
        try await withRedis(files + ["--tls-auth-clients", "no"], isTLS: true) { server in
            func under(_ tls: RedisTLS?, _ host: String = "127.0.0.1") throws -> RedisUnderTest {
                var configuration = RedisConfiguration(addresses: [server.address], tls: tls)
                configuration.addresses[0].host = host
                return try RedisUnderTest(configuration)
            }
            // By the name that is given, by the address's own, by the host's name.
            let good: [(RedisTLS, String)] = [
                (RedisTLS(authorities: authority, serverName: "redis.example.com"), "127.0.0.1"),
                (RedisTLS(authorities: authority), "127.0.0.1"), (RedisTLS(authorities: authority), "localhost"),
            ]
            for (tls, host) in good {
                let a = try under(tls, host)
                try await a.expectChange(up: true)
                _ = try await a.registry.claim(Contract.meeting, number: Contract.number)
                let leases = (0..<2_000).map {
                    Lease(meeting: .init("m_\($0)")!, number: .init("\(200_000_000 + $0)")!, epoch: 1)
                }
                #expect(try await a.registry.renew(leases) == RenewalOutcome())
            }
            // Without TLS the connection is closed by Redis, or reset by it.
            let bad: [(RedisTLS?, String)] = [
                (RedisTLS(authorities: authority, serverName: "other.example.com"), "hostname mismatch"),
                (RedisTLS(authorities: authority, serverName: "127.0.0.2"), "IP address mismatch"),
                (RedisTLS(authorities: stranger), "self-signed certificate in certificate chain"),
                (RedisTLS(), "self-signed certificate in certificate chain"),
                (RedisTLS(authorities: Array("nothing".utf8)), "holds no certificate"),
                (nil, "by "),
            ]
            for (tls, words) in bad {
                let reason = try await Self.reason(try under(tls))
                #expect(reason.contains(words), "\(reason)")
            }
        }
    }

    /// `ca.pem` has signed `redis.pem`; `other.pem` has signed nothing.
    private static func makeCertificates(in folder: URL) throws {
        let script = """
            set -e
            for name in ca other; do
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$name" \
                    -keyout $name.key -out $name.pem
            done
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=redis -keyout redis.key -out redis.csr
            echo "subjectAltName=DNS:redis.example.com,DNS:localhost,IP:127.0.0.1" >names
            openssl x509 -req -in redis.csr -CA ca.pem -CAkey ca.key -days 2 -extfile names -out redis.pem
            """
        let program = try ChildProgram(
            "/usr/bin/env", ["-C", folder.path, "/bin/sh", "-c", script], readsErrors: true)
        var said: [UInt8] = []
        while case let bytes = program.read(), !bytes.isEmpty { said += bytes }
        let ending = program.waitUntilExit()
        try #require(
            ending == .exited(0), "openssl made no certificates: \(String(decoding: said, as: UTF8.self))")
    }
}
