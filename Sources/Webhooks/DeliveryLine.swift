/// What waits in one order: the webhooks of a meeting for an endpoint.
public struct DeliveryLine: Hashable, Sendable {
    public let endpoint: String
    /// The meeting's identifier.
    public let meeting: String

    public init(endpoint: String, meeting: String) {
        self.endpoint = endpoint
        self.meeting = meeting
    }
}
