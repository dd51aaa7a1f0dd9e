import Meetings

/// Polls as PoPs tell them to each other. Who voted is said once, and the ballots refer to that.
struct SharedPolls: Codable {
    private var polls: [SharedPoll]
    /// Of the ballots, each with `names` in the same place.
    private var voters: [ParticipantID]
    private var names: [String]
    /// Absent where there are none.
    private var deleted: [PollID]?

    private struct Voter: Hashable {
        var id: ParticipantID
        var name: String
    }

    init(_ book: PollBook) {
        var places: [Voter: Int] = [:]
        var all: [Voter] = []
        polls = book.polls.map { poll in
            var shared = SharedPoll(poll)
            shared.ballots = poll.ballots.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap { id, ballot in
                let voter = Voter(id: id, name: ballot.name)
                let place = places[voter] ?? all.count
                if place == all.count {
                    places[voter] = place
                    all.append(voter)
                }
                return [place, Int(ballot.choice.bits), Int(ballot.turn)]
            }
            return shared
        }
        voters = all.map(\.id)
        names = all.map(\.name)
        deleted = book.deleted.isEmpty ? nil : book.deleted
    }

    /// Nil for what no PoP would say.
    var book: PollBook? {
        guard polls.count <= PollBook.limit, voters.count == names.count, voters.count <= PollBook.ballotLimit,
            deleted?.count ?? 0 <= PollBook.deletedLimit, names.allSatisfy({ $0.utf8.count <= SharedPoll.nameLimit })
        else { return nil }
        var made: [Poll] = []
        for shared in polls {
            var ballots: [ParticipantID: Ballot] = [:]
            let values = shared.ballots ?? []
            guard values.count % 3 == 0, values.count <= 3 * PollBook.ballotLimit else { return nil }
            for start in stride(from: 0, to: values.count, by: 3) {
                guard voters.indices.contains(values[start]),
                    let ballot = SharedPoll.ballot(
                        values[start + 1], name: names[values[start]], turn: values[start + 2])
                else { return nil }
                ballots[voters[values[start]]] = ballot
            }
            guard let poll = shared.poll(with: ballots), !poll.isOpen || poll.isTally else { return nil }
            made.append(poll)
        }
        return PollBook(made, deleted: deleted ?? [])
    }
}

/// A poll between PoPs.
struct SharedPoll: Codable {
    var id: PollID
    var question: String
    var options: [String]
    var multiple: Bool?
    var anonymous: Bool?
    var author: ParticipantID?
    var authorName: String?
    var createdAt: Timestamp
    var closed: Bool?
    /// Absent while nobody has voted.
    var counts: [Int]?
    var voters: Int?
    /// Of each three numbers: the place of the voter, its options' bits, and its turn. Absent in a change.
    var ballots: [Int]?

    /// Bytes of a person's name.
    static let nameLimit = Limits().displayName * 4

    private enum CodingKeys: String, CodingKey {
        case id, question, options, multiple, anonymous, author, closed, counts, voters, ballots
        case authorName = "author_name"
        case createdAt = "created_at"
    }

    init(_ poll: Poll) {
        id = poll.id
        question = poll.question
        options = poll.options
        multiple = poll.isMultiple ? true : nil
        anonymous = poll.isAnonymous ? true : nil
        author = poll.author?.id
        authorName = poll.author?.name
        createdAt = poll.createdAt
        closed = poll.isOpen ? nil : true
        guard poll.voters > 0 else { return }
        counts = poll.counts
        voters = poll.voters
    }

    /// Nil for what no PoP would say.
    func poll(with ballots: [ParticipantID: Ballot] = [:]) -> Poll? {
        let author = author.map { Poll.Author(id: $0, name: authorName ?? "") }
        let draft = PollDraft(
            question: question, options: options, isMultiple: multiple ?? false, isAnonymous: anonymous ?? false)
        return Poll(
            id: id, draft, author: author, createdAt: createdAt, isOpen: !(closed ?? false),
            counts: counts ?? options.map { _ in 0 }, voters: voters ?? 0, ballots: ballots)
    }

    static func ballot(_ bits: Int, name: String, turn: Int) -> Ballot? {
        guard let bits = UInt16(exactly: bits), let turn = UInt32(exactly: turn), name.utf8.count <= nameLimit else {
            return nil
        }
        return Ballot(PollChoice(bits: bits), name: name, turn: turn)
    }
}

/// A change of polls between PoPs: one of the first three fields, or those of a vote.
struct SharedPollChange: Codable {
    private var open: SharedPoll?
    private var close: PollID?
    private var delete: PollID?
    private var vote: PollID?
    private var voter: ParticipantID?
    private var name: String?
    /// The options' bits.
    private var choice: Int?
    private var turn: Int?

    init(_ change: PollChange) {
        switch change {
        case .open(let poll): open = SharedPoll(poll)
        case .close(let id): close = id
        case .delete(let id): delete = id
        case .vote(let id, let voter, let ballot):
            vote = id
            self.voter = voter
            name = ballot.name.isEmpty ? nil : ballot.name
            choice = Int(ballot.choice.bits)
            turn = Int(ballot.turn)
        }
    }

    /// Nil for what no PoP would say.
    var change: PollChange? {
        if let open { return open.poll().flatMap { $0.isOpen && $0.voters == 0 ? .open($0) : nil } }
        if let close { return .close(close) }
        if let delete { return .delete(delete) }
        guard let vote, let voter, let choice, let turn,
            let ballot = SharedPoll.ballot(choice, name: name ?? "", turn: turn)
        else { return nil }
        return .vote(vote, voter, ballot)
    }
}
