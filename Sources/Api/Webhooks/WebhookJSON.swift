import Meetings
import Store

/// The answer to `GET /api/v1/webhooks`.
struct WebhooksJSON: Encodable {
    struct Endpoint: Encodable {
        var name: String
        var pending: Int
        var dead: Int
        /// Of the first that waits.
        var oldestPendingS: Int?
        var delivered: UInt64
        var failed: UInt64
        var dropped: UInt64
    }

    var endpoints: [Endpoint]

    init(_ readings: [EndpointReading], at now: Timestamp) {
        endpoints = readings.map { reading in
            Endpoint(
                name: reading.name, pending: reading.pending, dead: reading.dead,
                oldestPendingS: reading.oldestAge(at: now).map { Int($0) }, delivered: reading.delivered,
                failed: reading.failed, dropped: reading.dropped)
        }
    }
}

/// A webhook that waits, or was given up.
struct DeliveryJSON: Encodable {
    var id: Int64
    var webhookId: String
    var endpoint: String
    var meetingId: String
    var type: String
    /// `pending` or `dead`.
    var state: String
    var madeAt: String
    var attempts: Int
    /// Of one that waits.
    var nextAt: String?
    /// Of one that was given up.
    var diedAt: String?
    var lastStatus: Int?
    var lastAnswer: String?
    /// What is sent, where one alone was asked for.
    var body: String?

    init(_ delivery: StoredDelivery, withBody: Bool = false) {
        id = delivery.row
        webhookId = delivery.id
        endpoint = delivery.endpoint
        meetingId = delivery.meeting
        type = delivery.type
        state = delivery.diedAt == nil ? "pending" : "dead"
        madeAt = delivery.madeAt.rfc3339
        attempts = delivery.attempts
        nextAt = delivery.diedAt == nil ? delivery.nextAt.rfc3339 : nil
        diedAt = delivery.diedAt?.rfc3339
        lastStatus = delivery.lastStatus
        lastAnswer = delivery.lastAnswer
        body = withBody ? delivery.body : nil
    }
}

/// One page of them.
struct DeliveryListJSON: Encodable {
    var deliveries: [DeliveryJSON]
    /// Give it as `after` for the next page; absent on the last.
    var next: Int64?
}

extension EndpointReading {
    /// Seconds since the first that waits was written down.
    func oldestAge(at now: Timestamp) -> Double? { oldest.map { max(0, (now - $0) / .seconds(1)) } }
}
