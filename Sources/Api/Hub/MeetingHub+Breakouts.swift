import Meetings
import Store

/// Breakout rooms: hosts open, fill and close them, and people hear where they are.
extension MeetingHub {
    /// Opens rooms, and puts people into them.
    ///
    /// - Throws: `forbidden`, `breakoutOpen`, `invalid`; `Problem` 409 `not_joined`, 429 `too_many_requests`, 503
    ///   `home_unreachable`.
    func openBreakouts(
        _ draft: BreakoutDraft, by id: ParticipantID, _ socket: any SignalingSocket, from address: String
    ) async throws {
        let (meeting, author) = try controls(.breakoutOpen, id, socket, from: address)
        let opening = try catalog.find(meeting.rawValue).opening(draft, at: clock.now)
        try await change(.open(opening), by: id, author, in: meeting)
    }

    /// Sends people to other rooms; who is not here any more is passed over.
    ///
    /// - Throws: `forbidden`, `participantNotFound` where nobody of them is here, `breakoutClosed`, `breakoutNotFound`;
    ///   `Problem` as `openBreakouts`.
    func move(
        _ moves: [BreakoutMove], by id: ParticipantID, _ socket: any SignalingSocket, from address: String
    ) async throws {
        let (meeting, author) = try controls(.breakoutMove, id, socket, from: address)
        try await change(.move(catalog.find(meeting.rawValue).known(moves)), by: id, author, in: meeting)
    }

    /// Goes to a room, or by nil to the main one.
    ///
    /// - Throws: `breakoutChoiceForbidden`, `breakoutClosed`, `breakoutNotFound`; `Problem` as `openBreakouts`.
    func choose(_ room: BreakoutRoomID?, by id: ParticipantID, _ socket: any SignalingSocket) async throws {
        let (meeting, _) = try current(id, socket)
        try await change(.move([BreakoutMove(id, to: room)]), by: id, nil, in: meeting)
    }

    /// Tells all rooms something, has a host's microphone be heard in all of them, or no more.
    ///
    /// - Throws: `forbidden`, `invalid`, `breakoutClosed`; `Problem` as `openBreakouts`.
    func broadcast(
        _ text: String?, voice: Bool?, by id: ParticipantID, _ socket: any SignalingSocket, from address: String
    ) async throws {
        let (meeting, author) = try controls(.breakoutBroadcast, id, socket, from: address)
        if let text {
            let text = try Limits.notice(text)
            let name = catalog.participant(id)?.displayName ?? ""
            try await change(
                .notice(.init(sender: id, senderName: name, text: text)), by: id, author, in: meeting)
        }
        guard let voice else { return }
        // Another host's voice goes on.
        guard voice || catalog.meetings[meeting]?.breakouts.voice == id else { return }
        try await change(.voice(voice ? id : nil), by: id, author, in: meeting)
    }

    /// Closes the rooms, now or in a while.
    ///
    /// - Throws: `forbidden`, `invalid`, `breakoutClosed`; `Problem` as `openBreakouts`.
    func closeBreakouts(
        after seconds: Int, by id: ParticipantID, _ socket: any SignalingSocket, from address: String
    ) async throws {
        let (meeting, author) = try controls(.breakoutClose, id, socket, from: address)
        guard (0...300).contains(seconds) else { throw MeetingError.invalid(field: "after_s", reason: "from 0 to 300") }
        let change = seconds == 0 ? BreakoutChange.close : .closeAt(clock.now + .seconds(seconds))
        try await self.change(change, by: id, author, in: meeting)
    }

    /// Of one participant, how often rooms are changed, at once and per second: each change goes to everybody.
    static let breakoutBurst = 20
    static let breakoutsPerSecond = 1.0

    private func change(
        _ change: BreakoutChange, by id: ParticipantID, _ author: HostDecision.Author?, in meeting: MeetingID
    ) async throws {
        try catalog.find(meeting.rawValue).check(change, by: id)
        guard
            lines[id]?.breakouts.take(burst: Self.breakoutBurst, perSecond: Self.breakoutsPerSecond, at: clock.now)
                == nil
        else { throw Problem(429, "too_many_requests", "Rooms are changed too often.", retryAfter: 1) }
        if shares[meeting] != nil {
            try await decide(.breakouts(change), in: meeting)
        } else {
            try catalog.apply(change, in: meeting)
            await follow(in: meeting)
        }
        guard let store, let author else { return }
        store.note(HostDecision(.init(change), of: meeting, by: author, at: clock.now))
    }

    /// Each second: rooms close whose time is over, and who is no host any more speaks to its own room. Of a shared meeting
    /// its Home says so.
    func sweepBreakouts() async {
        for meeting in catalog.meetings.values where meeting.breakouts.isOpen {
            guard let change = meeting.dueBreakoutChange(at: clock.now) else { continue }
            if let share = shares[meeting.id] {
                if share.isHome { request(.breakouts(change), in: meeting.id) }
            } else if (try? catalog.apply(change, in: meeting.id)) != nil {
                await follow(in: meeting.id)
            }
        }
    }

    // MARK: What follows

    /// Takes the rooms as the meeting's Home has them.
    func follow(_ breakouts: Breakouts, in meeting: MeetingID) async {
        guard let before = catalog.meetings[meeting]?.breakouts, before != breakouts else { return }
        catalog.setBreakouts(breakouts, of: meeting)
        await follow(in: meeting)
    }

    /// Tells the participants and the media side what is new of a meeting's rooms.
    func follow(in meeting: MeetingID) async {
        guard let home = catalog.meetings[meeting] else { return }
        let feed = feeds[meeting]
        let before = feed?.breakouts ?? Breakouts()
        let now = home.breakouts
        feed?.breakouts = now
        let moves = home.roster.filter { before.places[$0.id] != now.places[$0.id] }
            .map { BreakoutMove($0.id, to: now.places[$0.id]) }
        // Before it is told where people are, so that the rooms are known.
        if ServerMessage.BreakoutState(before) != ServerMessage.BreakoutState(now) {
            tell(ServerMessage.BreakoutState(now), everybodyIn: meeting)
        }
        if !moves.isEmpty { tell(ServerMessage.BreakoutMoved(moves), everybodyIn: meeting) }
        for move in moves {
            lines[move.participant]?.room = move.room
            lines[move.participant]?.entry = []
            shares[meeting]?.entries[move.participant] = nil
        }
        if now.notices != before.notices, let notice = now.notice {
            tell(ServerMessage.BreakoutNotice(notice), everybodyIn: meeting)
        }
        await stopScreens(of: moves.map(\.participant), in: meeting)
        await arrange(now, in: meeting)
    }

    /// A screen is for the room in which it was shared: who leaves that shares it no longer.
    private func stopScreens(of participants: [ParticipantID], in meeting: MeetingID) async {
        for id in participants {
            guard let known = catalog.participant(id), !known.isElsewhere, known.media.screen else { continue }
            await mute(id, .screen, in: meeting)
        }
    }

    /// Tells the media side who is where.
    func arrange(_ breakouts: Breakouts, in meeting: MeetingID) async {
        arrangements += 1
        await media.arrange(breakouts, in: meeting, number: arrangements)
    }

    /// The room that somebody is in.
    func room(of id: ParticipantID, in meeting: MeetingID) -> MeetingRoom {
        MeetingRoom(meeting, catalog.meetings[meeting]?.room(of: id))
    }
}
