import Conference
import Meetings

/// What the sockets ask.
extension MeetingHub {
    /// Ties a socket to its participant: for the first time, again after a loss, or instead of another one.
    ///
    /// - Throws: `Problem`: 401 `token_expired`, 403 `resume_invalid`, 404 `participant_not_found`, 409
    ///   `resume_expired`, 503 `draining`.
    func attach(
        _ id: ParticipantID, in meeting: MeetingID, isFresh: Bool, resume: String?, _ socket: SignalingSocket,
        id request: RequestID?
    ) async throws {
        guard !isStopping else { throw Problem.draining }
        guard let home = catalog.home(of: id), home.id == meeting, let known = home.participants[id] else {
            throw absence(of: meeting, isFresh: isFresh, resumed: resume != nil)
        }
        let old = lines[id]
        if let resume, let old, !Secret.equal(resume.utf8, old.resume.utf8) {
            throw Problem(403, "resume_invalid", "The resume token is not of this participant.")
        }
        let wasVisible = known.presence.isVisible
        let participant = try catalog.arrive(id)
        old?.socket?.send(ServerMessage.Removed())
        old?.socket?.close(SignalingSocket.replaced, "replaced")
        var line = old ?? Line(resume: Secret.random(length: 32, using: &generator))
        line.socket = socket
        lines[id] = line
        socket.markJoined()
        socket.send(
            ServerMessage.Joined(
                participant, in: home, resume: line.resume, resumed: wasVisible,
                iceServers: turn?.servers(for: id, now: clock.now) ?? [], id: request))
        if drain.state.phase == .draining { socket.send(ServerMessage.Migrate(drain.state, at: clock.now)) }
        logger.info(
            wasVisible ? "participant resumed" : "participant joined",
            metadata: ["meeting_id": "\(meeting)", "participant_id": "\(id)"])
        guard wasVisible else {
            let message = ServerMessage.ParticipantJoined(participant: .init(participant))
            return tell(message, everybodyIn: home, but: id)
        }
        if old?.socket == nil { tellConnection(.connected, of: id, in: home) }
        let slots = await media.slots(of: id)
        if lines[id]?.socket === socket, !slots.isEmpty { socket.send(ServerMessage.Slots(slots)) }
    }

    private func absence(of meeting: MeetingID, isFresh: Bool, resumed: Bool) -> any Error {
        if catalog.meetings[meeting] == nil { return MeetingError.meetingNotFound }
        if resumed { return Problem(409, "resume_expired", "The place was given up; join again.") }
        if !isFresh { return Problem.unauthorized("token_expired", "The session token has expired; join again.") }
        return MeetingError.participantNotFound
    }

    /// The socket is gone; if it still was the participant's, the grace begins.
    func detach(_ id: ParticipantID, _ socket: SignalingSocket) {
        guard lines[id]?.socket === socket, let home = catalog.home(of: id) else { return }
        lines[id]?.socket = nil
        catalog.drop(id, at: clock.now)
        tellConnection(.interrupted, of: id, in: home)
        logger.info("signaling socket lost", metadata: ["participant_id": "\(id)"])
    }

    private func tellConnection(
        _ connection: ServerMessage.ParticipantUpdate.Connection, of id: ParticipantID, in home: Meeting
    ) {
        let message = ServerMessage.ParticipantUpdate(participantId: id.rawValue, connection: connection)
        tell(message, everybodyIn: home, but: id)
    }

    /// Hands the offer to the media side, and answers `answer` and `slots`.
    func offer(_ id: ParticipantID, _ socket: SignalingSocket, sdp: String, id request: RequestID?) async throws {
        let home = try current(id, socket)
        let answer = try await media.connect(id, in: home.id, offer: sdp)
        guard let participant = catalog.home(of: id)?.participants[id] else {
            // It left while the answer was made; its session must not outlive it.
            return await media.disconnect(id)
        }
        let state = participant.media
        await media.setMediaState(id, audio: state.audio, video: state.video, screen: state.screen)
        if let view = lines[id]?.view { await media.setView(id, view) }
        let slots = await media.slots(of: id)
        guard lines[id]?.socket === socket else { return }
        socket.send(ServerMessage.Answer(id: request, sdp: answer))
        socket.send(ServerMessage.Slots(slots))
    }

    func setMedia(_ change: ClientMessage.MediaStateChange, of id: ParticipantID, _ socket: SignalingSocket)
        async throws
    {
        let home = try current(id, socket)
        guard let old = home.participants[id]?.media else { throw MeetingError.participantNotFound }
        let state = change.applied(to: old)
        guard state != old else { return }
        try catalog.setMedia(state, of: id)
        tell(ServerMessage.MediaStateChanged(id, state), everybodyIn: home, but: id)
        await media.setMediaState(id, audio: state.audio, video: state.video, screen: state.screen)
    }

    func setView(_ view: ClientMessage.View, of id: ParticipantID, _ socket: SignalingSocket) async throws {
        let home = try current(id, socket)
        let view = try view.view { home.participants[$0] != nil }
        lines[id]?.view = view
        await media.setView(id, view)
    }

    /// The participant's meeting, where this is still its socket.
    private func current(_ id: ParticipantID, _ socket: SignalingSocket) throws -> Meeting {
        guard lines[id]?.socket === socket, let home = catalog.home(of: id) else {
            throw Problem(409, "not_joined", "This socket is not in a meeting any more.")
        }
        return home
    }
}

/// What the media side tells.
extension MeetingHub {
    func take(_ update: MediaUpdate) {
        switch update {
        case .slots(let id, let changed): lines[id]?.socket?.send(ServerMessage.Slots(changed))
        case .connected(let id): countConnected(id)
        case .failed(let id, let reason):
            logger.info("media failed", metadata: ["participant_id": "\(id)", "reason": "\(reason)"])
            lines[id]?.socket?.send(ServerMessage.Failure(Problem(503, "media_failed", reason)))
        case .activeSpeakers(let meeting, let speakers):
            guard let meeting = catalog.meetings[meeting] else { return }
            tell(ServerMessage.ActiveSpeaker(participants: speakers.map(\.rawValue)), everybodyIn: meeting)
        case .quality(let id, let quality):
            let message = ServerMessage.Quality(
                participantId: id.rawValue, level: quality.level, layer: quality.layer,
                estimateBitsPerSecond: quality.estimate)
            lines[id]?.socket?.send(message)
        }
    }

    private func countConnected(_ id: ParticipantID) {
        guard lines[id]?.hasConnected == false, let joined = catalog.home(of: id)?.participants[id]?.joinedAt else {
            return
        }
        lines[id]?.hasConnected = true
        joinSeconds.observe(clock.now.seconds - joined.seconds)
    }
}
