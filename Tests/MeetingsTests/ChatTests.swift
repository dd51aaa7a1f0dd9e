import Testing

@testable import Meetings

private struct ChatStage {
    var stage: Stage
    let ada: ParticipantID
    let bob: ParticipantID
    let cyd: ParticipantID

    init() throws {
        stage = try Stage()
        ada = try stage.enter("Ada", hostKey: stage.meeting.hostKey).id
        bob = try stage.enter("Bob").id
        cyd = try stage.enter("Cyd").id
    }

    var meeting: Meeting { stage.directory.meetings[stage.meeting.id]! }

    func draft(_ draft: ChatDraft, from sender: ParticipantID, as id: String = "c_1") throws(MeetingError)
        -> ChatMessage
    {
        try meeting.message(draft, from: sender, as: ChatMessageID(id)!, at: stage.now, within: Limits())
    }

    @discardableResult
    mutating func say(_ text: String, from sender: ParticipantID, to recipient: ParticipantID? = nil, as id: String)
        throws
        -> ChatMessage
    {
        try put(draft(ChatDraft(text, to: recipient), from: sender, as: id))
    }

    @discardableResult
    mutating func put(_ message: ChatMessage) throws -> ChatMessage {
        let put = stage.directory.put(message, in: stage.meeting.id)
        return try #require(put)
    }

    func edit(_ id: String, _ text: String, by editor: ParticipantID) throws(MeetingError) -> ChatMessage {
        try meeting.edited(ChatMessageID(id)!, to: text, by: editor, at: stage.now, within: Limits())
    }

    func delete(_ id: String, by remover: ParticipantID) throws(MeetingError) -> ChatMessage {
        try meeting.deleted(ChatMessageID(id)!, by: remover, at: stage.now)
    }
}

struct ChatTests {
    private static func message(_ number: Int, _ text: String = "x") -> ChatMessage {
        ChatMessage(
            id: ChatMessageID("c_\(number)")!, sender: ParticipantID("p_1")!, senderName: "Ada",
            sentAt: Timestamp(milliseconds: 0), text: text)
    }

