import Testing

@testable import Meetings

@Suite struct Questions {
    private static let asker = ParticipantID("p_asker")!
    private static let now = Timestamp(milliseconds: 1_800_000_000_000)

    private static func question(
        _ number: Int, by asker: ParticipantID = asker, text: String = "Why?", state: Question.State = .open,
        revision: UInt32 = 0
    ) -> Question {
        Question(
            id: QuestionID("a_\(number)")!, asker: asker, askerName: "Ada", text: text, askedAt: now, state: state,
            answer: state == .answered ? Question.Answer(text: "So.", author: "Bob", answeredAt: now) : nil,
            revision: revision)
    }

    @Test func aWebinarHasSoManyQuestionsAndNoMore() {
        var book = QuestionBook()
        var isTaken = false
        for number in 0..<QuestionBook.openLimit {
            isTaken = book.put(Self.question(number)).isNew
            #expect(isTaken)
        }
        #expect(book.refusal(of: Self.question(99)) == .tooManyQuestions)
        // One that is answered makes room for another of the same person.
        isTaken = book.put(Self.question(0, state: .answered, revision: 1)).isNew
        #expect(isTaken)
        isTaken = book.put(Self.question(99)).isNew
        #expect(isTaken)
        for number in 100..<10_000 where book.questions.count < QuestionBook.limit {
            book.put(Self.question(number, by: ParticipantID("p_\(number)")!))
        }
        #expect(book.questions.count == QuestionBook.limit)
        // One that is answered makes room for another.
        let other = Self.question(10_000, by: ParticipantID("p_other")!)
        let (isNew, dropped) = book.put(other)
        #expect(isNew && dropped == [QuestionID("a_0")!])
        #expect(book.questions.count == QuestionBook.limit && book.questions.last == other)
        #expect(book.refusal(of: Self.question(10_001, by: ParticipantID("p_third")!)) == .tooManyQuestions)
        isTaken = book.put(Self.question(1, state: .answered, revision: 1)).isNew
        #expect(isTaken)
        isTaken = book.put(Self.question(3, state: .dismissed, revision: 1)).isNew
        #expect(isTaken)
        let last = book.put(Self.question(10_001, by: ParticipantID("p_third")!)).dropped
        #expect(last == [QuestionID("a_3")!])
    }

    @Test func textsAreBoundedAndThePanelCanAnswerInAFullBook() {
        var book = QuestionBook()
        var isTaken = false
        let long = String(repeating: "w", count: 2_000)
        var number = 0
        while book.put(Self.question(number, by: ParticipantID("p_\(number)")!, text: long)).isNew { number += 1 }
        let most = QuestionBook.textLimit - QuestionBook.answerReserve
        #expect(number == most / (2_000 + 3))
        isTaken = book.put(Self.question(0, by: ParticipantID("p_0")!, text: long, state: .answered, revision: 1)).isNew
        #expect(isTaken)
        #expect(QuestionBook(book.questions)?.questions == book.questions)
    }

    @Test func theLaterRevisionCountsAndAnAnswerIsNotTakenBack() {
        var book = QuestionBook()
        var isTaken = false
        isTaken = book.put(Self.question(1)).isNew
        #expect(isTaken)
        isTaken = book.put(Self.question(1)).isNew
        #expect(!isTaken)
        isTaken = book.put(Self.question(1, state: .dismissed, revision: 2)).isNew
        #expect(isTaken)
        isTaken = book.put(Self.question(1, state: .open, revision: 2)).isNew
        #expect(!isTaken)
        // What a part of the people has read as answered is answered for all.
        isTaken = book.put(Self.question(1, state: .answered, revision: 2)).isNew
        #expect(isTaken)
        #expect(book.refusal(of: Self.question(1, state: .dismissed, revision: 3)) == .questionAnswered)
        #expect(book.refusal(of: Self.question(1, state: .answered, revision: 2)) == nil)
        isTaken = book.put(Self.question(1, state: .answered, revision: 3)).isNew
        #expect(isTaken)
        isTaken = book.put(Self.question(1, state: .open, revision: 4)).isNew
        #expect(!isTaken)
        isTaken = book.put(Self.question(1, text: "Another", state: .answered, revision: 5)).isNew
        #expect(!isTaken)
        isTaken = book.put(Self.question(1, by: ParticipantID("p_other")!, state: .answered, revision: 5)).isNew
        #expect(!isTaken)
        #expect(book.questions == [Self.question(1, state: .answered, revision: 3)])
        #expect(QuestionBook([Self.question(1), Self.question(1)]) == nil)
    }

    @Test func whoMayAskWhoMayAnswerAndWhoMayRead() throws {
        var stage = try Stage(MeetingPlan(settings: MeetingSettings(webinar: true)))
        let host = try stage.enter("Host", hostKey: stage.meeting.hostKey).id
        let ada = try stage.enter("Ada").id
        let eve = try stage.enter("Eve").id
        var meeting = try stage.directory.find(stage.meeting.id.rawValue)
        let id = QuestionID("a_1")!
        let asked = try meeting.question("  Why?\u{20}", anonymously: false, by: ada, as: id, at: stage.now)
        #expect(asked.text == "Why?" && asked.askerName == "Ada" && asked.state == .open)
        let hidden = try meeting.question("Why?", anonymously: true, by: ada, as: id, at: stage.now)
        #expect(hidden.isAnonymous && hidden.askerName == nil)
        #expect(asked.isReadable(by: ada, .attendee) && asked.isReadable(by: host, .host))
        #expect(asked.isReadable(by: eve, .panelist) && !asked.isReadable(by: eve, .attendee))
        for text in ["", " ", "a\nb", String(repeating: "w", count: Question.mostOfText + 1)] {
            #expect(throws: MeetingError.self) {
                try meeting.question(text, anonymously: false, by: ada, as: id, at: stage.now)
            }
        }
        #expect(throws: MeetingError.questionNotFound) {
            try meeting.settled(id, .answered, answer: "So.", by: host, at: stage.now)
        }
        stage.directory.put(asked, in: meeting.id)
        meeting = try stage.directory.find(meeting.id.rawValue)
        #expect(throws: MeetingError.forbidden) {
            try meeting.settled(id, .answered, answer: "So.", by: ada, at: stage.now)
        }
        #expect(throws: MeetingError.invalid(field: "text", reason: "only of an answer")) {
            try meeting.settled(id, .dismissed, answer: "So.", by: host, at: stage.now)
        }
        let answered = try meeting.settled(id, .answered, answer: " So. ", by: host, at: stage.now)
        #expect(answered.answer == Question.Answer(text: "So.", author: "Host", answeredAt: stage.now))
        #expect(answered.isReadable(by: eve, .attendee) && answered.revision == 1)
        let spoken = try meeting.settled(id, .answered, answer: nil, by: host, at: stage.now)
        #expect(spoken.answer == Question.Answer(text: nil, author: "Host", answeredAt: stage.now))
        stage.directory.put(answered, in: meeting.id)
        meeting = try stage.directory.find(meeting.id.rawValue)
        #expect(throws: MeetingError.questionAnswered) {
            try meeting.settled(id, .open, answer: nil, by: host, at: stage.now)
        }
        let other = try Stage()
        #expect(throws: MeetingError.notWebinar) {
            try other.meeting.question("Why?", anonymously: false, by: ada, as: id, at: stage.now)
        }
    }
}
