/// Who may ask the panel of a webinar, and who may answer. Nothing changes here: a question is made as it shall be, and
/// `MeetingCatalog.put` takes it in.
extension Meeting {
    /// A question of somebody who is here.
    ///
    /// - Throws: `notWebinar`, `participantNotFound`, `invalid` (the text), `tooManyQuestions`.
    public func question(
        _ text: String, anonymously isAnonymous: Bool, by asker: ParticipantID, as id: QuestionID, at now: Timestamp
    ) throws(MeetingError) -> Question {
        guard plan.settings.webinar else { throw .notWebinar }
        guard let person = participants[asker] else { throw .participantNotFound }
        let question = Question(
            id: id, asker: asker, askerName: isAnonymous ? nil : person.displayName,
            text: try Limits.line(text, field: "text", maximum: Question.mostOfText), askedAt: now)
        if let refusal = questions.refusal(of: question) { throw refusal }
        return question
    }

    /// What the panel makes of a question.
    ///
    /// - Parameter text: the answer; nil: it was answered by voice.
    /// - Throws: `notWebinar`, `participantNotFound`, `forbidden` of an attendee, `questionNotFound`, `invalid` (the text, also
    ///   where nothing is answered), `questionAnswered`, `tooManyQuestions`.
    public func settled(
        _ id: QuestionID, _ state: Question.State, answer text: String?, by author: ParticipantID, at now: Timestamp
    ) throws(MeetingError) -> Question {
        guard plan.settings.webinar else { throw .notWebinar }
        guard let person = participants[author] else { throw .participantNotFound }
        guard person.role != .attendee else { throw .forbidden }
        guard let known = questions[id] else { throw .questionNotFound }
        var answer = Question.Answer(text: nil, author: person.displayName, answeredAt: now)
        if let text {
            guard state == .answered else { throw .invalid(field: "text", reason: "only of an answer") }
            let line = try Limits.line(text, field: "text", maximum: Question.mostOfAnswer)
            answer = Question.Answer(text: line, author: person.displayName, answeredAt: now)
        }
        let question = try known.settled(state, answer)
        if let refusal = questions.refusal(of: question) { throw refusal }
        return question
    }
}
