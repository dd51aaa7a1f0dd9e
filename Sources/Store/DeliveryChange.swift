import Meetings
import Webhooks

/// What becomes of webhooks that are written down.
public enum DeliveryChange: Sendable, Equatable {
    /// After an attempt.
    case settle(row: Int64, since: Timestamp, DeliveryVerdict, DeliveryAnswer)
    /// Its attempts begin anew, now, whether it waits or was given up. Nothing, where its endpoint is none of ours any more.
    case redeliver(row: Int64)
    /// The same of all, of an endpoint or of every one.
    case redeliverAll(endpoint: String?)
    case delete(row: Int64)
    /// Takes out what was given up long ago.
    case expire
}

/// Which lines have something to deliver that their servant may not know of.
public struct DeliveryNews: Sendable, Equatable {
    /// Webhooks were written down.
    public var noted: Set<DeliveryLine> = []
    /// What waits is to go at once, or is gone.
    public var hastened: Set<DeliveryLine> = []

    public init() {}

    public var isEmpty: Bool { noted.isEmpty && hastened.isEmpty }

    public mutating func add(_ other: DeliveryNews) {
        noted.formUnion(other.noted)
        hastened.formUnion(other.hastened)
    }
}

/// How an endpoint's webhooks are.
public struct EndpointReading: Sendable, Equatable {
    public var name: String
    /// Those that wait to be delivered.
    public var pending = 0
    /// Those that were given up.
    public var dead = 0
    /// When the first of those that wait was written down.
    public var oldest: Timestamp?
    /// Since the start: attempts that were taken, those that were not, and webhooks that were given up.
    public var delivered: UInt64 = 0
    public var failed: UInt64 = 0
    public var died: UInt64 = 0
    /// Since the start: events that were not written down, as too many wait, and of those that were given up the ones that made
    /// room for others.
    public var dropped: UInt64 = 0
}
