/// A line of a recording's log, as far as it is composed: what `RecordingEvent` wrote, or what somebody else put there.
public struct LogLine: Decodable, Sendable, Equatable {
    /// Since the recording's begin.
    public var ms: Int
    public var event: String
    public var participantID: String?
    public var displayName: String?
    public var audio: Bool?
    public var video: Bool?
    public var screen: Bool?
    public var participantIDs: [String]?
    public var chatID: String?
    public var text: String?
    public var deleted: Bool?

    enum CodingKeys: String, CodingKey {
        case ms, event, audio, video, screen, text, deleted
        case participantID = "participant_id"
        case displayName = "display_name"
        case participantIDs = "participant_ids"
        case chatID = "chat_id"
    }

    init(_ event: String, ms: Int, _ participantID: String? = nil) {
        self.event = event
        self.ms = ms
        self.participantID = participantID
    }
}
