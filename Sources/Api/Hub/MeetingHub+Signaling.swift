import Conference
import Meetings
import Store

/// What the sockets of participants ask.
extension MeetingHub {
    /// Hands a further offer to the media side, and answers `answer` and `slots`.
    func offer(_ id: ParticipantID, _ socket: any SignalingSocket, sdp: String, id request: RequestID?) async throws {
        let (meeting, line) = try current(id, socket)
        let changes = line.slotChanges
        line.hasClosedMedia = false
        let offer = MediaOffer(sdp: sdp, state: published(by: id), view: line.view, serial: serial(of: line))
        let connection = try await media.connect(id, in: meeting, offer)
        guard catalog.meetingID(of: id) == meeting else {
            // It left while the answer was made; its session must not outlive it.
            return await media.disconnect(id)
        }
        line.publication = connection.publication
        publish(id, in: meeting)
        guard line.socket === socket else { return }
        socket.send(ServerMessage.Answer(id: request, sdp: connection.sdp))
        // Behind what was gathered, as they may be of somebody who just came.
        let slots = await settled(connection.slots, of: line, since: changes)
        if line.socket === socket { tellNow(ServerMessage.slots(present(slots)), id) }
        // It may have changed while the answer was made.
        await media.setMediaState(id, published(by: id))
        await media.setView(id, line.view)
    }

    /// Hands an offer with new ICE credentials to the media side, and answers `answer`: nobody's Slots change.
    func restartICE(
        _ id: ParticipantID, _ socket: any SignalingSocket, sdp: String, id request: RequestID?
    ) async throws {
        let (_, line) = try current(id, socket)
        let answer = try await media.restart(id, sdp)
        if line.socket === socket { socket.send(ServerMessage.Answer(id: request, sdp: answer)) }
    }

    func setMedia(
        _ change: ClientMessage.MediaStateChange, of id: ParticipantID, _ socket: any SignalingSocket
    ) async throws {
        let (meeting, _) = try current(id, socket)
        guard try setMedia(change, of: id, in: meeting) else { return }
        await media.setMediaState(id, published(by: id))
    }

    /// Notes what the participant sends, and tells the others; the media side hears it from the caller.
    ///
    /// - Returns: whether something changed.
    @discardableResult
    func setMedia(
        _ change: ClientMessage.MediaStateChange, of id: ParticipantID, in meeting: MeetingID
    ) throws -> Bool {
        guard let old = catalog.participant(id)?.media else { throw MeetingError.participantNotFound }
        return try setMedia(change.applied(to: old), of: id, in: meeting)
    }

    @discardableResult
    func setMedia(_ state: MediaState, of id: ParticipantID, in meeting: MeetingID) throws -> Bool {
        let old = catalog.participant(id)?.media
        guard state != old else { return false }
        try catalog.setMedia(state, of: id)
        let state = catalog.participant(id)?.media ?? state
        guard let line = lines[id] else { return true }
        line.entry = []
        if line.isSeen, let participant = catalog.participant(id) {
            tell(ServerMessage.MediaStateChanged(id, state), of: participant, in: meeting, isItsDoing: true)
        }
        publish(id, in: meeting)
        return true
    }

    func setView(_ view: ClientMessage.View, of id: ParticipantID, _ socket: any SignalingSocket) async throws {
        let (_, line) = try current(id, socket)
        line.view = try view.view()
        await media.setView(id, line.view)
    }

    func setLocked(
        _ isLocked: Bool, by id: ParticipantID, _ socket: any SignalingSocket, from address: String = ""
    ) async throws {
        let (meeting, author) = try controls(isLocked ? .lock : .unlock, id, socket, from: address)
        try await setLocked(isLocked, meeting, by: author)
    }

    /// Ends the meeting. The answer to `request` goes out before: what is said behind the end is not sent any more.
    func end(
        by id: ParticipantID, _ socket: any SignalingSocket, from address: String = "", id request: RequestID? = nil
    ) async throws {
        let (meeting, author) = try controls(.end, id, socket, from: address)
        try await end(meeting, reason: .ended, by: author) {
            if let request { socket.send(ServerMessage.Done(id: request)) }
        }
    }

    /// What the media side is told of the participant's state.
    func published(by id: ParticipantID) -> PublishedMedia {
        let state = catalog.participant(id)?.media ?? MediaState()
        return PublishedMedia(
            audio: state.audio, video: state.video, screen: state.screen, isSilenced: state.mutedByHost)
    }

    /// The participant's meeting and line, where this is still its socket.
    func current(
        _ id: ParticipantID, _ socket: any SignalingSocket
    ) throws -> (MeetingID, SignalingLine) {
        guard let line = lines[id], line.socket === socket, let meeting = catalog.meetingID(of: id) else {
            throw Problem(409, "not_joined", "This socket is not in a meeting any more.")
        }
        return (meeting, line)
    }
}
