import GRDB
import Meetings

/// A webhook for an endpoint, as it is written down.
public struct StoredDelivery: Sendable, Equatable {
    /// Names it for operators; never that of another one.
    public var row: Int64
    /// The webhook's identifier, the same for all endpoints.
    public var id: String
    public var endpoint: String
    public var meeting: String
    public var type: String
    /// JSON.
    public var body: String
    public var madeAt: Timestamp
    /// When it was written down, or last asked for anew.
    public var since: Timestamp
    public var attempts: Int
    public var nextAt: Timestamp
    /// When it was given up; nil: it waits.
    public var diedAt: Timestamp?
    public var lastStatus: Int?
    /// What the last attempt came to, for people.
    public var lastAnswer: String?

    init(_ row: Row) {
        self.row = row["row_id"]
        id = row["id"]
        endpoint = row["endpoint"]
        meeting = row["meeting_id"]
        type = row["type"]
        body = row["body"]
        madeAt = Timestamp(milliseconds: row["made_at"])
        since = Timestamp(milliseconds: row["since"])
        attempts = row["attempts"]
        nextAt = Timestamp(milliseconds: row["next_at"])
        diedAt = (row["died_at"] as Int64?).map { Timestamp(milliseconds: $0) }
        lastStatus = row["last_status"]
        lastAnswer = row["last_answer"]
    }
}

/// Which webhooks an operator wants to see: in the order in which they were written down.
public struct DeliveryQuery: Sendable, Equatable {
    /// Nil: those that wait and those that were given up.
    public var isDead: Bool?
    public var endpoint: String?
    /// Those behind this row.
    public var after: Int64
    public var limit: Int

    public init(isDead: Bool? = nil, endpoint: String? = nil, after: Int64 = 0, limit: Int) {
        self.isDead = isDead
        self.endpoint = endpoint
        self.after = after
        self.limit = limit
    }

    func fetch(_ db: Database) throws -> [StoredDelivery] {
        var conditions = ["row_id > :after"]
        if let isDead { conditions.append("died_at IS \(isDead ? "NOT NULL" : "NULL")") }
        if endpoint != nil { conditions.append("endpoint = :endpoint") }
        var arguments: StatementArguments = ["after": after, "limit": limit]
        if let endpoint { arguments += ["endpoint": endpoint] }
        return try Row.fetchAll(
            db,
            sql: "SELECT * FROM webhook WHERE \(conditions.joined(separator: " AND ")) ORDER BY row_id LIMIT :limit",
            arguments: arguments
        ).map { StoredDelivery($0) }
    }
}
