import Meetings
import NIOCore
import Store

/// What participants write to each other.
extension MeetingHub {
    /// Messages of one participant at once and per second, and of a whole meeting: each goes to everybody.
    static let chatBurst = 10
    static let chatPerSecond = 1.0
    static let meetingChatBurst = 60
    static let meetingChatPerSecond = 30.0
    /// For how long one who comes back is told of changes: longer than a place is kept whose socket is lost, but for one whose
    /// media goes on.
    static let chatMemory: Duration = .seconds(300)
    /// Of one participant, how often the history is read.
    static let historyBurst = 20
    static let historyPerSecond = 5.0

    /// Writes to everybody, or to one.
    ///
    /// - Returns: the message as all have it.
    /// - Throws: what `Meeting.message` throws; `Problem` 409 `not_joined`, 429 `too_many_requests`, 503 `home_unreachable`.
    @discardableResult
    func say(
        _ draft: ChatDraft, by sender: ParticipantID, _ socket: (any SignalingSocket)? = nil
    ) async throws -> ChatMessage {
        let id = ChatMessageID(using: &generator)
        return try await changeChat(by: sender, socket) { [clock, limits = catalog.limits] meeting in
            try meeting.message(draft, from: sender, as: id, at: clock.now, within: limits)
        }
    }

    /// - Throws: what `Meeting.edited` throws, and as `say`.
    func edit(
        _ id: ChatMessageID, to text: String, by editor: ParticipantID, _ socket: any SignalingSocket
    ) async throws {
        try await changeChat(by: editor, socket) { [clock, limits = catalog.limits] meeting in
            try meeting.edited(id, to: text, by: editor, at: clock.now, within: limits)
        }
    }

    /// - Throws: what `Meeting.deleted` throws, and as `say`.
    func delete(_ id: ChatMessageID, by remover: ParticipantID, _ socket: any SignalingSocket) async throws {
        try await changeChat(by: remover, socket) { [clock] meeting in
            try meeting.deleted(id, by: remover, at: clock.now)
        }
    }

    @discardableResult
    private func changeChat(
        by author: ParticipantID, _ socket: (any SignalingSocket)?, _ make: (Meeting) throws -> ChatMessage
    ) async throws -> ChatMessage {
        guard let id = catalog.meetingID(of: author), let meeting = catalog.meetings[id],
            let line = lines[author], let now = line.socket, socket.map({ $0 === now }) ?? true
        else { throw Problem.notJoined }
        try admitChat(of: line, in: id)
        let message = try make(meeting)
        if shares[id] != nil {
            try await decide(.chat(message), in: id)
        } else if let put = catalog.put(message, in: id) {
            store?.noteChat(put, in: id)
            tell(put, in: id)
        }
        chatMessages += 1
        return message
    }

    private func admitChat(of line: SignalingLine, in meeting: MeetingID) throws {
        let now = clock.now
        let feed = feeds[meeting]
        let wait =
            line.chat.take(burst: Self.chatBurst, perSecond: Self.chatPerSecond, at: now)
            ?? feed?.chat.take(burst: Self.meetingChatBurst, perSecond: Self.meetingChatPerSecond, at: now)
        guard let wait else { return }
        throw Problem(
            429, "too_many_requests", "Too many messages at once.", retryAfter: max(1, Int(wait.rounded(.up))))
    }

    /// Tells those who may read it what a message is now.
    private func tell(_ message: ChatMessage, in meeting: MeetingID) {
        let told = ServerMessage.Chat(message: ChatJSON(message))
        if let room = message.room {
            tell(told, everybodyIn: MeetingRoom(meeting, room), mayWait: true)
            // It may have gone to another room since.
            if lines[message.sender]?.room != room { tell(told, message.sender) }
            return
        }
        guard let recipient = message.recipient else { return tell(told, everybodyIn: meeting, mayWait: true) }
        let frame = TextFrame.encode(told)
        tell(frame, message.sender)
        tell(frame, recipient)
    }

    /// Tells somebody who is back what was edited or deleted lately: it may have been told before that.
    func tellChanges(to line: SignalingLine, in meeting: MeetingID) {
        guard let home = catalog.meetings[meeting] else { return }
        for message in home.chat.messages where message.isReadable(by: home.reader(line.id)) {
            guard let changed = message.editedAt, clock.now - changed < Self.chatMemory else { continue }
            tell(ServerMessage.Chat(message: ChatJSON(message)), line.id)
        }
    }

    // MARK: At several PoPs

    /// Takes the chat as the meeting's Home has it, and tells what is new.
    func followChat(of share: MeetingShare, _ before: SharedMeeting) {
        let chat = share.copy.chat
        guard chat != before.chat else { return }
        catalog.setChat(chat, of: share.id)
        var known: [ChatMessageID: ChatMessage] = [:]
        for message in before.chat.messages { known[message.id] = message }
        for message in chat.messages where known[message.id]?.isSame(as: message) != true {
            tell(message, in: share.id)
        }
    }

    // MARK: History

    /// - Throws: what `ChatHistory.page` throws; `Problem` 429 `too_many_requests`.
    func history(
        of id: MeetingID, _ place: ChatPlace, for reader: ChatReader, search: ChatSearch?, limit: Int
    ) async throws -> ChatPage {
        let meeting = try catalog.find(id.rawValue)
        var reader = reader
        if case .participant(let participant, _) = reader {
            try admitHistory(of: participant)
            reader = meeting.reader(participant)
        }
        let history = ChatHistory(
            log: meeting.chat, store: store, meeting: id, reader: reader, search: search, limit: limit)
        return try await history.page(place)
    }

    func admitHistory(of participant: ParticipantID) throws {
        guard let line = lines[participant], line.socket != nil else { throw Problem.notJoined }
        guard line.history.take(burst: Self.historyBurst, perSecond: Self.historyPerSecond, at: clock.now) == nil else {
            throw Problem(429, "too_many_requests", "The history is read too often.", retryAfter: 1)
        }
    }
}

extension Problem {
    static let notJoined = Problem(409, "not_joined", "This participant is not in a meeting with a socket.")
}
