import Conference
import Meetings
import NIOCore

/// What a socket's `join` brings beside who it is.
struct SocketJoin: Sendable {
    /// Comes back to the place that it names; nil for the first time.
    var resume: String?
    var offer: String?
    var mediaState: ClientMessage.MediaStateChange?
    var view: ClientMessage.View?
    /// What limits by address count by.
    var address = ""
    /// The session token, which brings this participant back.
    var token: String
    /// The token may still open a first socket.
    var isFresh: Bool
    var request: RequestID?
}

/// How a socket becomes a participant's.
extension MeetingHub {
    /// Takes back what `admit` gave, when the join could not be completed.
    func withdraw(_ id: ParticipantID) async { try? await leave(id, reason: .left, keepsSocket: true) }

    /// Ties a socket to its participant: for the first time, again after a loss, or instead of another one. An offer is
    /// answered in the same breath. Who is to be let in first waits instead.
    ///
    /// - Returns: whether it is in; else it waits.
    /// - Throws: `Problem`: 401 `token_expired`, 403 `resume_invalid` and `resume_required`, 404 `participant_not_found`, 409
    ///   `resume_expired` and `replaced`, 503 `draining`; `MediaError` of an offer; 422 of a view. A newcomer that was
    ///   admitted for this join is then to be withdrawn.
    @discardableResult
    func attach(_ id: ParticipantID, in meeting: MeetingID, _ join: SocketJoin, _ socket: any SignalingSocket)
        async throws -> Bool
    {
        let line = try line(of: id, in: meeting, join)
        if let participant = catalog.participant(id) {
            try await admitSocket(participant, in: meeting, of: join.address)
            guard lines[id] === line else { throw MeetingError.participantNotFound }
        }
        line.address = join.address
        guard takesIn(id, to: meeting) else {
            try wait(line, in: meeting, join, socket)
            return false
        }
        line.attempts += 1
        let attempt = line.attempts
        let view = try join.view?.view()
        if let change = join.mediaState { try enter(with: change, line, in: meeting) }
        if let view { line.view = view }
        let connection = try await connect(line, in: meeting, join, hasView: view != nil)
        guard lines[id] === line, catalog.meetingID(of: id) == meeting else {
            // It left, or the meeting ended, while the answer was made: its session must not outlive it.
            if connection != nil { await media.disconnect(id) }
            throw MeetingError.participantNotFound
        }
        guard line.attempts == attempt else { throw Problem(409, "replaced", "Another socket joined meanwhile.") }
        // A page that was closed meanwhile: nobody is to be shown.
        guard line.wasWelcomed || !socket.isClosing else { throw MeetingError.participantNotFound }
        try welcome(line, in: meeting, join, connection, socket)
        if join.resume != nil { tellChanges(to: line, in: meeting) }
        await catchUp(line, socket)
        return true
    }

    /// The participant's line, made for its first socket.
    private func line(of id: ParticipantID, in meeting: MeetingID, _ join: SocketJoin) throws -> SignalingLine {
        guard !isStopping else { throw Problem.draining }
        guard catalog.meetingID(of: id) == meeting, let participant = catalog.participant(id) else {
            throw absence(of: meeting, join)
        }
        if let line = lines[id] {
            try Self.check(join.resume, of: line)
            guard line.resource == nil else {
                throw Problem(409, "already_joined", "This participant is here by WHIP or WHEP.")
            }
            return line
        }
        let line = SignalingLine(participant, resume: Secret.random(length: 32, using: &generator))
        lines[id] = line
        return line
    }

    /// Who was told a resume token takes its place again by that: the session token alone may lie in more hands, as those of
    /// the service that asked for it.
    private static func check(_ resume: String?, of line: SignalingLine) throws {
        guard let resume else {
            guard !line.wasWelcomed else {
                throw Problem(
                    403, "resume_required", "This participant is here: its place is taken by its resume token.")
            }
            return
        }
        guard Secret.equal(resume.utf8, line.resume.utf8) else {
            throw Problem.resumeInvalid
        }
    }

    private func absence(of meeting: MeetingID, _ join: SocketJoin) -> any Error {
        if catalog.meetings[meeting] == nil { return MeetingError.meetingNotFound }
        if join.resume != nil { return Problem(409, "resume_expired", "The place was given up; join again.") }
        if !join.isFresh {
            return Problem.unauthorized("token_expired", "The session token has expired; join again.")
        }
        return MeetingError.participantNotFound
    }