    @Test func whatIsWrittenHasItsOrderAndItsWriter() throws {
        var chat = try ChatStage()
        let first = try chat.say(" Hello\r\nall \t:-) ", from: chat.bob, as: "c_1")
        #expect(
            first.text == "Hello\nall \t:-)" && first.number == 1 && first.senderName == "Bob" && first.recipient == nil
        )
        let second = try chat.say("Hi", from: chat.ada, to: chat.bob, as: "c_2")
        #expect(second.number == 2 && second.recipient == chat.bob)
        #expect(second.isReadable(by: .participant(chat.ada)) && second.isReadable(by: .participant(chat.bob)))
        #expect(!second.isReadable(by: .participant(chat.cyd)) && !second.isReadable(by: .everybody))
        #expect(chat.meeting.chat.last(for: .participant(chat.cyd))?.id == first.id)
        #expect(chat.meeting.chat.last(for: .participant(chat.bob))?.id == second.id)
    }

    @Test(arguments: [
        "", " \n\t ", "a\u{0}b", "\u{202e}txt", "\u{7}", "\u{200b}\u{2060}", String(repeating: "x", count: 2_001),
    ])
    func whatIsNoTextIsRefused(_ text: String) throws {
        let chat = try ChatStage()
        let refusal = #expect(throws: MeetingError.self) { _ = try chat.draft(ChatDraft(text), from: chat.bob) }
        #expect(refusal?.message.hasPrefix("text: ") == true)
    }

    @Test func aTextIsBoundedInBytesToo() throws {
        let chat = try ChatStage()
        let marks = "e" + String(repeating: "\u{301}", count: 8_000)
        #expect(throws: MeetingError.self) { try chat.draft(ChatDraft(marks), from: chat.bob) }
        #expect(try chat.draft(ChatDraft(String(repeating: "é", count: 2_000)), from: chat.bob).text.count == 2_000)
    }

    @Test func nobodyWritesToWhoIsNotThereOrAnswersWhatItMayNotRead() throws {
        var chat = try ChatStage()
        let stranger = ParticipantID("p_stranger")!
        #expect(throws: MeetingError.participantNotFound) { try chat.draft(ChatDraft("x"), from: stranger) }
        for recipient in [stranger, chat.bob] {
            #expect(throws: MeetingError.participantNotFound) {
                try chat.draft(ChatDraft("x", to: recipient), from: chat.bob)
            }
        }
        let expected = try chat.stage.join(JoinRequest(displayName: "Dan")).id
        #expect(throws: MeetingError.participantNotFound) {
            try chat.draft(ChatDraft("x", to: expected), from: chat.bob)
        }
        try chat.say("secret", from: chat.ada, to: chat.bob, as: "c_1")
        let answer = ChatDraft("x", replyTo: ChatMessageID("c_1"))
        #expect(throws: MeetingError.chatNotFound) { try chat.draft(answer, from: chat.cyd) }
        #expect(try chat.draft(answer, from: chat.bob, as: "c_2").replyTo?.rawValue == "c_1")
    }

    @Test func oneChangesItsOwnAndAHostTakesAnybodysAway() throws {
        var chat = try ChatStage()
        try chat.say("Helo", from: chat.bob, as: "c_1")
        chat.stage.now = chat.stage.now + .seconds(5)
        #expect(throws: MeetingError.forbidden) { try chat.edit("c_1", "x", by: chat.ada) }
        #expect(throws: MeetingError.forbidden) { try chat.delete("c_1", by: chat.cyd) }
        #expect(throws: MeetingError.chatNotFound) { try chat.edit("c_2", "x", by: chat.bob) }
        let edited = try chat.put(chat.edit("c_1", "Hello", by: chat.bob))
        #expect(edited.text == "Hello" && edited.editedAt == chat.stage.now && edited.number == 1)
        let deleted = try chat.put(chat.delete("c_1", by: chat.ada))
        #expect(deleted.text.isEmpty && deleted.isDeleted && chat.meeting.chat.messages.count == 1)
        #expect(throws: MeetingError.chatNotFound) { try chat.edit("c_1", "x", by: chat.bob) }
        // A private one is nobody else's.
        try chat.say("secret", from: chat.bob, to: chat.cyd, as: "c_3")
        #expect(throws: MeetingError.chatNotFound) { try chat.delete("c_3", by: chat.ada) }
    }

    @Test func ofTwoChangesAtOnceTheLaterCountsAndADeletionAlways() {
        let said = Self.message(1)
        let (edited, deleted) = (
            said.edited("y", at: Timestamp(milliseconds: 1)), said.deleted(at: Timestamp(milliseconds: 2))
        )
        for changes in [
            [said, edited, deleted], [deleted, edited, said], [edited, said, deleted], [deleted, said, edited],
        ] {
            var log = ChatLog()
            for change in changes { log.put(change) }
            #expect(log.messages.count == 1 && log.messages.first?.isDeleted == true, "\(changes)")
        }
        var log = ChatLog()
        log.put(edited)
        let changes = [log.put(said), log.put(edited)]
        #expect(changes == [nil, nil] && log.messages.first?.text == "y")
    }

    @Test func ofTooManyTheLatestStay() {
        var log = ChatLog()
        for number in 1...1_000 { log.put(Self.message(number)) }
        #expect(log.messages.count == ChatLog.limit && log.isCut)
        #expect(log.messages.map(\.number) == Array(601...1_000) && log.lastNumber == 1_000)
        #expect(log[ChatMessageID("c_600")!] == nil && log[ChatMessageID("c_601")!]?.number == 601)
        // As they were, after a restart.
        #expect(ChatLog(log.messages) == log)

        var long = ChatLog()
        for number in 1...100 { long.put(Self.message(number, String(repeating: "é", count: 1_000))) }
        #expect(long.messages.count == ChatLog.textLimit / 2_000)
        // An edit may make it longer, too.
        let last = long.messages.last!
        long.put(last.edited(String(repeating: "é", count: 4_000), at: Timestamp(milliseconds: 1)))
        #expect(long.messages.reduce(0) { $0 + $1.text.utf8.count } <= ChatLog.textLimit)
        #expect(long.messages.last?.text.count == 4_000)
    }

    @Test func wordsAreFoundByTheirBeginnings() throws {
        let search = try ChatSearch("  Über, 2027 ")
        #expect(search.words == ["über", "2027"])
        #expect(search.matches("2027-02-01: ÜBERALL") && !search.matches("gegenüber 2027") && !search.matches("über"))
        #expect(try ChatSearch("foo_b").matches("see foo_bar") && !ChatSearch("bar").matches("see foo_bar"))
        // What a reader takes for one character is not one word (Unicode, UAX 29: U+0D4E joins what follows).
        #expect(try ChatSearch("\u{d4e}\"or x\u{d4e}\"").words == ["\u{d4e}", "or", "x\u{d4e}"])
        #expect(try ChatSearch("e\u{301}te").matches("l'e\u{301}te\u{301}"))
        for query in ["", " .,-! ", "a b c d e f g h i", String(repeating: "x", count: 101)] {
            #expect(throws: MeetingError.self) { try ChatSearch(query) }
        }
    }
}
