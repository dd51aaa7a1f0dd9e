import Fleet
import Meetings

/// How a participant of another PoP comes to this one.
extension MeetingHub {
    /// How long it stays the others' at its former PoP while its media is on its way here.
    private static let arrivalPatience: Duration = .seconds(5)

    /// Gives a participant of another PoP its place at this one, for whom it shows its resume token. The others go on getting
    /// its media from there, where it still is, until its media is here.
    ///
    /// - Throws: `Problem` 403 `resume_invalid`, 409 `resume_expired`, 503; `meetingNotFound`.
    func takeBack(_ id: ParticipantID, in meeting: MeetingID, resume: String, _ arrival: Arrival) async throws
        -> Participant
    {
        guard sharing != nil else {
            throw Problem.unauthorized("token_invalid", "The session token is not valid.")
        }
        _ = try await find(meeting.rawValue)
        // It may be back by another socket meanwhile.
        if let participant = catalog.participant(id), !participant.isElsewhere {
            // Nobody has checked the session token: a place that waits for its first socket has no other secret.
            guard let line = lines[id], Secret.equal(line.resume.utf8, resume.utf8) else { throw Problem.resumeInvalid }
            return participant
        }
        guard let person = shares[meeting]?.copy.participants[id] else {
            throw Problem(409, "resume_expired", "The place was given up; join again.")
        }
        guard !person.resume.isEmpty, Secret.equal(ResumeToken.digest(resume), person.resume) else {
            throw Problem.resumeInvalid
        }
        try admission.admit(
            isDraining: !drain.acceptsNewcomers, participants: peopleCount, isHost: person.role == .host)
        wake(meeting)
        let participant = try catalog.bringHere(id, at: clock.now)
        let line = SignalingLine(participant, resume: resume)
        line.wasWelcomed = true
        line.isSeen = true
        line.address = arrival.address
        line.orders = person.orders
        if person.orders.isAsked == true { try catalog.allowUnmute(id) }
        // At a PoP that is gone nobody gets anything of it.
        line.arrivingUntil = isHeard(person.place) ? clock.now + Self.arrivalPatience : nil
        lines[id] = line
        let feed = feeds[meeting] ?? MeetingFeed()
        feeds[meeting] = feed
        feed.add(line)
        medialess.add(id, in: meeting, of: person.role == .host ? nil : arrival.address, at: clock.now)
        if line.arrivingUntil == nil { settle(id, in: meeting) }
        logger.info(
            "participant came from another PoP",
            metadata: ["meeting_id": "\(meeting)", "participant_id": "\(id)", "pop": "\(person.pop)"])
        return participant
    }

    /// Whether the PoP is linked, and has not been started anew.
    func isHeard(_ pop: PoPInstance) -> Bool { pop == sharing?.instance || linked[pop.name] == pop.instance }

    /// Whether a participant that this PoP knew is elsewhere now, or may be.
    func mustTakeBack(_ id: ParticipantID) -> Bool {
        sharing != nil && catalog.participant(id)?.isElsewhere != false
    }

    /// Its media is here: from now on all take it from this PoP.
    func endArrival(_ id: ParticipantID) {
        guard let line = lines[id], line.arrivingUntil != nil, let meeting = catalog.meetingID(of: id) else { return }
        line.arrivingUntil = nil
        settle(id, in: meeting)
    }

    /// Somebody goes whose media has not come here: it is where it was before, as long as that PoP has it.
    ///
    /// - Returns: whether it is.
    func giveUpArrival(of id: ParticipantID, in meeting: MeetingID) -> Bool {
        guard lines[id]?.arrivingUntil != nil, let share = shares[meeting], let before = catalog.participant(id) else {
            return false
        }
        guard let person = share.copy.participants[id], (try? catalog.place(person.distant, in: meeting)) != nil else {
            sharing?.post(.remote(id, meeting, nil))
            return false
        }
        share.entries[id] = nil
        if before.media != person.media {
            tell(ServerMessage.MediaStateChanged(id, person.media), of: before, in: meeting, isItsDoing: true)
        }
        if before.role != person.role, let now = catalog.participant(id) {
            tellRole(of: now, before: before.role, in: meeting)
        }
        return true
    }

    private func settle(_ id: ParticipantID, in meeting: MeetingID) {
        sharing?.post(.remote(id, meeting, nil))
        publish(id, in: meeting)
    }

    /// Those without media, each second.
    func endArrivals() {
        for line in lines.values where line.arrivingUntil.map({ $0 <= clock.now }) ?? false { endArrival(line.id) }
    }
}

extension Problem {
    static let resumeInvalid = Problem(403, "resume_invalid", "The resume token is not of this participant.")
}
