import Fleet
import Meetings

/// A message of a chat as PoPs tell it to each other, the whole of it each time.
struct SharedChatMessage: Codable {
    let message: ChatMessage

    init(_ message: ChatMessage) { self.message = message }

    private enum CodingKeys: String, CodingKey {
        case id, sender, recipient, room, text, deleted, revision, number
        case senderName = "sender_name"
        case replyTo = "reply_to"
        case sentAt = "sent_at"
        case editedAt = "edited_at"
    }

    /// - Throws: `DecodingError` also for what no PoP would say.
    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let text = try fields.decode(String.self, forKey: .text)
        let name = try fields.decode(String.self, forKey: .senderName)
        let number = try fields.decode(UInt64.self, forKey: .number)
        let limits = Limits()
        guard text.utf8.count <= limits.chatMessage * 4, name.utf8.count <= limits.displayName * 4, number < 1 << 48
        else {
            throw DecodingError.dataCorruptedError(forKey: .text, in: fields, debugDescription: "out of bounds")
        }
        message = ChatMessage(
            id: try fields.decode(ChatMessageID.self, forKey: .id),
            sender: try fields.decode(ParticipantID.self, forKey: .sender), senderName: name,
            recipient: try fields.decodeIfPresent(ParticipantID.self, forKey: .recipient),
            room: try fields.decodeIfPresent(BreakoutRoomID.self, forKey: .room),
            replyTo: try fields.decodeIfPresent(ChatMessageID.self, forKey: .replyTo),
            sentAt: try fields.decode(Timestamp.self, forKey: .sentAt), text: text,
            editedAt: try fields.decodeIfPresent(Timestamp.self, forKey: .editedAt),
            isDeleted: try fields.decodeIfPresent(Bool.self, forKey: .deleted) ?? false,
            revision: try fields.decode(UInt32.self, forKey: .revision), number: number)
    }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(message.id, forKey: .id)
        try fields.encode(message.sender, forKey: .sender)
        try fields.encode(message.senderName, forKey: .senderName)
        try fields.encodeIfPresent(message.recipient, forKey: .recipient)
        try fields.encodeIfPresent(message.room, forKey: .room)
        try fields.encodeIfPresent(message.replyTo, forKey: .replyTo)
        try fields.encode(message.sentAt, forKey: .sentAt)
        try fields.encode(message.text, forKey: .text)
        try fields.encodeIfPresent(message.editedAt, forKey: .editedAt)
        if message.isDeleted { try fields.encode(true, forKey: .deleted) }
        try fields.encode(message.revision, forKey: .revision)
        try fields.encode(message.number, forKey: .number)
    }
}
