import GRDB
import Meetings
import Synchronization
import Webhooks

/// Writes down who is to be told of what, in the transaction of what it tells of, and counts. The Store's writer alone calls
/// what takes a database.
final class WebhookOutbox: Sendable {
    /// Webhooks that wait for an endpoint. Newer ones are not written down: what was keeps its promise.
    static let pendingLimit = 50_000
    /// Webhooks of an endpoint that were given up: all that could wait may be at once. The oldest make room.
    static let deadLimit = pendingLimit
    /// How long these are kept.
    static let deadLife: Duration = .seconds(30 * 86_400)

    private struct State {
        var readings: [String: EndpointReading]
        var news = DeliveryNews()
    }

    private let subscriptions: [WebhookSubscription]
    private let utc: @Sendable () -> Timestamp
    /// As it was committed, and as it will be.
    private let committed: Mutex<State>
    private let working: Mutex<State>
    private let listener = Mutex<(@Sendable (DeliveryNews) -> Void)?>(nil)

    init(_ subscriptions: [WebhookSubscription], utc: @escaping @Sendable () -> Timestamp) {
        self.subscriptions = subscriptions
        self.utc = utc
        let state = State(
            readings: Dictionary(
                subscriptions.map { ($0.endpoint, EndpointReading(name: $0.endpoint)) }
            ) { first, _ in first })
        committed = Mutex(state)
        working = Mutex(state)
    }

    var readings: [EndpointReading] {
        committed.withLock { state in subscriptions.compactMap { state.readings[$0.endpoint] } }
    }

    func hear(_ hear: @escaping @Sendable (DeliveryNews) -> Void) { listener.withLock { $0 = hear } }

    // MARK: A transaction

    /// At the start: what waits for endpoints that are no more is given up, so that somebody sees it.
    func open(_ file: StoreFile) throws(StoreRefusal) {
        do {
            try file.transaction { db in
                begin()
                let names = subscriptions.map { $0.endpoint }
                let places = names.map { _ in "?" }.joined(separator: ", ")
                let known: StatementArguments = StatementArguments(names)
                try db.execute(
                    sql: """
                        UPDATE webhook SET died_at = ?, last_answer = 'no such endpoint in the configuration'
                        WHERE died_at IS NULL AND endpoint NOT IN (\(places))
                        """, arguments: [utc().milliseconds] + known)
                try expire(db)
                try count(db)
                try finish(db)
            }
            commit()
        } catch {
            throw StoreRefusal("\(file.path) cannot be written: \((error as? DatabaseError)?.plain ?? "\(error)")")
        }
    }

    /// What a transaction before this one left that came to nothing is forgotten.
    func begin() { working.withLock { $0 = committed.withLock { $0 } } }

    func perform(_ write: StoreWrite, _ db: Database) throws {
        if case .delivery(let change) = write { return try perform(change, db) }
        if case .chat = write, !subscriptions.contains(where: { $0.events.contains(.chatMessage) }) {
            return try write.perform(db)
        }
        for event in try write.performTold(db, at: utc()) { try put(event, db) }
    }

    /// Behind all writes of a transaction.
    func finish(_ db: Database) throws {
        for name in subscriptions.map(\.endpoint) {
            let oldest = try Int64.fetchOne(
                db.cachedStatement(
                    sql: "SELECT since FROM webhook WHERE endpoint = ? AND died_at IS NULL ORDER BY row_id LIMIT 1"),
                arguments: [name])
            note(name) { $0.oldest = oldest.map { Timestamp(milliseconds: $0) } }
        }
    }

    /// The transaction is on the disk.
    func commit() {
        let news = working.withLock { working in
            defer { working.news = DeliveryNews() }
            committed.withLock { $0.readings = working.readings }
            return working.news
        }
        if !news.isEmpty { listener.withLock { $0 }?(news) }
    }

    private func note(_ endpoint: String, _ change: (inout EndpointReading) -> Void) {
        working.withLock { if $0.readings[endpoint] != nil { change(&$0.readings[endpoint]!) } }
    }

    // MARK: Events

    private func put(_ event: MeetingEvent, _ db: Database) throws {
        let takers = subscriptions.filter { $0.events.contains(event.type) }
        guard !takers.isEmpty,
            let sequence = try Int64.fetchOne(
                db.cachedStatement(
                    sql: "UPDATE meeting SET last_event = last_event + 1 WHERE id = ? RETURNING last_event"),
                arguments: [event.meeting.rawValue])
        else { return }
        let body = event.body(sequence)
        let now = utc().milliseconds
        for endpoint in takers.map(\.endpoint) {
            let isFull = working.withLock { $0.readings[endpoint].map { $0.pending >= Self.pendingLimit } ?? true }
            guard !isFull else {
                note(endpoint) { $0.dropped += 1 }
                continue
            }
            try db.cachedStatement(
                sql: """
                    INSERT INTO webhook (id, endpoint, meeting_id, type, body, made_at, since, next_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """
            ).execute(arguments: [
                event.id(sequence), endpoint, event.meeting.rawValue, event.type.rawValue, body, event.at.milliseconds,
                now, now,
            ])
            note(endpoint) { $0.pending += 1 }
            let line = DeliveryLine(endpoint: endpoint, meeting: event.meeting.rawValue)
            working.withLock { _ = $0.news.noted.insert(line) }
        }
    }

