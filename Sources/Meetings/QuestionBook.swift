/// The questions of a webinar, in the order in which they were asked.
///
/// All PoPs of a meeting make the same changes in the same order, and have the same questions then.
public struct QuestionBook: Hashable, Sendable {
    public static let limit = 300
    /// Open ones of one person.
    public static let openLimit = 10
    /// Bytes of all texts and names, in UTF-8 as JSON has them: a meeting's state goes between PoPs in one frame.
    public static let textLimit = 96 * 1_024
    /// Of them kept for answers: whoever may ask cannot silence the panel.
    public static let answerReserve = 32 * 1_024

    public private(set) var questions: [Question] = []
    private var bytes = 0

    public init() {}

    /// Questions as they were before, in their order; nil where they are more than there may be.
    public init?(_ questions: [Question]) {
        for question in questions {
            guard self[question.id] == nil, self.questions.count < Self.limit else { return nil }
            self.questions.append(question)
            bytes += question.bytes
        }
        guard bytes <= Self.textLimit else { return nil }
    }

    public subscript(_ id: QuestionID) -> Question? { questions.first { $0.id == id } }

    /// Why the question cannot be taken in as it is now; nil: it can, or it is so already.
    public func refusal(of question: Question) -> MeetingError? {
        if let known = self[question.id] {
            if question != known, known.state == .answered,
                question.state != .answered || question.revision <= known.revision
            {
                return .questionAnswered
            }
            return bytes - known.bytes + question.bytes <= Self.textLimit ? nil : .tooManyQuestions
        }
        if question.state == .open {
            let own = questions.count { $0.asker == question.asker && $0.state == .open }
            guard own < Self.openLimit else { return .tooManyQuestions }
        }
        return yielding(to: question) == nil ? .tooManyQuestions : nil
    }

    /// Takes in a new question, or what one has become. What `refusal` refuses, and an earlier state, changes nothing.
    ///
    /// - Returns: whether something changed, and which questions made room.
    @discardableResult
    public mutating func put(_ question: Question) -> (isNew: Bool, dropped: [QuestionID]) {
        guard refusal(of: question) == nil else { return (false, []) }
        guard let place = questions.firstIndex(where: { $0.id == question.id }) else {
            let dropped = yielding(to: question) ?? []
            for id in dropped { remove(id) }
            questions.append(question)
            bytes += question.bytes
            return (true, dropped)
        }
        let known = questions[place]
        // It stays whose it was. What a part of the people has read as answered is answered for all.
        let isLater = question.revision > known.revision || question.state == .answered && known.state != .answered
        guard isLater, question.asker == known.asker, question.text == known.text else { return (false, []) }
        bytes += question.bytes - known.bytes
        questions[place] = question
        return (true, [])
    }

    /// Which questions make room for a new one: those that are dismissed, then those that are answered, the oldest first. Nil:
    /// there is none to be had.
    private func yielding(to question: Question) -> [QuestionID]? {
        let mostBytes = Self.textLimit - Self.answerReserve
        var (count, bytes) = (questions.count, bytes + question.bytes)
        var yielding: [QuestionID] = []
        let settled = questions.filter { $0.state == .dismissed } + questions.filter { $0.state == .answered }
        for old in settled {
            if count < Self.limit, bytes <= mostBytes { break }
            yielding.append(old.id)
            count -= 1
            bytes -= old.bytes
        }
        return count < Self.limit && bytes <= mostBytes ? yielding : nil
    }

    private mutating func remove(_ id: QuestionID) {
        guard let place = questions.firstIndex(where: { $0.id == id }) else { return }
        bytes -= questions.remove(at: place).bytes
    }
}
