import Meetings
import Store

/// What hosts ask everybody in a meeting, and how it stands.
extension MeetingHub {
    /// What one participant does with polls, at once and per second.
    static let pollBurst = 10
    static let pollsPerSecond = 1.0
    /// So long votes are gathered before everybody is told how a poll stands: each time costs a write to all of them.
    static let pollGather: Duration = .milliseconds(500)

    // MARK: By the socket

    /// - Throws: what `Meeting.poll` throws; `Problem` 409 `not_joined`, 429 `too_many_requests`, 503 `home_unreachable`.
    func createPoll(
        _ draft: PollDraft, by id: ParticipantID, _ socket: any SignalingSocket, from address: String
    ) async throws {
        let (meeting, author) = try controls(.pollCreate, id, socket, from: address)
        try await createPoll(draft, in: meeting, by: author)
    }

    /// - Throws: what `Meeting.check` throws, and as `createPoll`.
    func closePoll(
        _ poll: PollID, by id: ParticipantID, _ socket: any SignalingSocket, from address: String
    ) async throws {
        let (meeting, author) = try controls(.pollClose, id, socket, from: address)
        try await closePoll(poll, in: meeting, by: author)
    }

    /// - Throws: what `Meeting.check` throws, and as `createPoll`.
    func deletePoll(
        _ poll: PollID, by id: ParticipantID, _ socket: any SignalingSocket, from address: String
    ) async throws {
        let (meeting, author) = try controls(.pollDelete, id, socket, from: address)
        try await deletePoll(poll, in: meeting, by: author)
    }

    /// Votes, in place of the same participant's former vote.
    ///
    /// - Throws: what `Meeting.vote` throws, and as `createPoll`.
    func vote(_ options: [Int], in poll: PollID, by id: ParticipantID, _ socket: any SignalingSocket) async throws {
        let (meeting, line) = try current(id, socket)
        try admitPolls(of: line)
        let (change, turn) = try catalog.find(meeting.rawValue).vote(
            options, in: poll, by: id, after: line.voteTurns[poll] ?? 0)
        // Those of polls that are gone are few.
        if line.voteTurns.count >= 2 * PollBook.limit { line.voteTurns = [:] }
        line.voteTurns[poll] = turn
        if shares[meeting] != nil { return try await decide(.poll(change), in: meeting) }
        if catalog.apply(change, in: meeting) { noteVotes(in: poll, of: meeting) }
    }

    private func admitPolls(of line: SignalingLine) throws {
        guard line.polls.take(burst: Self.pollBurst, perSecond: Self.pollsPerSecond, at: clock.now) == nil else {
            throw Problem(429, "too_many_requests", "Too much about polls at once.", retryAfter: 1)
        }
    }

    /// Of a service as much as it likes.
    private func admitPolls(of author: HostDecision.Author) throws {
        if let line = author.participant.flatMap({ lines[$0] }) { try admitPolls(of: line) }
    }

    // MARK: By whoever may

    /// - Throws: as by the socket.
    /// - Returns: the poll as it is now.
    @discardableResult
    func createPoll(
        _ draft: PollDraft, in meeting: MeetingID, by author: HostDecision.Author
    ) async throws -> Poll {
        try admitPolls(of: author)
        let id = PollID(using: &generator)
        let poll = try catalog.find(meeting.rawValue).poll(
            draft, by: author.participant, as: id, at: clock.now, within: catalog.limits)
        try await decide(.open(poll), .pollCreate, in: meeting, by: author)
        return catalog.meetings[meeting]?.polls[id] ?? poll
    }

    /// - Throws: as by the socket.
    /// - Returns: the poll as it is now.
    @discardableResult
    func closePoll(_ id: PollID, in meeting: MeetingID, by author: HostDecision.Author) async throws -> Poll {
        try admitPolls(of: author)
        try catalog.find(meeting.rawValue).check(.close(id), by: author.participant)
        try await decide(.close(id), .pollClose, in: meeting, by: author)
        guard let poll = catalog.meetings[meeting]?.polls[id] else { throw MeetingError.pollNotFound }
        return poll
    }

    /// - Throws: as by the socket.
    func deletePoll(_ id: PollID, in meeting: MeetingID, by author: HostDecision.Author) async throws {
        try admitPolls(of: author)
        try catalog.find(meeting.rawValue).check(.delete(id), by: author.participant)
        try await decide(.delete(id), .pollDelete, in: meeting, by: author)
    }

    private func decide(
        _ change: PollChange, _ action: HostDecision.Action, in meeting: MeetingID, by author: HostDecision.Author
    ) async throws {
        if shares[meeting] != nil { return try await decide(.poll(change), in: meeting) }
        guard catalog.apply(change, in: meeting) else { return }
        let decision = HostDecision(action, of: meeting, by: author, at: clock.now)
        if let poll = catalog.meetings[meeting]?.polls[change.poll] {
            store?.notePoll(poll, in: meeting, decision)
            tell(poll, in: meeting)
        } else {
            store?.noteDeletion(of: change.poll, decision)
            tellDeletion(of: change.poll, in: meeting)
        }
    }