    // MARK: Deliveries

    private func perform(_ change: DeliveryChange, _ db: Database) throws {
        switch change {
        case .settle(let row, let since, let verdict, let answer): try settle(row, since, verdict, answer, db)
        case .redeliver(let row): try revive("row_id = ?", [row], db)
        case .redeliverAll(let endpoint?): try revive("endpoint = ?", [endpoint], db)
        case .redeliverAll(nil): try revive("TRUE", [], db)
        case .delete(let row):
            let line = try line(of: row, db)
            try db.execute(sql: "DELETE FROM webhook WHERE row_id = ?", arguments: [row])
            if let line { working.withLock { _ = $0.news.hastened.insert(line) } }
            try count(db)
        case .expire:
            try expire(db)
            try count(db)
        }
    }

    private func settle(
        _ row: Int64, _ since: Timestamp, _ verdict: DeliveryVerdict, _ answer: DeliveryAnswer, _ db: Database
    ) throws {
        // Somebody took it out, or it was done before.
        guard let line = try line(of: row, isWaiting: true, db) else { return }
        // Somebody asked for it anew while it was under way: a failure of before says nothing.
        guard try verdict == .delivered || self.since(of: row, db) == since else { return }
        func update(_ change: String, _ moment: Timestamp) throws {
            try db.cachedStatement(
                sql: """
                    UPDATE webhook SET attempts = attempts + 1, last_status = ?, last_answer = ?, \(change)
                    WHERE row_id = ?
                    """
            ).execute(arguments: [answer.status, answer.words, moment.milliseconds, row])
        }
        switch verdict {
        case .delivered:
            try db.cachedStatement(sql: "DELETE FROM webhook WHERE row_id = ?").execute(arguments: [row])
            note(line.endpoint) { ($0.pending, $0.delivered) = ($0.pending - 1, $0.delivered + 1) }
        case .retry(let moment):
            try update("next_at = ?", moment)
            note(line.endpoint) { $0.failed += 1 }
        case .dead:
            try update("died_at = ?", utc())
            note(line.endpoint) {
                ($0.pending, $0.dead) = ($0.pending - 1, $0.dead + 1)
                ($0.failed, $0.died) = ($0.failed + 1, $0.died + 1)
            }
            try trim(line.endpoint, db)
        }
    }

    private func since(of row: Int64, _ db: Database) throws -> Timestamp? {
        try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT since FROM webhook WHERE row_id = ?"), arguments: [row]
        ).map { Timestamp(milliseconds: $0) }
    }

    private func line(of row: Int64, isWaiting: Bool = false, _ db: Database) throws -> DeliveryLine? {
        let found = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT endpoint, meeting_id, died_at FROM webhook WHERE row_id = ?"),
            arguments: [row])
        guard let found, !isWaiting || (found["died_at"] as Int64?) == nil else { return nil }
        return DeliveryLine(endpoint: found["endpoint"], meeting: found["meeting_id"])
    }

    /// Has what fits the condition tried anew. What is of an endpoint that is no more stays as it is.
    private func revive(_ condition: String, _ arguments: StatementArguments, _ db: Database) throws {
        let names = subscriptions.map { $0.endpoint }
        let places = names.map { _ in "?" }.joined(separator: ", ")
        let now = utc().milliseconds
        let revived = try Row.fetchAll(
            db,
            sql: """
                UPDATE webhook SET died_at = NULL, attempts = 0, since = ?, next_at = ?
                WHERE endpoint IN (\(places)) AND \(condition) RETURNING endpoint, meeting_id
                """, arguments: [now, now] + StatementArguments(names) + arguments)
        let lines = revived.map { DeliveryLine(endpoint: $0["endpoint"], meeting: $0["meeting_id"]) }
        working.withLock { $0.news.hastened.formUnion(lines) }
        try count(db)
    }

    /// The oldest of too many that were given up make room.
    private func trim(_ endpoint: String, _ db: Database) throws {
        let excess = working.withLock { ($0.readings[endpoint]?.dead ?? 0) - Self.deadLimit }
        guard excess > 0 else { return }
        try db.execute(
            sql: """
                DELETE FROM webhook WHERE row_id IN (
                    SELECT row_id FROM webhook WHERE endpoint = ? AND died_at IS NOT NULL ORDER BY died_at, row_id LIMIT ?)
                """, arguments: [endpoint, excess])
        note(endpoint) {
            $0.dead -= excess
            $0.dropped += UInt64(excess)
        }
    }

    private func expire(_ db: Database) throws {
        let moment = utc() + (.zero - Self.deadLife)
        try db.execute(sql: "DELETE FROM webhook WHERE died_at < ?", arguments: [moment.milliseconds])
    }

    /// Counts what there is anew.
    private func count(_ db: Database) throws {
        let rows = try Row.fetchAll(
            db,
            sql: "SELECT endpoint, count(*) AS total, count(died_at) AS dead FROM webhook GROUP BY endpoint")
        let counts = Dictionary(
            uniqueKeysWithValues: rows.map { ($0["endpoint"] as String, ($0["total"] as Int, $0["dead"] as Int)) })
        for name in subscriptions.map(\.endpoint) {
            let (total, dead) = counts[name] ?? (0, 0)
            note(name) { ($0.pending, $0.dead) = (total - dead, dead) }
        }
    }
}
