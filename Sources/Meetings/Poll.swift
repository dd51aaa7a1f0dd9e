/// A question to everybody in a meeting, with answers to choose from, as it is now.
public struct Poll: Hashable, Sendable {
    /// Characters.
    public static let questionLimit = 200
    public static let optionLimit = 100
    public static let fewestOptions = 2
    public static let mostOptions = 10

    /// Who made it, as a participant; a service is none.
    public struct Author: Hashable, Sendable {
        public let id: ParticipantID
        /// As it was when the poll was made.
        public let name: String

        public init(id: ParticipantID, name: String) {
            self.id = id
            self.name = name
        }
    }

    public let id: PollID
    public let question: String
    public let options: [String]
    /// One may choose several options.
    public let isMultiple: Bool
    /// Nobody is told who chose what, and once it is closed nobody knows.
    public let isAnonymous: Bool
    public let author: Author?
    public let createdAt: Timestamp
    public internal(set) var isOpen = true
    /// How many chose each option.
    public private(set) var counts: [Int]
    /// How many have voted.
    public private(set) var voters = 0
    /// Who chose what: while it is open of all, since each vote takes the place of the same person's former one; afterwards of
    /// polls that are not anonymous, as far as there is room.
    public private(set) var ballots: [ParticipantID: Ballot] = [:]

    init(
        id: PollID, _ draft: PollDraft, author: Author?, createdAt: Timestamp, within limits: Limits
    ) throws(MeetingError) {
        guard (Self.fewestOptions...Self.mostOptions).contains(draft.options.count) else {
            throw .invalid(
                field: "options", reason: "from \(Self.fewestOptions) to \(Self.mostOptions)")
        }
        question = try Limits.line(draft.question, field: "question", maximum: Self.questionLimit)
        var options: [String] = []
        for option in draft.options {
            options.append(try Limits.line(option, field: "options", maximum: Self.optionLimit))
        }
        guard Set(options).count == options.count else {
            throw .invalid(field: "options", reason: "must be different")
        }
        self.id = id
        self.options = options
        isMultiple = draft.isMultiple
        isAnonymous = draft.isAnonymous
        self.author = author
        self.createdAt = createdAt
        counts = Array(repeating: 0, count: options.count)
    }

    /// A poll as it was told before, by the Store or by another PoP; nil for what none can be.
    public init?(
        id: PollID, _ draft: PollDraft, author: Author?, createdAt: Timestamp, isOpen: Bool, counts: [Int],
        voters: Int, ballots: [ParticipantID: Ballot] = [:]
    ) {
        guard let made = try? Poll(id: id, draft, author: author, createdAt: createdAt, within: Limits()),
            made.question == draft.question, made.options == draft.options, counts.count == made.options.count,
            (0...Self.mostVoters).contains(voters), counts.allSatisfy({ (0...voters).contains($0) }),
            ballots.count <= voters, author?.name.utf8.count ?? 0 <= Limits().displayName * 4,
            ballots.values.allSatisfy({ made.accepts($0.choice) })
        else { return nil }
        self = made
        self.isOpen = isOpen
        self.counts = counts
        self.voters = voters
        self.ballots = ballots
    }

    /// More than any meeting has had people.
    private static let mostVoters = 1 << 32

    /// UTF-8.
    var textBytes: Int { options.reduce(question.utf8.count + (author?.name.utf8.count ?? 0)) { $0 + $1.utf8.count } }

    /// Of those who voted, UTF-8. One by one: this is asked when a poll is let go.
    var nameBytes: Int { ballots.values.reduce(0) { $0 + $1.name.utf8.count } }

    /// Whether somebody may choose that.
    func accepts(_ choice: PollChoice) -> Bool {
        choice.bits != 0 && Int(choice.bits) < 1 << options.count && (isMultiple || choice.bits.nonzeroBitCount == 1)
    }

    /// Takes a vote in place of the same person's former one.
    mutating func take(_ ballot: Ballot, of voter: ParticipantID) {
        if let former = ballots.updateValue(ballot, forKey: voter) {
            for index in former.choice.indices { counts[index] -= 1 }
        } else {
            voters += 1
        }
        for index in ballot.choice.indices { counts[index] += 1 }
    }

    /// Whether the counts are those of the ballots, as while it is open.
    public var isTally: Bool {
        var tally = Array(repeating: 0, count: options.count)
        for ballot in ballots.values { for index in ballot.choice.indices { tally[index] += 1 } }
        return voters == ballots.count && counts == tally
    }

    mutating func close() {
        isOpen = false
        if isAnonymous { ballots = [:] }
    }

    /// As it may be written down: of an anonymous poll without who chose what.
    public var kept: Poll {
        var poll = self
        if isAnonymous { poll.forgetBallots() }
        return poll
    }

    /// The counts stay.
    mutating func forgetBallots() { ballots = [:] }
}

/// What a host wants to ask.
public struct PollDraft: Hashable, Sendable {
    public var question: String
    public var options: [String]
    public var isMultiple: Bool
    public var isAnonymous: Bool

    public init(question: String, options: [String], isMultiple: Bool = false, isAnonymous: Bool = false) {
        self.question = question
        self.options = options
        self.isMultiple = isMultiple
        self.isAnonymous = isAnonymous
    }
}

/// The options of a poll that one person has chosen.
public struct PollChoice: Hashable, Sendable {
    /// The lowest one is of the first option.
    public let bits: UInt16

    public init(bits: UInt16) { self.bits = bits }

    /// - Throws: `invalid` for no options, and for those that a poll cannot have, or twice.
    init(_ indices: [Int], of poll: Poll) throws(MeetingError) {
        guard !indices.isEmpty else { throw .invalid(field: "options", reason: "choose one") }
        guard poll.isMultiple || indices.count == 1 else { throw .invalid(field: "options", reason: "choose only one") }
        var bits: UInt16 = 0
        for index in indices {
            guard poll.options.indices.contains(index) else {
                throw .invalid(field: "options", reason: "from 0 to \(poll.options.count - 1)")
            }
            guard bits & 1 << index == 0 else { throw .invalid(field: "options", reason: "must be different") }
            bits |= 1 << index
        }
        self.bits = bits
    }

    /// In their order.
    public var indices: [Int] { (0..<UInt16.bitWidth).filter { bits & 1 << $0 != 0 } }
}

/// What one person has chosen.
public struct Ballot: Hashable, Sendable {
    public let choice: PollChoice
    /// As the person was called; empty in an anonymous poll, and where too many names are kept already.
    public let name: String
    /// Counts the person's votes in the poll: of two that come in another order the later one holds.
    public let turn: UInt32

    public init(_ choice: PollChoice, name: String, turn: UInt32) {
        self.choice = choice
        self.name = name
        self.turn = turn
    }
}
