import Fleet
import Foundation
import Meetings
import Testing

@testable import Redis

/// What somebody else left under our keys.
@Suite(.serialized, .timeLimit(.minutes(1))) struct RedisGarbageTests {
    private typealias Contract = RegistryContractTests

    private static let said = "cannot be understood"
    private static let meeting = Contract.meeting
    private static let number = Contract.number
    private static let meetingKey = "needletail:meeting:m_one"
    private static let numberKey = "needletail:number:123456789"

    private func with(_ body: (RedisUnderTest, RedisBench) async throws -> Void) async throws {
        try await withRedis { server in
            let a = try RedisUnderTest(RedisConfiguration(addresses: [server.address]))
            try await a.expectChange(up: true)
            try await body(a, try await RedisBench(server))
        }
    }

    /// Fields of a meeting's record, one of which is wrong.
    private static let broken: [(String, String)] = [
        ("epoch", "-3"), ("epoch", "0"), ("epoch", "1e9"), ("epoch", "281474976710656"), ("epoch", "nan"),
        ("epoch", ""),
        ("home", ""), ("home", "a b"), ("home", String(repeating: "h", count: 70_000)), ("until", "-1"),
        ("until", "soon"), ("number", "x"), ("number", "12345678901234567890"), ("instance", "\u{0}"),
    ]

    @Test func aBrokenRecordIsAsNone() async throws {
        try await with { a, bench in
            for (field, value) in Self.broken {
                try await bench.call(
                    "HSET", Self.meetingKey, "home", "b", "instance", "9", "epoch", "5", "until", "99999999999999",
                    "number", "123456789", "extra", "x")
                try await bench.call("HSET", Self.meetingKey, field, value)
                try await bench.call("SET", Self.numberKey, "m_one")
                #expect(try await a.registry.find(Self.meeting) == nil)
                #expect(try await a.registry.find(Self.number) == nil)
                #expect(try await a.registry.claim(Self.meeting, number: Self.number) == .granted(epoch: 1), "\(field)")
                #expect(try await a.registry.find(Self.number)?.home == Contract.home("a", 1))
            }
            #expect(a.log.lines(with: Self.said).count == 1)
            #expect(a.log.lines(with: Self.meetingKey).count == 1)
            #expect(a.registry.garbageCount >= UInt64(3 * Self.broken.count))
        }
    }

    @Test func aLeaseThatNeverEndsIsNone() async throws {
        try await with { a, bench in
            try await bench.call(
                "HSET", Self.meetingKey, "home", "b", "instance", "9", "epoch", "5", "until", "99999999999999",
                "number",
                "123456789", "extra", "x")
            #expect(try await a.registry.find(Self.meeting) == nil)
            #expect(try await a.registry.claim(Self.meeting, number: Self.number) == .granted(epoch: 6))
        }
    }

    @Test func keysOfAnotherTypeAreReplaced() async throws {
        try await with { a, bench in
            for words in [["SET", "x"], ["RPUSH", "x"], ["SADD", "x"], ["HSET", "x", "y"], ["ZADD", "1", "x"]] {
                try await bench.call("FLUSHALL")
                for key in [Self.meetingKey, Self.numberKey, "needletail:pops", "needletail:pop:a"] {
                    _ = try await bench.run([words[0], key] + words.dropFirst())
                }
                #expect(try await a.registry.find(Self.meeting) == nil)
                #expect(try await a.registry.find(Self.number) == nil)
                try await a.registry.release(Self.meeting, epoch: 1)
                #expect(try await a.registry.pops() == [])
                let lease = Lease(meeting: Self.meeting, number: Self.number, epoch: 4)
                #expect(try await a.registry.renew([lease]) == RenewalOutcome())
                #expect(try await a.registry.find(Self.number)?.home == Contract.home("a", 4))
                try await a.registry.announce(Contract.record("a"))
                #expect(try await a.registry.pops() == [Contract.record("a")])
            }
            for key in [Self.meetingKey, Self.numberKey, "needletail:pops"] {
                #expect(a.log.lines(with: "\(key)]").count == 1, "\(key)")
            }
        }
    }

    @Test func recordsThatAreNoneHideNoOthers() async throws {
        try await with { a, bench in
            let json = String(decoding: try #require(Contract.record("b").json), as: UTF8.self)
            let records = [
                ("b", json), ("c", json), ("d", "{"), ("e", ""), ("f", String(repeating: "[", count: 60_000)),
                ("g", String(repeating: " ", count: PoPRecord.sizeLimit + 1)),
                ("h", json.replacing("0.25", with: "-1")),
            ]
            for (name, text) in records {
                try await bench.call("SET", "needletail:pop:\(name)", text, "EX", "60")
            }
            // One of another type, one that would never leave, one without a record, names that are none.
            try await bench.call("HSET", "needletail:pop:i", "x", "y")
            let soon = try await bench.soon()
            for name in records.map(\.0) + [
                "i", "gone", "", "a b", "\u{1b}[2J\n", String(repeating: "n", count: 1_000),
            ] {
                try await bench.call("ZADD", "needletail:pops", soon, name)
            }
            try await bench.call("SET", "needletail:pop:j", json.replacing("\"b\"", with: "\"j\""))
            try await bench.call("ZADD", "needletail:pops", "inf", "j")
            try await a.registry.announce(Contract.record("a"))
            for _ in 0..<2 { #expect(try await a.registry.pops() == [Contract.record("a"), Contract.record("b")]) }
            for name in ["c", "d", "f", "g", "h", "i", "j", "", "a b"] {
                #expect(a.log.lines(with: "needletail:pop:\(name)]").count == 1, "\(name)")
            }
            #expect(a.log.lines(with: "\u{1b}").isEmpty)
            #expect(a.log.lines(with: Self.said).count == 11)
            // What can be no PoP has left the index.
            #expect(try await bench.call("ZCARD", "needletail:pops") == .integer(8))
        }
    }

    @Test func allPoPsAreFoundAndNoMoreThanTheLimit() async throws {
        try await with { a, bench in
            var record = Contract.record("NAME")
            // About 9 KiB each: more than one answer may hold.
            let padding = Array(repeating: String(repeating: "a", count: 256), count: 16)
            (record.fleetAddresses, record.mediaAddresses) = (padding, padding)
            let json = String(decoding: try #require(record.json), as: UTF8.self)
            let script = """
                for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do
                  redis.call('SET', 'needletail:pop:p' .. i, (string.gsub(ARGV[3], 'NAME', 'p' .. i)), 'EX', '60')
                  redis.call('ZADD', 'needletail:pops', ARGV[4], 'p' .. i)
                end
                """
            try await bench.call("EVAL", script, "0", "1", "1000", json, bench.soon())
            let found = try await a.registry.pops()
            #expect(Set(found.map(\.name.rawValue)) == Set((1...1_000).map { "p\($0)" }))
            for start in stride(from: 1_001, to: RegistryLimits.pops + 50, by: 500) {
                try await bench.call("EVAL", script, "0", "\(start)", "\(start + 499)", json, bench.soon())
            }
            #expect(try await a.registry.pops().count == RegistryLimits.pops)
        }
    }

    @Test func namesThatAreNoneAreLookedThrough() async throws {
        try await with { a, bench in
            let soon = try await bench.soon()
            for index in 0..<1_000 { try await bench.call("ZADD", "needletail:pops", soon, " \(index)") }
            // Later than those.
            try await a.registry.announce(Contract.record("a"))
            #expect(try await a.registry.pops() == [Contract.record("a")])
        }
    }
}
