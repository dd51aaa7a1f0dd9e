import Fleet
import Foundation
import Meetings
import Testing

@testable import Redis

/// Redis that stalls, dies, comes back empty, or becomes a replica.
@Suite(.serialized, .timeLimit(.minutes(1))) struct RedisOutageTests {
    private typealias Contract = RegistryContractTests

    private static let said = "cannot be reached"
    private static let meeting = Contract.meeting
    private static let number = Contract.number

    @Test func aStalledRedisHoldsNobodyUp() async throws {
        try await withRedis { server in
            let a = try RedisUnderTest(RedisConfiguration(addresses: [server.address]))
            try await a.expectChange(up: true)
            #expect(a.registry.isUp)
            server.send(SIGSTOP)
            let start = ContinuousClock.now
            await #expect(throws: RegistryError.unanswered) {
                try await a.registry.claim(Self.meeting, number: Self.number)
            }
            let waited = ContinuousClock.now - start
            // The timeout, and what a busy machine takes.
            #expect((.seconds(0.9)...(.seconds(3))).contains(waited), "\(waited)")
            try await a.expectChange(up: false)
            #expect(!a.registry.isUp)
            let next = ContinuousClock.now
            await #expect { try await a.registry.find(Self.meeting) } throws: { error in
                guard case .unavailable(let reason)? = error as? RegistryError else { return false }
                return reason.contains("no answer in")
            }
            #expect(ContinuousClock.now - next < .milliseconds(500))
            server.send(SIGCONT)
            try await a.expectChange(up: true)
            // What was not answered may have been done meanwhile: asking again gets the same.
            #expect(try await a.registry.claim(Self.meeting, number: Self.number) == .granted(epoch: 1))
            #expect(a.log.lines(with: Self.said).count == 1)
            #expect(a.log.lines(with: "registry is there").count == 2)
        }
    }

    @Test func aStallIsNoticedThoughNobodyAsks() async throws {
        try await withRedis { server in
            let a = try RedisUnderTest(RedisConfiguration(addresses: [server.address]))
            try await a.expectChange(up: true)
            server.send(SIGSTOP)
            try await a.expectChange(up: false)
        }
    }

    @Test func callsBeyondTheLimitAreRefusedAtOnce() async throws {
        try await withRedis { server in
            let a = try RedisUnderTest(RedisConfiguration(addresses: [server.address]))
            try await a.expectChange(up: true)
            server.send(SIGSTOP)
            let errors = await withTaskGroup(of: RegistryError?.self) { group in
                for _ in 0..<(RedisQueue.limit + 100) {
                    group.addTask {
                        do throws(RegistryError) {
                            _ = try await a.registry.find(Self.meeting)
                            return nil
                        } catch { return error }
                    }
                }
                return await group.reduce(into: [RegistryError?]()) { $0.append($1) }
            }
            #expect(errors.count { $0 == .unanswered } <= RedisQueue.limit)
            // A question of the client's own may be among those that wait.
            #expect((100...101).contains(errors.count { $0 == .overloaded }))
            #expect(errors.count { $0 == nil } == 0)
        }
    }

    @Test func aRedisThatForgotIsToldAgain() async throws {
        let server = try await RedisServer()
        defer { server.stop() }
        let configuration = RedisConfiguration(addresses: [server.address])
        let a = try RedisUnderTest(configuration)
        let b = try RedisUnderTest(configuration, name: "b")
        try await a.expectChange(up: true)
        try await b.expectChange(up: true)
        _ = try await b.registry.claim(Self.meeting, number: Self.number)
        let taken = try await a.registry.takeOver(Self.meeting, number: Self.number, seen: 1, homeIsDead: true)
        #expect(taken == .granted(epoch: 2))
        server.stop()
        try await a.expectChange(up: false)
        let after = try await RedisServer(port: server.port)
        defer { after.stop() }
        try await a.expectChange(up: true)
        try await b.expectChange(up: false)
        try await b.expectChange(up: true)
        #expect(try await b.registry.find(Self.meeting) == nil)
        let lease = Lease(meeting: Self.meeting, number: Self.number, epoch: 2)
        #expect(try await a.registry.renew([lease]) == RenewalOutcome())
        #expect(try await b.registry.find(Self.number)?.home == Contract.home("a", 2))
        let next = try await b.registry.takeOver(Self.meeting, number: Self.number, seen: 2, homeIsDead: true)
        #expect(next == .granted(epoch: 3))
    }

    @Test func theFirstAddressThatIsNoReplicaIsUsed() async throws {
        try await withRedis { first in
            try await withRedis(["--replicaof", "127.0.0.1", "\(first.port)"]) { replica in
                let nobody = RedisAddress(host: "127.0.0.1", port: try RedisServer.freePort())
                let a = try RedisUnderTest(
                    RedisConfiguration(addresses: [nobody, replica.address, first.address]))
                try await a.expectChange(up: true)
                #expect(a.log.lines(with: "\(first.address)").count == 1)
                #expect(try await a.registry.claim(Self.meeting, number: Self.number) == .granted(epoch: 1))
                #expect(a.log.lines(with: Self.said).isEmpty)
            }
        }
    }

    @Test func aServerThatBecomesAReplicaIsLeft() async throws {
        try await withRedis { first in
            try await withRedis { second in
                let a = try RedisUnderTest(RedisConfiguration(addresses: [first.address, second.address]))
                try await a.expectChange(up: true)
                #expect(try await a.registry.claim(Self.meeting, number: Self.number) == .granted(epoch: 1))
                let bench = try await RedisBench(first)
                try await bench.call("REPLICAOF", "127.0.0.1", "\(second.port)")
                await #expect { try await a.registry.claim(Self.meeting, number: Self.number) } throws: { error in
                    guard case .unavailable(let reason)? = error as? RegistryError else { return false }
                    return reason.hasPrefix("READONLY")
                }
                try await a.expectChange(up: false)
                try await a.expectChange(up: true)
                #expect(a.log.lines(with: "there [\"address\": \(second.address)]").count == 1)
                #expect(try await a.registry.claim(Self.meeting, number: Self.number) == .granted(epoch: 1))
            }
        }
    }

    @Test func attemptsInVainAreSaidOnce() async throws {
        let listener = try Listener()
        let a = try RedisUnderTest(
            RedisConfiguration(addresses: [RedisAddress(host: "127.0.0.1", port: listener.port)]))
        for _ in 0..<4 { try listener.closeNext() }
        try await a.expectChange(up: false)
        await #expect { try await a.registry.pops() } throws: { error in
            guard case .unavailable(let reason)? = error as? RegistryError else { return false }
            return reason.contains("127.0.0.1:\(listener.port): ")
        }
        listener.stop()
        let server = try await RedisServer(port: listener.port)
        defer { server.stop() }
        try await a.expectChange(up: true)
        #expect(a.log.lines(with: Self.said).count == 1)
    }

    @Test func aStoppedClientAnswersAtOnce() async throws {
        try await withRedis { server in
            let a = try RedisUnderTest(RedisConfiguration(addresses: [server.address]))
            try await a.expectChange(up: true)
            a.registry.stop()
            await #expect(throws: RegistryError.self) {
                while !Task.isCancelled { _ = try await a.registry.find(Self.meeting) }
            }
        }
    }

    @Test func leasesAndRecordsEndByRedisClock() async throws {
        try await withRedis { server in
            var configuration = RedisConfiguration(addresses: [server.address])
            configuration.times.lease = .milliseconds(50)
            configuration.times.record = .milliseconds(50)
            let a = try RedisUnderTest(configuration)
            try await a.expectChange(up: true)
            try await a.registry.announce(Contract.record("a"))
            #expect(try await a.registry.claim(Self.meeting, number: Self.number) == .granted(epoch: 1))
            let bench = try await RedisBench(server)
            try await Self.until { try await a.registry.find(Self.meeting) == nil }
            try await Self.until { try await a.registry.find(Self.number) == nil }
            try await Self.until { try await a.registry.pops().isEmpty }
            #expect(try await a.registry.claim(Self.meeting, number: Self.number) == .granted(epoch: 2))
            // Nothing stays for good.
            try await Self.until {
                try await bench.call("EXISTS", "needletail:number:\(Self.number.value)") == .integer(0)
            }
            guard case .integer(let left) = try await bench.call("PTTL", "needletail:meeting:\(Self.meeting)") else {
                Issue.record("no time to live")
                return
            }
            #expect((86_390_000...86_400_000).contains(left))
        }
    }

    /// Asks until it is so, or the test's time is over.
    private static func until(_ condition: () async throws -> Bool) async throws {
        while try await !condition() { try Task.checkCancellation() }
    }

    @Test func tenThousandLeasesAreRenewed() async throws {
        try await withRedis { server in
            let a = try RedisUnderTest(RedisConfiguration(addresses: [server.address]))
            try await a.expectChange(up: true)
            let leases = (0..<10_000).map { index in
                Lease(
                    meeting: MeetingID("m_\(index)")!, number: MeetingNumber("\(100_000_000 + index)")!,
                    epoch: UInt64(index + 1))
            }
            for _ in 0..<2 {
                let start = ContinuousClock.now
                #expect(try await a.registry.renew(leases) == RenewalOutcome())
                print("10,000 leases renewed in \(ContinuousClock.now - start)")
            }
            let bench = try await RedisBench(server)
            #expect(try await bench.call("DBSIZE") == .integer(20_000))
            #expect(try await a.registry.find(leases[9_999].number)?.home == Contract.home("a", 10_000))
        }
    }
}
