import Foundation
import GRDB
import Meetings
import Synchronization
import Testing
import Webhooks

@testable import Store

/// What others are told of is written down with what it tells of.
@Suite(.timeLimit(.minutes(1))) struct WebhookOutboxes {
    private static let all = WebhookSubscription(endpoint: "all", events: Set(EventType.allCases))

    private struct Told: Equatable {
        var type: String
        var sequence: Int
    }

    private static func rows(_ stage: StoreStage, _ condition: String = "TRUE") throws -> [StoredDelivery] {
        try stage.read {
            try Row.fetchAll($0, sql: "SELECT * FROM webhook WHERE \(condition) ORDER BY row_id").map(
                StoredDelivery.init)
        }
    }

    private static func types(_ stage: StoreStage, _ endpoint: String = "all") throws -> [String] {
        try rows(stage, "endpoint = '\(endpoint)'").map(\.type)
    }

    @Test func eachChangeIsToldOnceInItsOrder() async throws {
        let stage = try StoreStage()
        let store = try stage.open(webhooks: [Self.all])
        let record = stage.record()
        let participant = try stage.participant()
        try await store.keep(record, stage.decision(.create, of: record.id))
        store.noteJoin(participant, in: record.id)
        store.noteRole(.coHost, of: participant.id, at: StoreStage.now)
        store.noteLock(true, of: record.id, nil)
        var changed = record
        changed.plan.topic = "Another"
        try await store.change(changed, from: record, nil)
        store.noteLeave(participant.id, at: StoreStage.now, reason: "left")
        // The same again tells nothing.
        store.noteLock(true, of: record.id, nil)
        store.noteJoin(participant, in: record.id)
        store.noteLeave(participant.id, at: StoreStage.now, reason: "lost")
        store.noteRole(.host, of: participant.id, at: StoreStage.now)
        try await store.change(changed, from: record, nil)
        try await store.end(record.id, at: StoreStage.now, reason: "ended", nil)
        store.noteEnd(of: record.id, at: StoreStage.now, reason: "empty")
        await store.close()
        let rows = try Self.rows(stage)
        #expect(
            rows.map(\.type) == [
                "meeting.created", "host.decision", "meeting.started", "participant.joined",
                "participant.role_changed", "meeting.updated", "meeting.updated", "participant.left", "meeting.ended",
            ])
        #expect(rows.map(\.id) == (1...9).map { "\(record.id)_\($0)" })
        #expect(rows.allSatisfy { !$0.body.contains(record.hostKey) && $0.body.contains("\"sequence\":") })
        #expect(rows[8].body.contains("\"reason\":\"ended\""))
    }

    @Test func whoDidNotAskForChatsIsToldNone() async throws {
        let stage = try StoreStage()
        let store = try stage.open(webhooks: [Self.all, WebhookSubscription(endpoint: "usual")])
        let record = stage.record()
        try await store.keep(record, nil)
        let sender = ParticipantID(using: &stage.generator)
        func message(_ text: String, to recipient: ParticipantID? = nil, number: UInt64) -> ChatMessage {
            ChatMessage(
                id: ChatMessageID(using: &stage.generator), sender: sender, senderName: "Ada", recipient: recipient,
                sentAt: StoreStage.now, text: text, number: number)
        }
        let broadcast = message("to all", number: 1)
        store.noteChat(broadcast, in: record.id)
        store.noteChat(broadcast, in: record.id)
        store.noteChat(message("to one", to: sender, number: 2), in: record.id)
        await store.close()
        #expect(try Self.types(stage) == ["meeting.created", "chat.message"])
        #expect(try Self.types(stage, "usual") == ["meeting.created"])
        #expect(try !Self.rows(stage).contains { $0.body.contains("to one") })
    }

    @Test func whoWasHereWhenTheNodeWasKilledHasLeft() async throws {
        let stage = try StoreStage()
        let record = stage.record()
        let first = try stage.open(webhooks: [Self.all])
        try await first.keep(record, nil)
        first.noteJoin(try stage.participant(), in: record.id)
        try await first.until { $0.waiting == 0 }
        await first.close()
        await (try stage.open(webhooks: [Self.all])).close()
        await (try stage.open(webhooks: [Self.all])).close()
        let rows = try Self.rows(stage)
        #expect(
            rows.map(\.type) == ["meeting.created", "meeting.started", "participant.joined", "participant.left"])
        #expect(rows.last?.body.contains("\"reason\":\"unknown\"") == true)
    }

    @Test func withoutEndpointsNothingIsWrittenDown() async throws {
        let stage = try StoreStage()
        let store = try stage.open()
        try await store.keep(stage.record(), nil)
        store.noteRole(.host, of: ParticipantID(using: &stage.generator), at: StoreStage.now)
        await store.close()
        #expect(try Self.rows(stage).isEmpty && store.webhooks.isEmpty)
    }

    // MARK: Deliveries

    @Test func whatBecomesOfADeliveryIsWrittenDown() async throws {
        let stage = try StoreStage()
        let store = try stage.open(webhooks: [Self.all])
        let news = Mutex(DeliveryNews())
        store.hearDeliveries { more in news.withLock { $0.add(more) } }
        let record = stage.record()
        try await store.keep(record, stage.decision(.create, of: record.id))
        let line = DeliveryLine(endpoint: "all", meeting: record.id.rawValue)
        #expect(news.withLock { $0.noted } == [line])
        #expect(try await store.deliveryLines() == [line])
        var reading = try #require(store.webhooks.first)
        #expect(reading.pending == 2 && reading.dead == 0 && reading.oldest == StoreStage.now)

        let first = try #require(try await store.firstDelivery(of: line))
        #expect(first.type == "meeting.created" && first.attempts == 0)
        let later = StoreStage.now + .seconds(5)
        try await store.change(.settle(row: first.row, since: first.since, .retry(at: later), .status(500)))
        let again = try #require(try await store.firstDelivery(of: line))
        #expect(again.row == first.row && again.attempts == 1 && again.nextAt == later && again.lastStatus == 500)
        try await store.change(.settle(row: first.row, since: first.since, .dead, .silence("no answer")))
        let second = try #require(try await store.firstDelivery(of: line))
        #expect(second.type == "host.decision")
        try await store.change(.settle(row: second.row, since: second.since, .delivered, .status(204)))
        // Twice is once.
        try await store.change(.settle(row: second.row, since: second.since, .delivered, .status(204)))
        try await store.change(.settle(row: first.row, since: first.since, .delivered, .status(204)))
        reading = try #require(store.webhooks.first)
        #expect((reading.pending, reading.dead, reading.oldest) == (0, 1, nil))
        #expect((reading.delivered, reading.failed, reading.died) == (1, 2, 1))
        #expect(try await store.firstDelivery(of: line) == nil)

        // The dead one is tried anew.
        news.withLock { $0 = DeliveryNews() }
        let dead = try await store.deliveries(DeliveryQuery(isDead: true, limit: 10))
        #expect(dead.map(\.row) == [first.row] && dead[0].lastAnswer == "no answer")
        try await store.change(.redeliverAll(endpoint: "all"))
        #expect(news.withLock { $0.hastened } == [line])
        let revived = try #require(try await store.firstDelivery(of: line))
        #expect(revived.row == first.row && revived.attempts == 0 && revived.diedAt == nil)
        try await store.change(.delete(row: first.row))
        #expect(try await store.delivery(first.row) == nil)
        #expect(store.webhooks.first?.pending == 0)
        await store.close()
    }

    @Test func whatWaitsForAnEndpointThatIsNoMoreIsGivenUp() async throws {
        let stage = try StoreStage()
        let store = try stage.open(webhooks: [Self.all])
        try await store.keep(stage.record(), nil)
        await store.close()
        let other = try stage.open(webhooks: [WebhookSubscription(endpoint: "other")])
        try await other.change(.redeliverAll(endpoint: nil))
        await other.close()
        let rows = try Self.rows(stage)
        #expect(rows.count == 1 && rows[0].diedAt != nil && rows[0].lastAnswer?.contains("no such endpoint") == true)
        let back = try stage.open(webhooks: [Self.all])
        #expect(back.webhooks.first?.dead == 1)
        try await back.change(.redeliver(row: rows[0].row))
        #expect(back.webhooks.first?.pending == 1 && back.webhooks.first?.dead == 0)
        await back.close()
    }

    @Test func withoutAnyEndpointWhatWaitsIsGivenUpToo() async throws {
        let stage = try StoreStage()
        let store = try stage.open(webhooks: [Self.all])
        try await store.keep(stage.record(), nil)
        await store.close()
        await (try MeetingStore(path: stage.path, logger: StoreStage.logger)).close()
        let rows = try Self.rows(stage)
        #expect(rows.count == 1 && rows[0].diedAt != nil)
    }

    @Test func aFailureOfBeforeSaysNothingOfWhatWasAskedForAnew() async throws {
        let stage = try StoreStage()
        let store = try stage.open(webhooks: [Self.all])
        try await store.keep(stage.record(), nil)
        let line = try #require(try await store.deliveryLines().first)
        let waiting = try #require(try await store.firstDelivery(of: line))
        let before = waiting.since + .seconds(-1)
        for verdict in [DeliveryVerdict.dead, .retry(at: StoreStage.now + .seconds(60))] {
            try await store.change(.settle(row: waiting.row, since: before, verdict, .status(500)))
            #expect(try await store.firstDelivery(of: line) == waiting)
        }
        // What was taken was taken.
        try await store.change(.settle(row: waiting.row, since: before, .delivered, .status(204)))
        #expect(try await store.firstDelivery(of: line) == nil)
        await store.close()
    }

    // MARK: Limits

    private static func fill(_ stage: StoreStage, _ count: Int, diedAt: Int64?) throws {
        let database = try DatabaseQueue(path: stage.path)
        try database.write { db in
            try db.execute(
                sql: """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
                    INSERT INTO webhook (id, endpoint, meeting_id, type, body, made_at, since, next_at, died_at)
                    SELECT 'x_' || i, 'all', 'm_' || i, 'meeting.started', '{}', 0, 0, 0, ? FROM n
                    """, arguments: [count, diedAt])
        }
        try database.close()
    }

    @Test func anOutboxThatIsFullKeepsWhatItHasAndCountsTheRest() async throws {
        let stage = try StoreStage()
        await (try stage.open()).close()
        try Self.fill(stage, WebhookOutbox.pendingLimit - 1, diedAt: nil)
        let store = try stage.open(webhooks: [Self.all, WebhookSubscription(endpoint: "other")])
        let record = stage.record()
        try await store.keep(record, stage.decision(.create, of: record.id))
        let reading = try #require(store.webhooks.first)
        #expect(reading.pending == WebhookOutbox.pendingLimit && reading.dropped == 1)
        // Nobody else's.
        #expect(store.webhooks.last?.pending == 2 && store.webhooks.last?.dropped == 0)
        #expect(store.reading.errors == 0)
        await store.close()
        #expect(
            try Self.rows(stage, "endpoint = 'all' AND meeting_id = '\(record.id)'").map(\.type) == ["meeting.created"])
    }

    @Test func theOldestOfTooManyThatWereGivenUpMakeRoom() async throws {
        let stage = try StoreStage()
        await (try stage.open()).close()
        let now = StoreStage.now.milliseconds
        try Self.fill(stage, WebhookOutbox.deadLimit, diedAt: now - 1_000)
        let store = try stage.open(webhooks: [Self.all])
        try await store.keep(stage.record(), nil)
        let line = try #require(try await store.deliveryLines().first)
        let fresh = try #require(try await store.firstDelivery(of: line))
        try await store.change(.settle(row: fresh.row, since: fresh.since, .dead, .status(410)))
        let reading = try #require(store.webhooks.first)
        #expect(reading.dead == WebhookOutbox.deadLimit && reading.dropped == 1)
        #expect(try await store.delivery(fresh.row) != nil)
        await store.close()
    }

    @Test func whatWasGivenUpLongAgoIsForgotten() async throws {
        let stage = try StoreStage()
        await (try stage.open()).close()
        let life = WebhookOutbox.deadLife
        try Self.fill(stage, 3, diedAt: (StoreStage.now + (.zero - life)).milliseconds - 1)
        let store = try stage.open(webhooks: [Self.all])
        #expect(store.webhooks.first?.dead == 0)
        await store.close()
        #expect(try Self.rows(stage).isEmpty)
    }

    @Test func aStoreThatIsDownLosesNothingOfIt() async throws {
        let stage = try StoreStage()
        let store = try stage.open(patience: .seconds(8), webhooks: [Self.all])
        let record = stage.record()
        try await store.keep(record, nil)
        let gone = Trouble.all[2]
        try gone.begin(store, stage.path)
        let line = DeliveryLine(endpoint: "all", meeting: record.id.rawValue)
        store.noteLock(true, of: record.id, nil)
        await #expect(throws: StoreFailure.self) { try await store.firstDelivery(of: line) }
        try gone.end(store, stage.path)
        try await store.until { $0.isUp && $0.waiting == 0 }
        #expect(try await store.firstDelivery(of: line)?.type == "meeting.created")
        await store.close()
        #expect(try Self.types(stage) == ["meeting.created", "meeting.updated"])
    }
}
