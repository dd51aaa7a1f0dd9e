import Meetings

/// What a meeting's people were told of its polls, and what is still to be told.
///
/// Owned by the hub.
struct PollNotices {
    /// The tally of these is told soon, in the order of their first vote.
    private(set) var changed: [PollID] = []
    /// A time for that is set.
    var isDue = false
    /// Polls as entries of lists, JSON, as all may see them; absent when they changed since.
    private var entries: [PollID: [UInt8]] = [:]
    /// Of polls that are not anonymous: the ballots that hosts were told, or did not want to know.
    private var told: [PollID: [ParticipantID: Ballot]] = [:]

    mutating func note(_ poll: PollID) {
        entries[poll] = nil
        if !changed.contains(poll) { changed.append(poll) }
    }

    mutating func takeChanged() -> [PollID] {
        defer { changed = [] }
        isDue = false
        return changed
    }

    /// The poll as it is encoded for everybody, once for each change.
    mutating func entry(of poll: Poll) -> [UInt8] {
        if let entry = entries[poll.id] { return entry }
        let entry = JSON.encode(PollJSON(poll))
        entries[poll.id] = entry
        return entry
    }

    /// What hosts do not know yet of who chose what.
    mutating func news(of poll: Poll) -> [BallotJSON] {
        guard !poll.isAnonymous else { return [] }
        let before = told.updateValue(poll.ballots, forKey: poll.id) ?? [:]
        return poll.ballots.filter { before[$0.key] != $0.value }.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { BallotJSON($0, $1) }
    }

    /// It is told as a whole, or is gone.
    mutating func forget(_ poll: PollID) {
        changed.removeAll { $0 == poll }
        entries[poll] = nil
        told[poll] = nil
    }
}
