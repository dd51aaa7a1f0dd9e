/// Those who wait for a host to let them in.
extension Meeting {
    /// In the order of coming.
    public var waiting: [Participant] {
        participants.values.filter { $0.presence == .waiting }.sorted { $0.arrival < $1.arrival }
    }

    /// Whether a host is to let it in first.
    public func mustWait(_ participant: Participant) -> Bool {
        !participant.isAdmitted && !participant.role.controls
            && (plan.settings.waitingRoom || participant.presence == .waiting)
    }

    /// Its socket is here, and it waits.
    ///
    /// - Throws: `participantNotFound`; `meetingFull` where as many wait as may.
    mutating func wait(_ id: ParticipantID, within limits: Limits) throws(MeetingError) -> Participant {
        guard var participant = participants[id] else { throw .participantNotFound }
        let others = participants.values.count { $0.presence == .waiting && $0.id != id }
        guard others < limits.waitingRoom else { throw .meetingFull }
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

    /// A host lets it in: it is expected to join.
    ///
    /// - Throws: `participantNotFound` for one who does not wait, or any more; `meetingFull`.
    mutating func admit(_ id: ParticipantID, at now: Timestamp, within limits: Limits) throws(MeetingError) {
        guard var participant = participants[id], participant.presence == .waiting else {
            throw .participantNotFound
        }
        try requirePlace(for: participant.role, within: limits)
        participant.isAdmitted = true
        participant.presence = .expected(until: now + limits.connectTime)
        participant.joinedAt = now
        put(participant)
    }

    /// - Throws: `meetingFull`. Who waits has no place yet.
    func requirePlace(for role: Role, within limits: Limits) throws(MeetingError) {
        let places = min(plan.settings.maxParticipants, limits.participants) + (role == .host ? limits.hostPlaces : 0)
        guard participants.count >= places else { return }
        guard participants.values.count(where: { $0.presence != .waiting }) < places else { throw .meetingFull }
    }
}