    /// Tells what hosts have made of it, and its join did not know.
    private func tellPower(over line: SignalingLine) {
        if let state = catalog.participant(line.id)?.media {
            let off = HostOrder.Source.allCases.filter { source in
                !state.has(source) && (line.claim?.has(source) == true || line.missedMutes.contains(source))
            }
            if !off.isEmpty { tell(ServerMessage.MediaStateChanged(line.id, state, turnedOff: off), line.id) }
        }
        if let host = line.missedAsk { tell(ServerMessage.UnmuteAsked(participantId: host.rawValue), line.id) }
        line.claim = nil
        line.missedAsk = nil
        line.missedMutes = []
    }

    /// Notes what the join says that it sends; it does not undo what a host did meanwhile.
    func enter(
        with change: ClientMessage.MediaStateChange, _ line: SignalingLine, in meeting: MeetingID
    ) throws {
        guard let home = catalog.meetings[meeting], let known = home.participants[line.id] else {
            throw MeetingError.participantNotFound
        }
        let state = change.applied(to: known.media)
        line.claim = state
        var entering = home.entering(with: state, line.id, isNew: !line.wasWelcomed && !line.isSeen)
        for source in line.missedMutes { entering.mute(source) }
        try setMedia(entering, of: line.id, in: meeting)
    }

    /// Has the media side answer the offer, if there is one, and otherwise tells it what the join said.
    private func connect(
        _ line: SignalingLine, in meeting: MeetingID, _ join: SocketJoin, hasView: Bool
    ) async throws -> MediaConnection? {
        let state = published(by: line.id)
        if let sdp = join.offer {
            line.hasClosedMedia = false
            let offer = MediaOffer(sdp: sdp, state: state, view: line.view, serial: serial(of: line))
            let connection = try await media.connect(line.id, in: meeting, offer)
            line.publication = connection.publication
            return connection
        }
        if join.mediaState != nil { await media.setMediaState(line.id, state) }
        if hasView { await media.setView(line.id, line.view) }
        return nil
    }

    /// Gives the socket the place, says `joined`, and shows a newcomer to the others.
    private func welcome(
        _ line: SignalingLine, in meeting: MeetingID, _ join: SocketJoin, _ connection: MediaConnection?,
        _ socket: any SignalingSocket
    ) throws {
        let isReturn = line.wasWelcomed
        let wasLost = line.socket == nil
        if let old = line.socket, old !== socket {
            old.send(ServerMessage.Removed(reason: .replaced))
            old.close(.replaced, "replaced")
        }
        leaveDoor(of: line, for: socket)
        line.socket = socket
        line.wasWelcomed = true
        unattached.remove(line.id)
        try appear(line, in: meeting)
        let connection = connection.map { MediaConnection(sdp: $0.sdp, slots: present($0.slots)) }
        socket.markJoined()
        line.room = catalog.meetings[meeting]?.room(of: line.id)
        if let role = catalog.participant(line.id)?.role { line.seat = Seats(role) }
        feeds[meeting]?.beginListening(line)
        socket.send(try joined(line, in: meeting, join, connection, resumed: isReturn))
        tellPower(over: line)
        tellWaiting(to: line, in: meeting, isReturn: isReturn)
        tellPolls(to: line, in: meeting, isReturn: join.resume != nil)
        if drain.state.phase == .draining { socket.send(migration(drain.state)) }
        if isReturn {
            line.missedLayers = true
            // With an answer to its offer it has its Slots already.
            if connection == nil { line.missedSlots = true }
            if wasLost { tellConnection(.connected, of: line.id, in: meeting) }
        }
        publish(line.id, in: meeting)
        logger.info(
            isReturn ? "participant resumed" : "participant joined",
            metadata: ["meeting_id": "\(meeting)", "participant_id": "\(line.id)"])
    }

    /// Makes the participant one of those whom the others see, once.
    func appear(_ line: SignalingLine, in meeting: MeetingID) throws {
        let participant = try catalog.arrive(line.id)
        let feed = feeds[meeting] ?? MeetingFeed()
        feeds[meeting] = feed
        guard !line.isSeen else { return }
        line.isSeen = true
        store?.noteJoin(participant, in: meeting)
        feed.add(line)
        let message = ServerMessage.ParticipantJoined(participant: person(participant, in: meeting))
        tell(message, of: participant, in: meeting, isItsDoing: true)
        publish(line.id, in: meeting)
    }

    /// Its place in the order of joining, where the media side cannot count it: others are at other PoPs.
    func serial(of line: SignalingLine) -> UInt64? { sharing == nil ? nil : UInt64(line.arrival) }

