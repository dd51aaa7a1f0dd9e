/// What somebody wants to write.
public struct ChatDraft: Hashable, Sendable {
    public var text: String
    /// Nil: for everybody.
    public var recipient: ParticipantID?
    /// What it answers.
    public var replyTo: ChatMessageID?
    /// For those in the writer's breakout room alone.
    public var isForRoom: Bool

    public init(
        _ text: String, to recipient: ParticipantID? = nil, replyTo: ChatMessageID? = nil, isForRoom: Bool = false
    ) {
        self.text = text
        self.recipient = recipient
        self.replyTo = replyTo
        self.isForRoom = isForRoom
    }
}

/// A message of a meeting's chat, as it is now.
public struct ChatMessage: Hashable, Sendable {
    public let id: ChatMessageID
    public let sender: ParticipantID
    /// As it was when this was written.
    public let senderName: String
    /// Nil: for everybody, or for a room.
    public let recipient: ParticipantID?
    /// For those in this breakout room.
    public let room: BreakoutRoomID?
    public let replyTo: ChatMessageID?
    public let sentAt: Timestamp
    /// Empty once it is deleted.
    public private(set) var text: String
    /// When it was edited or deleted; nil where it is as it was written first.
    public private(set) var editedAt: Timestamp?
    public private(set) var isDeleted: Bool
    /// How often it has changed.
    public private(set) var revision: UInt32
    /// Its place in the order of the whole meeting, from 1; the meeting gives it.
    public internal(set) var number: UInt64

    public init(
        id: ChatMessageID, sender: ParticipantID, senderName: String, recipient: ParticipantID? = nil,
        room: BreakoutRoomID? = nil, replyTo: ChatMessageID? = nil, sentAt: Timestamp, text: String,
        editedAt: Timestamp? = nil,
        isDeleted: Bool = false, revision: UInt32 = 0, number: UInt64 = 0
    ) {
        self.id = id
        self.sender = sender
        self.senderName = senderName
        self.recipient = recipient
        self.room = room
        self.replyTo = replyTo
        self.sentAt = sentAt
        self.text = text
        self.editedAt = editedAt
        self.isDeleted = isDeleted
        self.revision = revision
        self.number = number
    }

    public func isReadable(by reader: ChatReader) -> Bool {
        guard case .participant(let id, let place) = reader else { return recipient == nil && room == nil }
        if let recipient { return id == sender || id == recipient }
        return room == nil || room == place || id == sender
    }

    func edited(_ text: String, at moment: Timestamp) -> ChatMessage {
        var message = self
        message.text = text
        message.editedAt = moment
        message.revision += 1
        return message
    }

    func deleted(at moment: Timestamp) -> ChatMessage {
        var message = self
        message.text = ""
        message.editedAt = moment
        message.isDeleted = true
        message.revision += 1
        return message
    }

    /// Whether a reader sees no difference: another history may have given it another number.
    public func isSame(as other: ChatMessage) -> Bool {
        id == other.id && revision == other.revision && isDeleted == other.isDeleted && text == other.text
    }

    /// Of two changes at two PoPs at once a deletion counts, and else the later one.
    func isNewer(than other: ChatMessage) -> Bool {
        isDeleted != other.isDeleted ? isDeleted : revision > other.revision
    }
}

/// For whom messages are read.
public enum ChatReader: Hashable, Sendable {
    /// What all were told.
    case everybody
    /// That, what this one wrote or was written, and what was written to the breakout room that it is in.
    case participant(ParticipantID, in: BreakoutRoomID? = nil)
}
