import Meetings

/// What the server says of webinars.
extension ServerMessage {
    /// How many watch.
    struct Audience: Encodable {
        var type = "audience"
        var attendees: Int
    }

    /// All who watch, for one who has become a host.
    struct Attendees: Encodable {
        var type = "attendees"
        var participants: [Person]
    }

    /// A question that is new, or what one has become.
    struct QuestionChanged: Encodable {
        var type = "question"
        var question: QuestionJSON

        init(_ question: Question, isOwn: Bool = false) { self.question = QuestionJSON(question, isOwn: isOwn) }
    }

    /// A question that made room for others.
    struct QuestionGone: Encodable {
        var type = "question_gone"
        var questionId: String
    }

    /// All questions that the receiver may read.
    struct Questions: Encodable {
        var type = "questions"
        var questions: [QuestionJSON]
    }
}

/// A question as one reader may see it.
struct QuestionJSON: Encodable {
    var questionId: String
    var text: String
    var askedAt: String
    var state: Question.State
    var anonymous: Bool
    /// Present where the reader asked it.
    var own: Bool?
    /// Who asked; absent where it is anonymous.
    var participantId: String?
    var displayName: String?
    /// Absent where it was answered by voice, and while it is not answered.
    var answer: String?
    var answeredBy: String?
    var answeredAt: String?

    init(_ question: Question, isOwn: Bool) {
        questionId = question.id.rawValue
        text = question.text
        askedAt = question.askedAt.rfc3339
        state = question.state
        anonymous = question.isAnonymous
        own = isOwn ? true : nil
        participantId = question.isAnonymous ? nil : question.asker.rawValue
        displayName = question.askerName
        answer = question.answer?.text
        answeredBy = question.answer?.author
        answeredAt = question.answer?.answeredAt.rfc3339
    }

    /// Those that the participant may read.
    static func all(of meeting: Meeting, for reader: ParticipantID) -> [QuestionJSON] {
        guard let role = meeting.participants[reader]?.role else { return [] }
        return meeting.questions.questions.filter { $0.isReadable(by: reader, role) }
            .map { QuestionJSON($0, isOwn: $0.asker == reader) }
    }
}

/// What clients say of webinars.
extension ClientMessage {
    struct Asking: Decodable {
        var text: String
        var anonymous: Bool?
    }

    /// Of `qa_answer`.
    struct Answering: Decodable {
        private enum CodingKeys: String, CodingKey {
            case text, state
            case questionID = "question_id"
        }

        private var questionID: String
        /// The answer; absent: it was answered by voice, or is not.
        var text: String?
        var state: Question.State?

        /// - Throws: `questionNotFound` for what is no identifier.
        var id: QuestionID {
            get throws {
                guard let id = QuestionID(questionID) else { throw MeetingError.questionNotFound }
                return id
            }
        }
    }
}
