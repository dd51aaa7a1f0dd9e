import Meetings

/// What people ask the panel of a webinar, and what the panel answers.
extension MeetingHub {
    /// Questions of one participant at once and per second, and of a whole webinar.
    static let questionBurst = 5
    static let questionsPerSecond = 0.1
    static let meetingQuestionBurst = 60
    static let meetingQuestionsPerSecond = 5.0
    /// What one of the panel does with questions, at once and per second.
    static let settlementBurst = 20
    static let settlementsPerSecond = 2.0

    /// - Throws: what `Meeting.question` throws; `Problem` 409 `not_joined`, 429 `too_many_requests`, 503
    ///   `home_unreachable`.
    func ask(
        _ text: String, anonymously isAnonymous: Bool, by id: ParticipantID, _ socket: any SignalingSocket
    ) async throws {
        let (meeting, line) = try current(id, socket)
        let question = try catalog.find(meeting.rawValue).question(
            text, anonymously: isAnonymous, by: id, as: QuestionID(using: &generator), at: clock.now)
        let wait =
            line.questions.take(burst: Self.questionBurst, perSecond: Self.questionsPerSecond, at: clock.now)
            ?? feeds[meeting]?.questions.take(
                burst: Self.meetingQuestionBurst, perSecond: Self.meetingQuestionsPerSecond, at: clock.now)
        if let wait { throw Self.tooManyRequests(after: wait) }
        try await put(question, in: meeting)
    }

    /// Answers a question, leaves it, or takes it up again.
    ///
    /// - Parameter text: the answer; nil: it was answered by voice.
    /// - Throws: what `Meeting.settled` throws; `Problem` as `ask`.
    func settle(
        _ question: QuestionID, _ state: Question.State, answer text: String?, by id: ParticipantID,
        _ socket: any SignalingSocket
    ) async throws {
        let (meeting, line) = try current(id, socket)
        let settled = try catalog.find(meeting.rawValue).settled(question, state, answer: text, by: id, at: clock.now)
        let wait = line.settlements.take(
            burst: Self.settlementBurst, perSecond: Self.settlementsPerSecond, at: clock.now)
        if let wait { throw Self.tooManyRequests(after: wait) }
        try await put(settled, in: meeting)
    }

    /// - Parameter wait: seconds.
    private static func tooManyRequests(after wait: Double) -> Problem {
        Problem(
            429, "too_many_requests", "Too much about questions at once.", retryAfter: max(1, Int(wait.rounded(.up))))
    }

    private func put(_ question: Question, in meeting: MeetingID) async throws {
        if shares[meeting] != nil { return try await decide(.question(question), in: meeting) }
        let (isNew, dropped) = catalog.put(question, in: meeting)
        tellGone(dropped, in: meeting)
        if isNew { tell(question, in: meeting) }
    }

    // MARK: Telling

    /// Tells those who may read it what a question is now.
    private func tell(_ question: Question, in meeting: MeetingID) {
        let seats: Seats = question.state == .answered ? .all : [.hosts, .panel]
        tell(ServerMessage.QuestionChanged(question), seats, but: question.asker, in: meeting)
        tell(ServerMessage.QuestionChanged(question, isOwn: true), question.asker)
    }

    private func tellGone(_ questions: [QuestionID], in meeting: MeetingID) {
        for id in questions { tell(ServerMessage.QuestionGone(questionId: id.rawValue), everybodyIn: meeting) }
    }

    /// Tells one of all questions that it may read.
    func tellQuestions(to line: SignalingLine, in meeting: MeetingID) {
        guard let home = catalog.meetings[meeting], !home.questions.questions.isEmpty else { return }
        tell(ServerMessage.Questions(questions: QuestionJSON.all(of: home, for: line.id)), line.id)
    }

    /// Takes the questions as the meeting's Home has them, and tells what is new.
    func followQuestions(of share: MeetingShare, _ before: SharedMeeting) {
        let questions = share.copy.questions
        guard questions != before.questions else { return }
        catalog.setQuestions(questions, of: share.id)
        let now = Set(questions.questions.lazy.map(\.id))
        let known = Dictionary(before.questions.questions.lazy.map { ($0.id, $0) }) { first, _ in first }
        tellGone(before.questions.questions.map(\.id).filter { !now.contains($0) }, in: share.id)
        for question in questions.questions where known[question.id] != question { tell(question, in: share.id) }
    }
}
