import Meetings

/// A webinar's question as PoPs tell it to each other, the whole of it each time.
struct SharedQuestion: Codable {
    let question: Question

    init(_ question: Question) { self.question = question }

    private enum CodingKeys: String, CodingKey {
        case id, asker, text, state, answer, author, revision
        case askerName = "asker_name"
        case askedAt = "asked_at"
        case answeredAt = "answered_at"
    }

    /// - Throws: `DecodingError` also for what no PoP would say.
    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let state = try fields.decode(Question.State.self, forKey: .state)
        var answer: Question.Answer?
        if let author = try fields.decodeIfPresent(String.self, forKey: .author) {
            answer = Question.Answer(
                text: try fields.decodeIfPresent(String.self, forKey: .answer), author: author,
                answeredAt: try fields.decode(Timestamp.self, forKey: .answeredAt))
        }
        question = Question(
            id: try fields.decode(QuestionID.self, forKey: .id),
            asker: try fields.decode(ParticipantID.self, forKey: .asker),
            askerName: try fields.decodeIfPresent(String.self, forKey: .askerName),
            text: try fields.decode(String.self, forKey: .text),
            askedAt: try fields.decode(Timestamp.self, forKey: .askedAt), state: state, answer: answer,
            revision: try fields.decode(UInt32.self, forKey: .revision))
        guard question.isBounded, (state == .answered) == (answer != nil) else {
            throw DecodingError.dataCorruptedError(forKey: .text, in: fields, debugDescription: "out of bounds")
        }
    }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(question.id, forKey: .id)
        try fields.encode(question.asker, forKey: .asker)
        try fields.encodeIfPresent(question.askerName, forKey: .askerName)
        try fields.encode(question.text, forKey: .text)
        try fields.encode(question.askedAt, forKey: .askedAt)
        try fields.encode(question.state, forKey: .state)
        try fields.encodeIfPresent(question.answer?.text, forKey: .answer)
        try fields.encodeIfPresent(question.answer?.author, forKey: .author)
        try fields.encodeIfPresent(question.answer?.answeredAt, forKey: .answeredAt)
        try fields.encode(question.revision, forKey: .revision)
    }
}

extension Question {
    /// Whether one of ours has such texts.
    fileprivate var isBounded: Bool {
        let mostOfName = Limits().displayName * 4
        return (1...Self.mostOfText * 4).contains(text.utf8.count)
            && askerName?.utf8.count ?? 0 <= mostOfName && answer?.author.utf8.count ?? 0 <= mostOfName
            && answer?.text?.utf8.count ?? 0 <= Self.mostOfAnswer * 4
    }
}
