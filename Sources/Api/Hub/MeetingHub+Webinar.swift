import Meetings

/// Webinars: how people come on the panel, and who hears of attendees.
extension MeetingHub {
    /// Brings an attendee on the panel, or has somebody watch from now on.
    ///
    /// - Parameter role: `panelist` or `attendee`.
    /// - Throws: `notWebinar`, and as `order`.
    func seat(
        _ id: ParticipantID, as role: Role, by host: ParticipantID, _ socket: any SignalingSocket, from address: String
    ) async throws {
        let (meeting, _) = try current(host, socket)
        let home = try catalog.find(meeting.rawValue)
        guard home.plan.settings.webinar else { throw MeetingError.notWebinar }
        // It is on the panel already, or above it.
        if role == .panelist, let known = home.participants[id], known.role != .attendee {
            return try home.requireControls(host)
        }
        try await order(.setRole(id, role), by: host, socket, from: address)
    }

    /// Whoever came while the meeting became another kind of meeting gets a role of that.
    func reseat(_ meeting: MeetingID) async {
        guard let home = catalog.meetings[meeting] else { return }
        let isWebinar = home.plan.settings.webinar
        for person in home.participants.values where !person.role.exists(inWebinar: isWebinar) {
            await perform(.setRole(person.id, isWebinar ? .attendee : .participant), in: meeting)
        }
    }

    // MARK: Who hears of whom

    /// Tells everybody who knows of the participant: of an attendee hosts alone, and itself.
    ///
    /// - Parameter isItsDoing: it knows already.
    func tell(
        _ message: some Encodable, of participant: Participant, in meeting: MeetingID, isItsDoing: Bool = false
    ) {
        guard participant.role == .attendee else {
            return tell(message, everybodyIn: meeting, but: isItsDoing ? participant.id : nil)
        }
        tell(message, .hosts, but: participant.id, in: meeting)
        if !isItsDoing { tell(message, participant.id) }
    }

    /// Tells of a participant whose role was another one: to some it comes or goes by that.
    func tellRole(of participant: Participant, before: Role, in meeting: MeetingID) {
        let update = ServerMessage.ParticipantUpdate(participantId: participant.id.rawValue, role: participant.role)
        guard (participant.role == .attendee) != (before == .attendee) else {
            return tell(update, of: participant, in: meeting)
        }
        tell(update, .hosts, but: participant.id, in: meeting)
        tell(update, participant.id)
        if before == .attendee {
            let message = ServerMessage.ParticipantJoined(participant: person(participant, in: meeting))
            tell(message, [.panel, .attendees], but: participant.id, in: meeting)
        } else {
            let message = ServerMessage.ParticipantLeft(participantId: participant.id.rawValue, reason: .demoted)
            tell(message, [.panel, .attendees], but: participant.id, in: meeting)
        }
    }

    /// Gives a line its seat. What was told to those in its former one it gets still.
    func setSeat(of line: SignalingLine, to role: Role, in meeting: MeetingID) {
        let seat = Seats(role)
        guard line.seat != seat else { return }
        if feeds[meeting]?.hasSeatEvents == true { flush(meeting) }
        line.seat = seat
    }

    /// Tells one who has become a host of all who watch, and one who came on the panel of all questions.
    func tellSeat(of line: SignalingLine, before: Role, now: Role, in meeting: MeetingID) {
        guard let home = catalog.meetings[meeting], home.plan.settings.webinar else { return }
        if now.controls, !before.controls {
            let attendees = home.roster.filter { $0.role == .attendee && $0.id != line.id }
            tell(ServerMessage.Attendees(participants: attendees.map { person($0, in: meeting) }), line.id)
        }
        if (now == .attendee) != (before == .attendee) { tellQuestions(to: line, in: meeting) }
    }

    /// Whether one in this role is told of the participant.
    func isShown(_ participant: Participant, to role: Role) -> Bool { participant.role != .attendee || role.controls }

    /// Each second: how many watch, where that is new.
    func sweepAudiences() {
        for (id, feed) in feeds {
            guard let meeting = catalog.meetings[id], meeting.plan.settings.webinar else { continue }
            let count = meeting.attendeeCount
            guard feed.attendees != count else { continue }
            feed.attendees = count
            tell(ServerMessage.Audience(attendees: count), everybodyIn: id, mayWait: true)
        }
    }
}
