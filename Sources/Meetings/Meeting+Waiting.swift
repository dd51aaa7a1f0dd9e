/// Those whom a host is to let in first: they have no place, and nobody but hosts hears of them.
extension Meeting {
    /// With a socket, in the order of coming.
    public var waiting: [Participant] {
        participants.values.filter { $0.presence == .waiting }.sorted { $0.arrival < $1.arrival }
    }

    /// Those too who have no socket at the moment, in the order of coming.
    public var guests: [Participant] {
        participants.values.filter { !$0.isAdmitted }.sorted { $0.arrival < $1.arrival }
    }

    /// Whether newcomers come in by themselves.
    public var isOpen: Bool {
        !plan.settings.waitingRoom && !isLocked && (plan.settings.joinBeforeHost || hostIsHere)
    }

    var hostIsHere: Bool { participants.values.contains { $0.role == .host && $0.presence.isVisible } }

    /// Its socket is here, and it waits.
    ///
    /// - Throws: `participantNotFound` of one who is admitted, too.
    mutating func wait(_ id: ParticipantID) throws(MeetingError) -> Participant {
        guard var participant = participants[id], !participant.isAdmitted else { throw .participantNotFound }
        participant.presence = .waiting
        put(participant)
        return participant
    }

    /// Its socket is gone; it may come back and wait on for as long as a socket may take.
    mutating func stopWaiting(_ id: ParticipantID, at now: Timestamp, within limits: Limits) {
        guard var participant = participants[id], participant.presence == .waiting else { return }
        participant.presence = .expected(until: now + limits.connectTime)
        put(participant)
    }

    /// It has a place from now on, and is expected to join.
    ///
    /// - Throws: `participantNotFound` of one who is admitted, too; `meetingFull`.
    mutating func admit(_ id: ParticipantID, at now: Timestamp, within limits: Limits) throws(MeetingError) {
        guard var participant = participants[id], !participant.isAdmitted else { throw .participantNotFound }
        try requirePlace(for: participant.role, within: limits)
        participant.isAdmitted = true
        participant.presence = .expected(until: now + limits.connectTime)
        participant.joinedAt = now
        put(participant)
        emptySince = nil
    }

    /// - Throws: `meetingFull`.
    func requirePlace(for role: Role, within limits: Limits) throws(MeetingError) {
        let places = plan.settings.places(within: limits) + (role == .host ? limits.hostPlaces : 0)
        guard participants.count >= places else { return }
        guard participants.values.count(where: \.isAdmitted) < places else { throw .meetingFull }
    }

    /// - Throws: `waitingRoomFull`.
    func requireRoomToWait(within limits: Limits) throws(MeetingError) {
        let count = participants.values.count { !$0.isAdmitted }
        guard count < limits.waitingRoom else { throw .waitingRoomFull }
    }
}
