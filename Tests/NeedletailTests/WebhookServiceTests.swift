import Foundation
import Logging
import Meetings
import ServiceLifecycle
import Store
import Synchronization
import TestSupport
import Testing
import Webhooks

@testable import needletail

/// From the Store to receivers, and back from their answers.
@Suite(.timeLimit(.minutes(2))) struct WebhookServices {
    private static var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    /// Meetings with a few events each, in a file of its own.
    private final class Stage: Sendable {
        let folder: URL
        var path: String { folder.appendingPathComponent("meetings.db").path }

        init() throws {
            folder = FileManager.default.temporaryDirectory.appending(path: "needletail-hooks-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        func open(_ endpoints: [WebhookEndpoint]) throws -> MeetingStore {
            try MeetingStore(path: path, webhooks: endpoints.map(\.subscription), logger: WebhookServices.logger)
        }

        /// Each meeting is made, locked, opened again, and so on: `events` events.
        func live(_ store: MeetingStore, meetings: Int, events: Int) async throws {
            var generator = SystemRandomNumberGenerator()
            for _ in 0..<meetings {
                let record = MeetingRecord(
                    id: MeetingID(using: &generator), number: MeetingNumber(using: &generator), owner: "user-1",
                    createdAt: Timestamp(milliseconds: 1_800_000_000_000), hostKey: "key",
                    plan: MeetingPlan(topic: "Standup"), password: nil)
                try await store.keep(record, nil)
                for step in 1..<events { store.noteLock(step % 2 == 1, of: record.id, nil) }
            }
        }
    }

    private static func endpoint(_ name: String, _ port: Int) -> WebhookEndpoint {
        WebhookEndpoint(name: name, host: "127.0.0.1", port: port, secrets: [WebhookClients.secret])
    }

    private static func section(_ endpoints: [WebhookEndpoint], timeout: Duration = .seconds(10)) -> WebhooksSection {
        WebhooksSection(
            endpoints: endpoints, schedule: RetrySchedule(Array(repeating: .milliseconds(10), count: 60)),
            timeout: timeout)
    }

    /// Serves beside `body`, then ends gracefully.
    private static func serve(
        _ section: WebhooksSection, _ store: MeetingStore, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let service = WebhookService(section, store: store, logger: logger)
        let group = ServiceGroup(configuration: .init(services: [service], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do { try await body() } catch { Issue.record(error) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// Waits until something is so, which others make so.
    private static func until(_ what: String, _ isSo: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await !isSo() {
            try #require(ContinuousClock.now < deadline, "never: \(what)")
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Whether each meeting's came all, in order; repeated ones right behind the one that they repeat.
    private static func check(_ bodies: [String], meetings: Int, events: Int) throws {
        struct Body: Decodable {
            struct Data: Decodable {
                enum CodingKeys: String, CodingKey { case meeting = "meeting_id" }

                var meeting: String
            }
            var sequence: Int
            var data: Data
        }
        let all = try bodies.map { try JSONDecoder().decode(Body.self, from: Data($0.utf8)) }
        let sequences = Dictionary(grouping: all, by: \.data.meeting).mapValues { $0.map(\.sequence) }
        #expect(sequences.count == meetings)
        for (meeting, found) in sequences {
            let firsts = found.reduce(into: [Int]()) { if $0.last != $1 { $0.append($1) } }
            #expect(firsts == Array(1...events), "\(meeting): \(found)")
        }
    }

    @Test func aReceiverThatFailsHalfOfTheTimeGetsAllInOrder() async throws {
        let stage = try Stage()
        let generator = Mutex(SplitMix(seed: 11))
        let taken = Mutex<[String]>([])
        try await WebhookReceiver.run(
            .init { call, _ in
                guard generator.withLock({ Bool.random(using: &$0) }) else { return .status(500) }
                taken.withLock { $0.append(call.body) }
                return .status(200)
            }
        ) { receiver, port in
            let endpoints = [Self.endpoint("half", port)]
            // Some before anybody serves, as after a kill.
            let first = try stage.open(endpoints)
            try await stage.live(first, meetings: 3, events: 6)
            await first.close()
            let store = try stage.open(endpoints)
            try await Self.serve(Self.section(endpoints), store) {
                try await stage.live(store, meetings: 5, events: 6)
                try await Self.until("all") { store.webhooks[0].pending == 0 && taken.withLock { $0.count } == 48 }
            }
            await store.close()
            #expect(receiver.calls.count > 60)
            #expect(store.webhooks[0].failed == UInt64(receiver.calls.count - 48) && store.webhooks[0].dead == 0)
        }
        try Self.check(taken.withLock { $0 }, meetings: 8, events: 6)
    }

    @Test func hostileReceiversDisturbNobody() async throws {
        let stage = try Stage()
        try await WebhookReceiver.run(
            .init { _, number in
                switch number % 4 {
                case 0: .never
                case 1: .endless("HTTP/1.1 500 X\r\n", more: "A: b\r\n")
                case 2: .text("garbage")
                default: .endless("HTTP/1.1 500 X\r\n\r\n", more: String(repeating: "x", count: 1_000))
                }
            }
        ) { _, hostilePort in
            try await WebhookReceiver.run(.init { _, _ in .status(200) }) { receiver, port in
                let endpoints = [Self.endpoint("hostile", hostilePort), Self.endpoint("good", port)]
                let store = try stage.open(endpoints)
                try await Self.serve(Self.section(endpoints, timeout: .seconds(60)), store) {
                    try await stage.live(store, meetings: 20, events: 4)
                    try await Self.until("the good one has all") { store.webhooks[1].pending == 0 }
                    #expect(store.webhooks[0].pending == 80)
                }
                await store.close()
                try Self.check(receiver.calls.map(\.body), meetings: 20, events: 4)
            }
        }
    }

    @Test func whatIsGivenUpIsSentAgainWhenSomebodyWantsIt() async throws {
        let stage = try Stage()
        let isGone = Mutex(true)
        try await WebhookReceiver.run(.init { _, _ in isGone.withLock { $0 } ? .status(410) : .status(200) }) {
            receiver, port in
            let endpoints = [Self.endpoint("a", port)]
            let store = try stage.open(endpoints)
            try await Self.serve(Self.section(endpoints), store) {
                try await stage.live(store, meetings: 1, events: 3)
                try await Self.until("all are given up") { store.webhooks[0].dead == 3 }
                #expect(receiver.calls.count == 3)
                isGone.withLock { $0 = false }
                try await store.change(.redeliverAll(endpoint: nil))
                try await Self.until("all are taken") { store.webhooks[0].delivered == 3 }
            }
            await store.close()
            try Self.check(receiver.calls.suffix(3).map(\.body), meetings: 1, events: 3)
        }
    }

    @Test func theEndWaitsForNobodyAndLosesNothing() async throws {
        let stage = try Stage()
        try await WebhookReceiver.run(.init { _, _ in .never }) { receiver, port in
            let endpoints = [Self.endpoint("a", port)]
            let store = try stage.open(endpoints)
            let end = Mutex(ContinuousClock.now)
            try await Self.serve(Self.section(endpoints, timeout: .seconds(60)), store) {
                try await stage.live(store, meetings: 1, events: 2)
                try await Self.until("one is under way") { !receiver.calls.isEmpty }
                end.withLock { $0 = .now }
            }
            #expect(ContinuousClock.now - end.withLock { $0 } < .seconds(20))
            let rows = try await store.deliveries(DeliveryQuery(limit: 10))
            // The attempt that was cut off is none.
            #expect(rows.map(\.attempts) == [0, 0])
            await store.close()
        }
    }
}
