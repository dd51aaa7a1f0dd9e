/// Who may write what. Nothing changes here: a message is made as it shall be, and `MeetingCatalog.put` takes it in.
extension Meeting {
    /// A message of somebody who is here.
    ///
    /// - Throws: `participantNotFound` (also of a recipient who is not seen), `chatNotFound` of what it answers, `invalid` (the
    ///   text), `chatForbidden`, `breakoutClosed` to a room by one who is in none.
    public func message(
        _ draft: ChatDraft, from sender: ParticipantID, as id: ChatMessageID, at now: Timestamp, within limits: Limits
    ) throws(MeetingError) -> ChatMessage {
        guard let person = participants[sender] else { throw .participantNotFound }
        if let recipient = draft.recipient {
            guard recipient != sender, let other = participants[recipient], other.presence.isVisible else {
                throw .participantNotFound
            }
            // They do not know of each other.
            if person.role == .attendee, other.role == .attendee { throw .participantNotFound }
        }
        let room = draft.isForRoom && draft.recipient == nil ? room(of: sender) : nil
        if draft.isForRoom, draft.recipient == nil, room == nil { throw .breakoutClosed }
        try requireChat(to: draft.recipient, by: person)
        if let answered = draft.replyTo { _ = try readable(answered, by: sender) }
        return ChatMessage(
            id: id, sender: sender, senderName: person.displayName, recipient: draft.recipient, room: room,
            replyTo: draft.replyTo, sentAt: now, text: try limits.chatText(draft.text))
    }

    /// One's own message with another text.
    ///
    /// - Throws: `participantNotFound`, `chatNotFound`, `forbidden`, `invalid` (the text), `chatForbidden`.
    public func edited(
        _ id: ChatMessageID, to text: String, by editor: ParticipantID, at now: Timestamp, within limits: Limits
    ) throws(MeetingError) -> ChatMessage {
        let message = try readable(id, by: editor)
        guard message.sender == editor, let person = participants[editor] else { throw .forbidden }
        try requireChat(to: message.recipient, by: person)
        return message.edited(try limits.chatText(text), at: now)
    }

    /// One's own message, or by the host controls anybody's, without its text.
    ///
    /// - Throws: `participantNotFound`, `chatNotFound`, `forbidden`.
    public func deleted(
        _ id: ChatMessageID, by remover: ParticipantID, at now: Timestamp
    ) throws(MeetingError) -> ChatMessage {
        let message = try readable(id, by: remover)
        if message.sender != remover { try requireControls(remover) }
        return message.deleted(at: now)
    }

    /// A participant as a reader of the chat.
    public func reader(_ id: ParticipantID) -> ChatReader { .participant(id, in: room(of: id)) }

    /// Where chat is not allowed, one writes to hosts, and they to anybody.
    private func requireChat(to recipient: ParticipantID?, by sender: Participant) throws(MeetingError) {
        guard
            plan.settings.allowChat || sender.role.controls
                || recipient.flatMap({ participants[$0] })?.role.controls == true
        else { throw .chatForbidden }
    }

    /// One that the participant may read, and that is not deleted.
    private func readable(_ id: ChatMessageID, by reader: ParticipantID) throws(MeetingError) -> ChatMessage {
        guard participants[reader] != nil else { throw .participantNotFound }
        guard let message = chat[id], message.isReadable(by: self.reader(reader)), !message.isDeleted else {
            throw .chatNotFound
        }
        return message
    }
}
