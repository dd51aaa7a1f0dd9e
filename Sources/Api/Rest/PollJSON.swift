import Meetings

/// A poll, in REST and on the socket, as all may see it, or with what one reader may see beside that.
struct PollJSON: Encodable {
    struct Author: Encodable {
        var participantId: String
        var displayName: String
    }

    var pollId: String
    var question: String
    var options: [String]
    var multiple: Bool
    var anonymous: Bool
    var isOpen: Bool
    var createdAt: String
    /// Absent where a service made it.
    var by: Author?
    /// How many chose each option.
    var counts: [Int]
    /// How many have voted.
    var voters: Int
    /// What the reader has chosen, as places in `options`; absent where it has not voted, or that is not known any more.
    var vote: [Int]?
    /// Who chose what: for hosts, of polls that are not anonymous.
    var ballots: [BallotJSON]?

    init(_ poll: Poll, for reader: PollReader = .everybody) {
        pollId = poll.id.rawValue
        question = poll.question
        options = poll.options
        multiple = poll.isMultiple
        anonymous = poll.isAnonymous
        isOpen = poll.isOpen
        createdAt = poll.createdAt.rfc3339
        by = poll.author.map { Author(participantId: $0.id.rawValue, displayName: $0.name) }
        counts = poll.counts
        voters = poll.voters
        vote = reader.participant.flatMap { poll.ballots[$0] }?.choice.indices
        if reader.isHost, !poll.isAnonymous { ballots = BallotJSON.all(of: poll) }
    }
}

/// For whom a poll is told.
enum PollReader {
    case everybody
    /// A service that may host the meeting.
    case service
    case participant(ParticipantID, isHost: Bool)

    var participant: ParticipantID? {
        if case .participant(let id, _) = self { return id }
        return nil
    }

    var isHost: Bool {
        switch self {
        case .everybody: false
        case .service: true
        case .participant(_, let isHost): isHost
        }
    }
}

/// What somebody has chosen in a poll that is not anonymous.
struct BallotJSON: Encodable {
    var participantId: String
    /// Absent where it was not kept.
    var displayName: String?
    var options: [Int]

    init(_ voter: ParticipantID, _ ballot: Ballot) {
        participantId = voter.rawValue
        displayName = ballot.name.isEmpty ? nil : ballot.name
        options = ballot.choice.indices
    }

    static func all(of poll: Poll) -> [BallotJSON] {
        poll.ballots.sorted { $0.key.rawValue < $1.key.rawValue }.map { BallotJSON($0, $1) }
    }
}

/// The polls of a meeting in their order.
struct PollListJSON: Encodable {
    var polls: [PollJSON]
}

/// The body of `POST /api/v1/meetings/{id}/polls`, and of `poll_create`.
struct PollDraftJSON: CallBody {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case question, options, multiple, anonymous
    }

    var question: String
    var options: [String]
    var multiple: Bool?
    var anonymous: Bool?

    var draft: PollDraft {
        PollDraft(
            question: question, options: options, isMultiple: multiple ?? false, isAnonymous: anonymous ?? false)
    }
}

extension PollID {
    /// - Throws: `pollNotFound` of what no poll is named.
    init(named text: String) throws(MeetingError) {
        guard let id = PollID(text) else { throw .pollNotFound }
        self = id
    }
}
