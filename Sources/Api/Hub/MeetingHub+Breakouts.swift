import Conference
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
        let streams = Set(lines.values.lazy.filter { $0.resource != nil }.map(\.id))
        var opening = try catalog.find(meeting.rawValue).opening(draft, but: streams, at: clock.now)
        // Two sides of a partition may open rooms at once: what was written to those of one is for nobody in the other's.
        if shares[meeting] != nil { opening.first = .random(in: 1...Self.mostOfFirst, using: &generator) }
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
    /// Of the rooms that people without host controls choose in a meeting.
    static let meetingChoiceBurst = 60
    static let meetingChoicesPerSecond = 30.0
    /// How far the numbers of rooms may be from those of before.
    private static let mostOfFirst: UInt32 = 1 << 20

    private func change(
        _ change: BreakoutChange, by id: ParticipantID, _ author: HostDecision.Author?, in meeting: MeetingID
    ) async throws {
        try catalog.find(meeting.rawValue).check(change, by: id)
        let own = lines[id]?.breakouts.take(
            burst: Self.breakoutBurst, perSecond: Self.breakoutsPerSecond, at: clock.now)
        let isHost = catalog.participant(id)?.role.controls == true
        let all =
            isHost || own != nil
            ? nil
            : feeds[meeting]?.choices.take(
                burst: Self.meetingChoiceBurst, perSecond: Self.meetingChoicesPerSecond, at: clock.now)
        guard own == nil, all == nil else {
            throw Problem(429, "too_many_requests", "Rooms are changed too often.", retryAfter: 1)
        }
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
        catalog.setBreakouts(breakouts, of: meeting)
        await follow(in: meeting)
    }

    /// Tells the participants and the media side what is new of a meeting's rooms.
    func follow(in meeting: MeetingID) async {
        guard let home = catalog.meetings[meeting], followed[meeting] ?? Breakouts() != home.breakouts else { return }
        let now = home.breakouts
        // Of a meeting that is new here, what a host told before is not told again.
        let before = followed.updateValue(now, forKey: meeting)
        let places = before?.places ?? [:]
        let moves = home.roster.filter { places[$0.id] != now.places[$0.id] }
            .map { BreakoutMove($0.id, to: now.places[$0.id]) }
        // What was said in a room is for those who were in it.
        if !moves.isEmpty, feeds[meeting]?.hasRoomEvents == true { flush(meeting) }
        // Before it is told where people are, so that the rooms are known.
        if ServerMessage.BreakoutState(before ?? Breakouts()) != ServerMessage.BreakoutState(now) {
            tell(ServerMessage.BreakoutState(now), everybodyIn: meeting)
        }
        if !moves.isEmpty { tell(ServerMessage.BreakoutMoved(moves), everybodyIn: meeting) }
        for move in moves { noteMove(move, in: meeting) }
        if let before, now.notices != before.notices, let notice = now.notice {
            tell(ServerMessage.BreakoutNotice(notice), everybodyIn: meeting)
        }
        await arrange(meeting)
        await stopScreens(of: moves.map(\.participant), in: meeting)
    }

    private func noteMove(_ move: BreakoutMove, in meeting: MeetingID) {
        shares[meeting]?.entries[move.participant] = nil
        guard let line = lines[move.participant] else { return }
        line.room = move.room
        line.entry = []
        // It lists people of the other room, until its client says another one.
        if line.view.subject == .tiles { line.view = MediaView(layout: line.view.layout) }
    }

    /// A screen is for the room in which it was shared: who leaves that shares it no longer. A stream has no socket to
    /// share it again, and goes on.
    private func stopScreens(of participants: [ParticipantID], in meeting: MeetingID) async {
        for id in participants where lines[id]?.resource == nil {
            guard let known = catalog.participant(id), !known.isElsewhere, known.media.screen else { continue }
            await mute(id, .screen, in: meeting)
        }
    }

    /// Tells the media side who is where now.
    func arrange(_ meeting: MeetingID) async {
        arrangements += 1
        await media.arrange(catalog.meetings[meeting]?.breakouts ?? Breakouts(), in: meeting, number: arrangements)
    }

    /// The room that somebody is in.
    func room(of id: ParticipantID, in meeting: MeetingID) -> MeetingRoom {
        MeetingRoom(meeting, catalog.meetings[meeting]?.room(of: id))
    }
}
