import GRDB
import Meetings
import Webhooks

/// Webhooks that wait to be delivered: written down with what they tell of, served by somebody else.
extension MeetingStore {
    /// Of each endpoint, in the configuration's order; none without endpoints.
    public var webhooks: [EndpointReading] { outbox?.readings ?? [] }

    /// Whoever serves the lines is told what it may not know, on a thread of the Store's: `hear` returns at once.
    public func hearDeliveries(_ hear: @escaping @Sendable (DeliveryNews) -> Void) { outbox?.hear(hear) }

    /// All lines in which something waits.
    public func deliveryLines() async throws(StoreFailure) -> [DeliveryLine] {
        try await answer { db in
            try Row.fetchAll(db, sql: "SELECT DISTINCT endpoint, meeting_id FROM webhook WHERE died_at IS NULL")
                .map { DeliveryLine(endpoint: $0["endpoint"], meeting: $0["meeting_id"]) }
        }
    }

    /// The webhook of a line that is to go next.
    public func firstDelivery(of line: DeliveryLine) async throws(StoreFailure) -> StoredDelivery? {
        try await answer { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT * FROM webhook WHERE endpoint = ? AND meeting_id = ? AND died_at IS NULL
                    ORDER BY row_id LIMIT 1
                    """)
            return try Row.fetchOne(statement, arguments: [line.endpoint, line.meeting]).map { StoredDelivery($0) }
        }
    }

    public func deliveries(_ query: DeliveryQuery) async throws(StoreFailure) -> [StoredDelivery] {
        try await answer { try query.fetch($0) }
    }

    public func delivery(_ row: Int64) async throws(StoreFailure) -> StoredDelivery? {
        try await answer { db in
            try Row.fetchOne(db, sql: "SELECT * FROM webhook WHERE row_id = ?", arguments: [row])
                .map { StoredDelivery($0) }
        }
    }
}
