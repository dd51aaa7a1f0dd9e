import Foundation
import GRDB
import Logging
import Meetings
import TestSupport
import Webhooks

@testable import Store

/// A file of a test, taken away with it, and what there is to be stored.
final class StoreStage {
    static let now = Timestamp(milliseconds: 1_800_000_000_000)

    let folder: URL
    let path: String
    var generator: SplitMix

    init(seed: UInt64 = 1) throws {
        generator = SplitMix(seed: seed)
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("needletail-store-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        path = folder.appendingPathComponent("meetings.db").path
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    static var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    func open(
        patience: Duration = .seconds(5), webhooks: [WebhookSubscription] = [],
        beforeCommit: (@Sendable () -> Void)? = nil
    ) throws -> MeetingStore {
        let outbox = webhooks.isEmpty ? nil : WebhookOutbox(webhooks) { Self.now }
        return try MeetingStore(
            path: path, patience: patience, outbox: outbox, logger: Self.logger, beforeCommit: beforeCommit)
    }

    /// What a new connection reads: what is not committed it does not see.
    func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        return try DatabaseQueue(path: path, configuration: configuration).read(body)
    }

    /// A plan as a host may have made it, from the generator.
    func plan() -> MeetingPlan {
        func maybe<Value>(_ make: () -> Value) -> Value? { Bool.random(using: &generator) ? make() : nil }
        func flip() -> Bool { .random(using: &generator) }
        func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &generator) }
        let type = MeetingType.allCases[number(0...2)]
        let topics = ["Standup", "Überblick 会議 👩‍💻", "'); DROP TABLE meeting; --", "\"quoted\" \\ %s ?1", "é\u{301}"]
        return MeetingPlan(
            topic: topics[number(0...4)] + " \(number(0...9))", type: type,
            startTime: type == .instant ? nil : Self.now + .milliseconds(number(0...1_000_000_000)),
            duration: maybe { number(1...1_440) }, timezone: maybe { "Europe/Berlin" },
            recurrence: type == .recurring ? "FREQ=WEEKLY;BYDAY=MO" : nil,
            settings: MeetingSettings(
                waitingRoom: flip(), muteOnEntry: flip(), joinBeforeHost: flip(), allowScreenShare: flip(),
                maxParticipants: number(2...1_000), recording: MeetingSettings.Recording.allCases[number(0...2)],
                hostVideo: flip(), participantVideo: flip(), e2ee: flip()))
    }

    func record() -> MeetingRecord {
        let password = PasswordHash(salt: generator.bytes(32), digest: generator.bytes(32))
        return MeetingRecord(
            id: MeetingID(using: &generator), number: MeetingNumber(using: &generator), owner: "user-1",
            createdAt: Self.now + .milliseconds(Int.random(in: 0...1_000, using: &generator)),
            hostKey: Secret.random(length: 12, using: &generator), plan: plan(),
            password: Bool.random(using: &generator) ? password : nil)
    }

    /// Somebody in a meeting.
    func participant() throws -> Participant {
        var catalog = MeetingCatalog()
        let meeting = try catalog.create(MeetingPlan(), owner: "user-1", at: Self.now, using: &generator)
        return try catalog.join(
            meeting.id, JoinRequest(displayName: "Ada"), at: Self.now, using: &generator, by: { $1 })
    }

    func decision(_ action: HostDecision.Action, of meeting: MeetingID) -> HostDecision {
        HostDecision(action, of: meeting, by: .init(.service(user: "user-1"), from: "192.0.2.7"), at: Self.now)
    }
}

extension MeetingStore {
    /// Waits until something is so, which other threads make so.
    func until(_ isSo: (StoreReading) -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while !isSo(reading) {
            guard ContinuousClock.now < deadline else { throw StoreFailure.unavailable("never: \(reading)") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    func pragma(_ text: String) throws {
        try file.database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA \(text)") }
    }
}
