/// A question to the panel of a webinar.
public struct Question: Hashable, Sendable {
    public enum State: String, Sendable, Codable, CaseIterable {
        case open
        /// Everybody may read it.
        case answered
        /// The panel leaves it; its asker sees that.
        case dismissed
    }

    public struct Answer: Hashable, Sendable, Codable {
        /// Nil: it was answered by voice.
        public let text: String?
        /// The display name of who answered.
        public let author: String
        public let answeredAt: Timestamp

        public init(text: String?, author: String, answeredAt: Timestamp) {
            self.text = text
            self.author = author
            self.answeredAt = answeredAt
        }
    }

    /// Characters.
    public static let mostOfText = 500
    public static let mostOfAnswer = 1_000

    public let id: QuestionID
    public let asker: ParticipantID
    /// Nil where it is anonymous: nobody is told who asked.
    public let askerName: String?
    public let text: String
    public let askedAt: Timestamp
    public private(set) var state: State
    public private(set) var answer: Answer?
    /// Counts its changes.
    public private(set) var revision: UInt32

    public init(
        id: QuestionID, asker: ParticipantID, askerName: String?, text: String, askedAt: Timestamp,
        state: State = .open, answer: Answer? = nil, revision: UInt32 = 0
    ) {
        self.id = id
        self.asker = asker
        self.askerName = askerName
        self.text = text
        self.askedAt = askedAt
        self.state = state
        self.answer = answer
        self.revision = revision
    }

    public var isAnonymous: Bool { askerName == nil }

    /// Of its texts and names, in UTF-8 as JSON has them.
    var bytes: Int {
        [text, askerName, answer?.text, answer?.author].reduce(0) { sum, text in
            sum + (text?.utf8.reduce(0) { $0 + ([0x22, 0x2f, 0x5c].contains($1) ? 2 : 1) } ?? 0)
        }
    }

    /// Whether one in this role may read it.
    public func isReadable(by reader: ParticipantID, _ role: Role) -> Bool {
        role != .attendee || state == .answered || reader == asker
    }

    /// What it becomes by the panel's word.
    ///
    /// - Throws: `questionAnswered`: an answer is changed, and not taken back.
    func settled(_ state: State, _ answer: Answer?) throws(MeetingError) -> Question {
        guard self.state != .answered || state == .answered else { throw .questionAnswered }
        var question = self
        question.state = state
        question.answer = state == .answered ? answer : nil
        question.revision &+= 1
        return question
    }
}