    private func joined(
        _ line: SignalingLine, in meeting: MeetingID, _ join: SocketJoin, _ connection: MediaConnection?, resumed: Bool
    ) throws -> ByteBuffer {
        guard let participant = catalog.participant(line.id), let home = catalog.meetings[meeting] else {
            throw MeetingError.participantNotFound
        }
        let head = ServerMessage.Joined(
            participant, in: home, resume: line.resume, resumed: resumed, token: join.token,
            iceServers: turn?.servers(for: line.id, now: clock.utc) ?? [], signalingURL: ownSocket,
            alternates: alternates(of: meeting), id: join.request)
        if let share = shares[meeting],
            share.copy.participants.values.contains(where: { $0.place != sharing?.instance })
        {
            let others = home.roster.lazy.filter { $0.id != line.id && self.isShown($0, to: participant.role) }
                .map { self.entry(of: $0, share) }
            return TextFrame.wrap(head.encoded(participants: others, connection))
        }
        let others = (feeds[meeting]?.lines ?? []).lazy
            .filter { $0 !== line && ($0.seat != .attendees || participant.role.controls) }
            .map { self.entry(of: $0) }
        return TextFrame.wrap(head.encoded(participants: others, connection))
    }

    private func entry(of participant: Participant, _ share: MeetingShare) -> [UInt8] {
        if let line = lines[participant.id] { return entry(of: line) }
        if let entry = share.entries[participant.id] { return entry }
        let entry = JSON.encode(person(participant, in: share.id))
        share.entries[participant.id] = entry
        return entry
    }

    /// The participant in lists, encoded once for each change.
    private func entry(of line: SignalingLine) -> [UInt8] {
        if line.entry.isEmpty, let participant = catalog.participant(line.id) {
            line.entry = JSON.encode(person(participant, in: catalog.meetingID(of: line.id)))
        }
        return line.entry
    }

    /// A participant as the others see it.
    func person(_ participant: Participant, in meeting: MeetingID?) -> ServerMessage.Person {
        let home = meeting.flatMap { catalog.meetings[$0] }
        return ServerMessage.Person(participant, in: home?.room(of: participant.id))
    }

    /// Tells a resumed socket all its Slots and which of its layers are wanted, and a new one what of it changed while it was
    /// let in.
    private func catchUp(_ line: SignalingLine, _ socket: any SignalingSocket) async {
        if line.missedLayers {
            line.missedLayers = false
            await media.repeatWantedLayers(of: line.id)
        }
        guard line.missedSlots else { return }
        line.missedSlots = false
        let changes = line.slotChanges
        let slots = await settled(await media.slots(of: line.id), of: line, since: changes)
        if line.socket === socket, !slots.isEmpty { tellNow(ServerMessage.slots(present(slots)), line.id) }
    }

    /// All Slots, asked for again while a change was told that may be newer.
    func settled(_ slots: [SlotAssignment], of line: SignalingLine, since changes: Int) async -> [SlotAssignment] {
        var (slots, changes) = (slots, changes)
        while changes != line.slotChanges {
            changes = line.slotChanges
            slots = await media.slots(of: line.id)
        }
        return slots
    }

    /// The socket is gone; if it still was the participant's, the grace begins, unless its media is closed, too.
    func detach(_ id: ParticipantID, _ socket: any SignalingSocket) async {
        guard let line = lines[id], let meeting = catalog.meetingID(of: id) else { return }
        if line.door === socket { return stopWaiting(line, in: meeting) }
        guard line.socket === socket else { return }
        if line.hasClosedMedia || line.arrivingUntil != nil {
            try? await leave(id, reason: .left)
            return
        }
        line.socket = nil
        line.isListening = false
        // What was to be told meanwhile is asked for when it comes back.
        line.missedSlots = true
        catalog.drop(id, at: clock.now)
        tellConnection(.interrupted, of: id, in: meeting)
        publish(id, in: meeting)
        logger.info("signaling socket lost", metadata: ["participant_id": "\(id)"])
    }

    private func tellConnection(
        _ connection: ServerMessage.ParticipantUpdate.Connection, of id: ParticipantID, in meeting: MeetingID
    ) {
        let message = ServerMessage.ParticipantUpdate(participantId: id.rawValue, connection: connection)
        guard let participant = catalog.participant(id) else { return }
        tell(message, of: participant, in: meeting, isItsDoing: true)
    }
}
