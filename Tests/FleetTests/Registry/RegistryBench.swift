import Fleet
import Foundation
import Logging
import Meetings
import Synchronization
import Testing

@testable import Redis

/// What a logger said.
final class LogRecorder: LogHandler, Sendable {
    private let lines = Mutex<[String]>([])

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }

    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        lines.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
    }

    var logger: Logger { Logger(label: "test") { _ in self } }

    func lines(with text: String) -> [String] { lines.withLock { $0.filter { $0.contains(text) } } }
}

/// A Registry in Redis with what it said, and the changes between up and down as they come.
final class RedisUnderTest: Sendable {
    let registry: RedisRegistry
    let log = LogRecorder()
    private let changes: AsyncStream<Bool>

    init(_ configuration: RedisConfiguration, name: String = "a", instance: UInt64 = 1) throws {
        let (changes, continuation) = AsyncStream<Bool>.makeStream()
        self.changes = changes
        registry = RedisRegistry(
            configuration, as: PoPInstance(name: try #require(PoPName(name)), instance: instance), logger: log.logger,
            generator: Seeded(Int(truncatingIfNeeded: instance)), onChange: { continuation.yield($0) })
    }

    /// Waits for the next change, which must be this.
    func expectChange(up: Bool, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        var iterator = changes.makeAsyncIterator()
        let change = try #require(await iterator.next() as Bool?, sourceLocation: sourceLocation)
        #expect(change == up, sourceLocation: sourceLocation)
    }
}

enum RegistryKind: CaseIterable, Sendable {
    case memory, redis
}

/// A fleet's Registry of either kind: what holds for both is tested with it.
protocol RegistryBench: Sendable {
    func registry(_ name: String, instance: UInt64) async throws -> any Registry
    /// Lets a meeting's lease end.
    func endLease(_ meeting: MeetingID, _ number: MeetingNumber) async throws
    /// Lets the records of PoPs end.
    func endRecord(_ name: String) async throws
    /// Everything is gone.
    func forget() async throws
}

extension RegistryBench {
    func registry(_ name: String) async throws -> any Registry { try await registry(name, instance: 1) }
}

func withBench(_ kind: RegistryKind, _ body: (any RegistryBench) async throws -> Void) async throws {
    switch kind {
    case .memory: try await body(MemoryBench())
    case .redis: try await withRedis { try await body(RedisBench($0)) }
    }
}

final class MemoryBench: RegistryBench {
    private let clock = Clock()
    private let store: MemoryRegistry.Store

    init() { store = MemoryRegistry.Store { [clock] in clock.now } }

    private final class Clock: Sendable {
        private let time = Mutex<Duration>(.seconds(100))
        var now: Duration { time.withLock { $0 } }
        func advance(_ step: Duration) { time.withLock { $0 += step } }
    }

    func registry(_ name: String, instance: UInt64) async throws -> any Registry {
        MemoryRegistry(store, as: PoPInstance(name: try #require(PoPName(name)), instance: instance))
    }

    /// All of them end.
    func endLease(_: MeetingID, _: MeetingNumber) async throws { clock.advance(RegistryTimes().lease) }
    func endRecord(_: String) async throws { clock.advance(RegistryTimes().record) }
    func forget() async throws { store.forget() }
}

final class RedisBench: RegistryBench {
    private let server: RedisServer
    /// For what no Registry does.
    private let client: RedisClient

    init(_ server: RedisServer) async throws {
        self.server = server
        let (ups, continuation) = AsyncStream<Bool>.makeStream()
        client = RedisClient(
            RedisConfiguration(addresses: [server.address]), logger: LogRecorder().logger,
            onChange: { continuation.yield($0) })
        for await isUp in ups where isUp { break }
    }

    func registry(_ name: String, instance: UInt64) async throws -> any Registry {
        var configuration = RedisConfiguration(addresses: [server.address])
        // By Redis's clock, which goes on while a busy machine does not: tests end them themselves.
        configuration.times.lease = .seconds(600)
        configuration.times.record = .seconds(600)
        let made = try RedisUnderTest(configuration, name: name, instance: instance)
        try await made.expectChange(up: true)
        return made.registry
    }

    @discardableResult
    func call(_ words: String...) async throws -> RedisReply { try await run(words) }

    func run(_ words: [String]) async throws -> RedisReply {
        try await client.call(RedisCommand(words.map { Array($0.utf8) }))
    }

    /// Redis's time in 60 s, ms.
    func soon() async throws -> String {
        let seconds = try #require(try await call("TIME").elements?.first?.string.flatMap { Int($0) })
        return String((seconds + 60) * 1_000)
    }

    func endLease(_ meeting: MeetingID, _ number: MeetingNumber) async throws {
        let key = "needletail:meeting:\(meeting)"
        if try await call("EXISTS", key) == .integer(1) { try await call("HSET", key, "until", "1") }
        try await call("DEL", "needletail:number:\(number.value)")
    }

    func endRecord(_ name: String) async throws { try await call("DEL", "needletail:pop:\(name)") }
    func forget() async throws { try await call("FLUSHALL") }
}
