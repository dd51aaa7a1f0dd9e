/// Who may ask what, and how one votes. Nothing changes here: a change is made as it shall be, and `MeetingCatalog.apply` takes
/// it in.
extension Meeting {
    /// A new poll, which is open at once.
    ///
    /// - Parameter author: nil: a service.
    /// - Throws: `participantNotFound`, `forbidden` without the host controls, `invalid`, `tooManyPolls`.
    public func poll(
        _ draft: PollDraft, by author: ParticipantID?, as id: PollID, at now: Timestamp, within limits: Limits
    ) throws(MeetingError) -> Poll {
        if let author { try requireControls(author) }
        let person = author.flatMap { participants[$0] }.map { Poll.Author(id: $0.id, name: $0.displayName) }
        let poll = try Poll(id: id, draft, author: person, createdAt: now, within: limits)
        if let refusal = polls.refusal(of: .open(poll)) { throw refusal }
        return poll
    }

    /// A vote of somebody who is here, in place of its former one.
    ///
    /// - Parameter last: the turn of its last vote, which may still be on its way to the meeting's Home.
    /// - Returns: the vote and its turn.
    /// - Throws: `participantNotFound`, `pollNotFound`, `pollClosed`, `invalid`, `pollFull`.
    public func vote(
        _ indices: [Int], in id: PollID, by voter: ParticipantID, after last: UInt32 = 0
    ) throws(MeetingError) -> (change: PollChange, turn: UInt32) {
        guard let person = participants[voter], person.isAdmitted else { throw .participantNotFound }
        guard let poll = polls[id] else { throw .pollNotFound }
        guard poll.isOpen else { throw .pollClosed }
        let choice = try PollChoice(indices, of: poll)
        let turn = max(poll.ballots[voter]?.turn ?? 0, last) &+ 1
        let name = poll.isAnonymous ? "" : person.displayName
        let change = PollChange.vote(id, voter, Ballot(choice, name: name, turn: turn))
        if let refusal = polls.refusal(of: change) { throw refusal }
        return (change, turn)
    }

    /// - Parameter actor: nil: a service.
    /// - Throws: `participantNotFound`, `forbidden`, `pollNotFound`, `pollClosed` of what is closed already.
    public func check(_ change: PollChange, by actor: ParticipantID?) throws(MeetingError) {
        if let actor { try requireControls(actor) }
        if let refusal = polls.refusal(of: change) { throw refusal }
    }
}
