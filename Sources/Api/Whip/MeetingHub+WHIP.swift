import Conference
import Meetings

/// Participants without a socket: they publish or play one stream, and are here for as long as their media is.
extension MeetingHub {
    /// Answers a participant's offer, and shows it to the others. Another offer of the same participant takes the place of
    /// the first.
    ///
    /// - Throws: `Problem`: 401 `token_expired`, 409 `already_joined` and `replaced`, 503 `draining`; 404
    ///   `participant_not_found`; `MediaError` of an offer; 403 and 409 of a screen. A newcomer that was admitted for this is
    ///   then to be withdrawn.
    func open(_ request: WHIPRequest, as id: ParticipantID, in meeting: MeetingID) async throws -> WHIPAnswer {
        let line = try line(of: id, in: meeting, request)
        line.attempts += 1
        let attempt = line.attempts
        let connection = try await connect(line, in: meeting, request)
        guard lines[id] === line, catalog.meetingID(of: id) == meeting else {
            // It left, or the meeting ended, while the answer was made.
            await media.disconnect(id)
            throw MeetingError.participantNotFound
        }
        guard line.attempts == attempt else { throw Problem(409, "replaced", "Another offer came meanwhile.") }
        do {
            try take(connection, of: line, in: meeting, request)
        } catch {
            await giveUp(line)
            throw error
        }
        await media.setMediaState(id, published(by: id))
        let servers = turn?.servers(for: id, now: clock.utc) ?? []
        return WHIPAnswer(sdp: connection.sdp, entityTag: line.resource?.entityTag ?? "", iceServers: servers)
    }

    /// The participant's line, made for its first offer.
    private func line(of id: ParticipantID, in meeting: MeetingID, _ request: WHIPRequest) throws -> SignalingLine {
        guard !isStopping else { throw Problem.draining }
        guard catalog.meetingID(of: id) == meeting, let participant = catalog.participant(id) else {
            if catalog.meetings[meeting] != nil, !request.isFresh {
                throw Problem.unauthorized("token_expired", "The session token has expired; join again.")
            }
            throw MeetingError.participantNotFound
        }
        guard takesIn(id, to: meeting) else { throw MeetingError.waitingRoom }
        if let line = lines[id] {
            guard !line.wasWelcomed else {
                throw Problem(409, "already_joined", "This participant is here with a signaling socket.")
            }
            return line
        }
        let line = SignalingLine(participant, resume: Secret.random(length: 32, using: &generator))
        line.address = request.address
        lines[id] = line
        return line
    }

    private func connect(
        _ line: SignalingLine, in meeting: MeetingID, _ request: WHIPRequest
    ) async throws -> MediaConnection {
        let offer = OneWayOffer(request.sdp, for: request.stream)
        let before = catalog.participant(line.id)?.media ?? MediaState()
        if request.stream == .whip, catalog.participant(line.id)?.role == .attendee { throw MeetingError.attendeeMedia }
        // As the others may hear of it before the answer is made. A screen is on when the meeting agrees.
        try enter(with: ClientMessage.MediaStateChange(offer.publishes), line, in: meeting)
        do {
            let view = MediaView(subject: request.subject)
            return try await media.connect(
                line.id, in: meeting,
                MediaOffer(sdp: offer.text, state: published(by: line.id), view: view, serial: serial(of: line)))
        } catch {
            // A session that it had goes on, but for one that had no place beside it.
            var back = before
            if catalog.participant(line.id)?.media.mutedByHost == true { back.audio = false }
            _ = try? setMedia(ClientMessage.MediaStateChange(back), of: line.id, in: meeting)
            if (error as? MediaError)?.code == .full { await giveUp(line) }
            throw error
        }
    }

    /// Makes what was negotiated the participant's, and shows it.
    private func take(
        _ connection: MediaConnection, of line: SignalingLine, in meeting: MeetingID, _ request: WHIPRequest
    ) throws {
        let sends = connection.publishes
        switch request.stream {
        case .whip where sends == PublishedMedia():
            throw MediaError(.unsupported, "nothing that the offer sends can be taken")
        case .whep where connection.slots.isEmpty:
            throw MediaError(.unsupported, "the offer receives nothing that can be sent")
        default: break
        }
        // A host may have muted it, before or meanwhile.
        let isMuted = catalog.participant(line.id)?.media.mutedByHost ?? false
        let off = line.missedMutes
        let state = MediaState(
            audio: sends.audio && !isMuted, video: sends.video && !off.contains(.video),
            screen: sends.screen && !off.contains(.screen))
        try setMedia(ClientMessage.MediaStateChange(state), of: line.id, in: meeting)
        line.resource = WHIPResource(
            stream: request.stream, token: request.token,
            entityTag: freshTag(), offer: OneWayOffer(request.sdp, for: request.stream), subject: request.subject)
        let isNew = !line.isSeen
        line.publication = connection.publication
        try appear(line, in: meeting)
        publish(line.id, in: meeting)
        logger.info(
            isNew ? "participant joined" : "participant resumed",
            metadata: [
                "meeting_id": "\(meeting)", "participant_id": "\(line.id)", "protocol": "\(request.stream)",
            ])
    }

    /// The participant has no media any more. A place that nobody saw waits for another offer.
    private func giveUp(_ line: SignalingLine) async {
        if line.isSeen {
            try? await leave(line.id, reason: .lost)
        } else {
            await media.disconnect(line.id)
        }
    }

    /// - Throws: `participantNotFound` also for a participant with a socket.
    func resource(_ id: ParticipantID, in meeting: MeetingID, _ stream: StreamProtocol) throws -> WHIPResource {
        guard catalog.meetingID(of: id) == meeting, let resource = lines[id]?.resource, resource.stream == stream else {
            throw MeetingError.participantNotFound
        }
        return resource
    }

    /// Begins ICE anew with the client's credentials (RFC 9725 section 4.3.3): media goes on meanwhile.
    ///
    /// - Returns: ours, and the resource as it is from then on.
    /// - Throws: `Problem` 409 `replaced`; `MediaError`.
    func restartICE(
        _ id: ParticipantID, in meeting: MeetingID, _ stream: StreamProtocol, ufrag: String, password: String
    ) async throws -> (answer: String, resource: WHIPResource) {
        var resource = try resource(id, in: meeting, stream)
        let tag = resource.entityTag
        resource.offer = resource.offer.restarted(ufrag: ufrag, password: password)
        let answer = try await media.restart(id, resource.offer.text)
        guard let line = lines[id], line.resource?.entityTag == tag else {
            throw Problem(409, "replaced", "Another offer came meanwhile.")
        }
        resource.entityTag = freshTag()
        line.resource = resource
        return (answer, resource)
    }

    /// A strong one (RFC 9110 section 8.8.3).
    private func freshTag() -> String { "\"\(Secret.random(length: 20, using: &generator))\"" }

    /// Those that play one who left have nothing to play any more.
    func endPlayers(of source: ParticipantID, in meeting: MeetingID) async {
        for player in feeds[meeting]?.lines.filter({ $0.resource?.source == source }) ?? [] {
            try? await leave(player.id, reason: .left)
        }
    }
}

extension ClientMessage.MediaStateChange {
    /// All that a stream can say.
    fileprivate init(_ state: MediaState) { self.init(audio: state.audio, video: state.video, screen: state.screen) }
}
