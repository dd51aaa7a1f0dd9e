import Meetings

/// A message of a chat, in REST and on the socket.
struct ChatJSON: Encodable {
    var chatId: String
    var senderId: String
    var senderName: String
    var recipientId: String?
    /// The breakout room that it was written to.
    var roomId: String?
    var replyTo: String?
    var sentAt: String
    /// Empty once it is deleted.
    var text: String
    var editedAt: String?
    /// Absent, or true.
    var deleted: Bool?

    init(_ message: ChatMessage) {
        chatId = message.id.rawValue
        senderId = message.sender.rawValue
        senderName = message.senderName
        recipientId = message.recipient?.rawValue
        roomId = message.room?.rawValue
        replyTo = message.replyTo?.rawValue
        sentAt = message.sentAt.rfc3339
        text = message.text
        editedAt = message.editedAt?.rfc3339
        deleted = message.isDeleted ? true : nil
    }
}

/// One page of a chat, the oldest first.
struct ChatPageJSON: Encodable {
    var messages: [ChatJSON]
    /// Give it as `before` for those before these; absent where there are none.
    var previous: String?
    /// Give it as `after` for those behind these; absent where there are none.
    var next: String?

    init(_ page: ChatPage) {
        messages = page.messages.map(ChatJSON.init)
        previous = page.hasPrevious ? messages.first?.chatId : nil
        next = page.hasNext ? messages.last?.chatId : nil
    }
}

/// The body of `POST /api/v1/meetings/{id}/chat`.
struct ChatDraftJSON: CallBody {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case text, room
        case recipientId = "recipient_id"
        case replyTo = "reply_to"
    }

    var text: String
    var recipientId: String?
    var replyTo: String?
    /// To the breakout room that the writer is in.
    var room: Bool?

    /// - Throws: `MeetingError` of identifiers that nobody has.
    var draft: ChatDraft {
        get throws {
            let recipient = try recipientId.map { text in
                guard let id = ParticipantID(text) else { throw MeetingError.participantNotFound }
                return id
            }
            let answered = try replyTo.map { try ChatMessageID(named: $0) }
            return ChatDraft(text, to: recipient, replyTo: answered, isForRoom: room ?? false)
        }
    }
}

extension ChatMessageID {
    /// - Throws: `chatNotFound` of what no message is named.
    init(named text: String) throws(MeetingError) {
        guard let id = ChatMessageID(text) else { throw .chatNotFound }
        self = id
    }
}
