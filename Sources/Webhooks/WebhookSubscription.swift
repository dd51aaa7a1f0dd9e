/// Who is told of what.
public struct WebhookSubscription: Sendable, Equatable {
    /// The endpoint's name in the configuration: what waits for it is kept under this.
    public let endpoint: String
    public let events: Set<EventType>

    public init(endpoint: String, events: Set<EventType> = EventType.usual) {
        self.endpoint = endpoint
        self.events = events
    }
}