    /// For one who is in the meeting, by its session token, which a service may have, too: in an anonymous poll not even one's
    /// own vote is told.
    ///
    /// - Throws: `meetingNotFound`; `Problem` 409 `not_joined`, 429 `too_many_requests`.
    func polls(of id: MeetingID, for participant: ParticipantID) throws -> PollListJSON {
        let meeting = try catalog.find(id.rawValue)
        try admitHistory(of: participant)
        let isHost = meeting.participants[participant]?.role.controls == true
        return PollListJSON(
            polls: meeting.polls.polls.map { poll in
                PollJSON(poll.isAnonymous ? poll.kept : poll, for: .participant(participant, isHost: isHost))
            })
    }

    /// At the end of a meeting that comes back: nobody votes any more.
    func keepPolls(of meeting: Meeting) {
        var polls = meeting.polls
        polls.closeAll()
        for poll in polls.polls where meeting.polls[poll.id]?.isOpen == true { store?.notePoll(poll, in: meeting.id) }
    }

    // MARK: Telling

    /// Tells everybody what a poll is now: that it is there, or closed.
    private func tell(_ poll: Poll, in meeting: MeetingID) {
        if let feed = feeds[meeting] {
            if !poll.isOpen { tellBallots(of: poll, feed, in: meeting) }
            feed.polls.forget(poll.id)
        }
        tell(ServerMessage.PollChanged(poll: PollJSON(poll)), everybodyIn: meeting)
    }

    private func tellDeletion(of poll: PollID, in meeting: MeetingID) {
        feeds[meeting]?.polls.forget(poll)
        tell(ServerMessage.PollDeleted(pollId: poll.rawValue), everybodyIn: meeting)
    }

    /// Has everybody told how a poll stands, soon.
    private func noteVotes(in poll: PollID, of meeting: MeetingID) {
        guard let feed = feeds[meeting] else { return }
        feed.polls.note(poll)
        guard gatherTime > .zero else { return tellResults(of: meeting, feed) }
        guard !feed.polls.isDue else { return }
        feed.polls.isDue = true
        Task {
            try? await clock.sleep(for: Self.pollGather)
            tellResults(of: meeting, feed)
        }
    }

    private func tellResults(of meeting: MeetingID, _ feed: MeetingFeed) {
        guard let polls = catalog.meetings[meeting]?.polls else { return }
        for poll in feed.polls.takeChanged().compactMap({ polls[$0] }) {
            tell(ServerMessage.PollResults(poll), everybodyIn: meeting, mayWait: true)
            tellBallots(of: poll, feed, in: meeting)
            if shares[meeting] == nil { store?.notePoll(poll, in: meeting) }
        }
    }

    /// Tells hosts who chose what, as far as that is new.
    private func tellBallots(of poll: Poll, _ feed: MeetingFeed, in meeting: MeetingID) {
        let news = feed.polls.news(of: poll)
        guard !news.isEmpty, let home = catalog.meetings[meeting] else { return }
        let frame = TextFrame.encode(ServerMessage.PollBallots(pollId: poll.id.rawValue, ballots: news))
        for line in feed.lines where home.participants[line.id]?.role.controls == true { tell(frame, line.id) }
    }

    /// Tells one who comes, comes back, or has become a host, of all polls.
    ///
    /// - Parameter isReturn: it may know of some that are gone.
    func tellPolls(to line: SignalingLine, in meeting: MeetingID, isReturn: Bool = false) {
        guard let home = catalog.meetings[meeting], let feed = feeds[meeting],
            !home.polls.polls.isEmpty || isReturn && !home.polls.deleted.isEmpty
        else { return }
        let isHost = home.participants[line.id]?.role.controls == true
        let polls = home.polls.polls.map { ($0, feed.polls.entry(of: $0)) }
        tell(ServerMessage.polls(polls, for: .participant(line.id, isHost: isHost)), line.id)
    }

    // MARK: At several PoPs

    /// Takes the polls as the meeting's Home has them, and tells what is new.
    func followPolls(of share: MeetingShare, _ before: SharedMeeting) {
        let polls = share.copy.polls
        guard polls != before.polls else { return }
        catalog.setPolls(polls, of: share.id)
        for known in before.polls.polls where polls[known.id] == nil { tellDeletion(of: known.id, in: share.id) }
        for poll in polls.polls {
            let known = before.polls[poll.id]
            if known?.isOpen != poll.isOpen {
                tell(poll, in: share.id)
            } else if known != poll {
                noteVotes(in: poll.id, of: share.id)
            }
        }
    }
}

extension HostDecision.Author {
    /// Nil: a service.
    fileprivate var participant: ParticipantID? {
        if case .participant(let id) = actor { return id }
        return nil
    }
}
