/// The polls of a meeting, in the order in which they were made.
///
/// All PoPs of a meeting make the same changes in the same order, and have the same polls then.
public struct PollBook: Hashable, Sendable {
    public static let limit = 50
    public static let openLimit = 5
    /// Deleted polls that are remembered.
    public static let deletedLimit = 64
    /// Bytes of all questions, options and authors' names, in UTF-8.
    public static let textLimit = 32 * 1_024
    /// Who chose what, of all polls: 1,000 people may vote in each open one. Of closed ones the oldest are let go.
    public static let ballotLimit = 5_120
    /// Bytes of the names with them, in UTF-8.
    public static let nameLimit = 48 * 1_024

    public private(set) var polls: [Poll] = []
    /// The last that were deleted: they do not come back, though another history of the meeting has them.
    public private(set) var deleted: [PollID] = []
    /// Of all ballots, UTF-8.
    private var nameBytes = 0

    public init() {}

    /// Polls as they were before, in their order.
    public init(_ polls: some Sequence<Poll>, deleted: [PollID] = []) {
        self.deleted = Array(deleted.suffix(Self.deletedLimit))
        for poll in polls where self.polls.count < Self.limit && self[poll.id] == nil { self.polls.append(poll) }
        nameBytes = self.polls.reduce(0) { $0 + $1.nameBytes }
        trim()
    }

    public subscript(_ id: PollID) -> Poll? { polls.first { $0.id == id } }

    /// Why the change cannot be made now; nil: it can.
    public func refusal(of change: PollChange) -> MeetingError? {
        switch change {
        case .open(let poll):
            guard self[poll.id] == nil else { return nil }
            guard !deleted.contains(poll.id) else { return .pollNotFound }
            let bytes = polls.reduce(poll.textBytes) { $0 + $1.textBytes }
            let isOpenToMore = polls.count < Self.limit && polls.count(where: \.isOpen) < Self.openLimit
            return isOpenToMore && bytes <= Self.textLimit ? nil : .tooManyPolls
        case .vote(let id, let voter, let ballot):
            guard let poll = self[id] else { return .pollNotFound }
            guard poll.isOpen else { return .pollClosed }
            guard poll.accepts(ballot.choice) else { return .invalid(field: "options", reason: "not of this poll") }
            let kept = polls.reduce(0) { $0 + ($1.isOpen ? $1.ballots.count : 0) }
            return poll.ballots[voter] != nil || kept < Self.ballotLimit ? nil : .pollFull
        case .close(let id):
            guard let poll = self[id] else { return .pollNotFound }
            return poll.isOpen ? nil : .pollClosed
        case .delete(let id): return self[id] == nil ? .pollNotFound : nil
        }
    }

    /// Makes a change; one that `refusal` refuses, or that is made already, changes nothing.
    ///
    /// - Returns: whether something changed.
    @discardableResult
    public mutating func apply(_ change: PollChange) -> Bool {
        guard refusal(of: change) == nil else { return false }
        switch change {
        case .open(let poll):
            guard self[poll.id] == nil else { return false }
            polls.append(poll)
        case .vote(let id, let voter, let ballot):
            guard let place = place(of: id), ballot.turn > polls[place].ballots[voter]?.turn ?? 0 else { return false }
            let former = polls[place].ballots[voter]?.name.utf8.count ?? 0
            let named = named(ballot, in: polls[place], beside: nameBytes - former)
            nameBytes += named.name.utf8.count - former
            polls[place].take(named, of: voter)
            trim()
        case .close(let id):
            guard let place = place(of: id) else { return false }
            polls[place].close()
        case .delete(let id):
            guard let place = place(of: id) else { return false }
            nameBytes -= polls.remove(at: place).nameBytes
            if deleted.count == Self.deletedLimit { deleted.removeFirst() }
            deleted.append(id)
        }
        return true
    }

    /// Nobody votes any more.
    public mutating func closeAll() {
        for place in polls.indices where polls[place].isOpen { polls[place].close() }
    }

    private func place(of id: PollID) -> Int? { polls.firstIndex { $0.id == id } }

    private func named(_ ballot: Ballot, in poll: Poll, beside bytes: Int) -> Ballot {
        let isKept = !poll.isAnonymous && bytes + ballot.name.utf8.count <= Self.nameLimit
        return isKept ? ballot : Ballot(ballot.choice, name: "", turn: ballot.turn)
    }

    private mutating func trim() {
        var count = polls.reduce(0) { $0 + $1.ballots.count }
        for place in polls.indices where count > Self.ballotLimit && !polls[place].isOpen {
            count -= polls[place].ballots.count
            nameBytes -= polls[place].nameBytes
            polls[place].forgetBallots()
        }
    }
}

/// A change of a meeting's polls.
public enum PollChange: Hashable, Sendable {
    case open(Poll)
    case vote(PollID, ParticipantID, Ballot)
    case close(PollID)
    case delete(PollID)

    public var poll: PollID {
        switch self {
        case .open(let poll): poll.id
        case .vote(let id, _, _), .close(let id), .delete(let id): id
        }
    }
}
