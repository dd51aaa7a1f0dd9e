/// What hosts may do, and what is left to the others.
extension Meeting {
    /// - Throws: `participantNotFound` (also of a target who is not seen), `forbidden` without the host controls, of a co-host
    ///   against a host and against oneself, `lastHost`, `webinarRole` of a role that other meetings have,
    ///   `attendeeMedia` where one is asked to speak who only watches.
    public func check(_ order: HostOrder, by actor: ParticipantID) throws(MeetingError) {
        try requireControls(actor)
        guard let id = order.target else { return }
        guard let target = participants[id], target.presence.isVisible else { throw .participantNotFound }
        let isHost = participants[actor]?.role == .host
        if case .setRole(_, let role) = order {
            // Co-hosts bring people on the panel, too.
            guard isHost || plan.settings.webinar && !role.controls && !target.role.controls else { throw .forbidden }
            guard role.exists(inWebinar: plan.settings.webinar) else { throw .webinarRole }
            if leavesNoHost(id, role) { throw .lastHost }
            return
        }
        guard id != actor, isHost || target.role != .host else { throw .forbidden }
        if case .askUnmute = order, target.role == .attendee { throw .attendeeMedia }
    }

    private func leavesNoHost(_ id: ParticipantID, _ role: Role) -> Bool {
        role != .host && participants[id]?.role == .host
            && !participants.values.contains { $0.id != id && $0.role == .host && $0.presence.isVisible }
    }

    /// The co-host who becomes the host when there is none any more: the one who is here longest.
    public var heir: ParticipantID? {
        guard !participants.values.contains(where: { $0.role == .host }) else { return nil }
        return participants.values.lazy.filter { $0.role == .coHost && $0.presence.isVisible }
            .min { $0.arrival < $1.arrival }?.id
    }

    /// Somebody is silenced by a host.
    mutating func mute(_ id: ParticipantID, _ source: HostOrder.Source) throws(MeetingError) {
        guard var participant = participants[id] else { throw .participantNotFound }
        participant.media.mute(source)
        if source == .audio { participant.mayUnmute = false }
        put(participant)
    }

    mutating func allowUnmute(_ id: ParticipantID) throws(MeetingError) {
        guard var participant = participants[id] else { throw .participantNotFound }
        participant.mayUnmute = true
        put(participant)
    }

    mutating func setRole(_ role: Role, of id: ParticipantID) throws(MeetingError) {
        guard var participant = participants[id] else { throw .participantNotFound }
        participant.role = role
        if role == .attendee {
            participant.media = participant.media.withheld()
            participant.mayUnmute = false
        }
        put(participant)
    }

    // MARK: What is left to the others

    /// Whether the participant may open its microphone by itself.
    func mayUnmute(_ participant: Participant) -> Bool {
        plan.settings.allowUnmute || participant.role.controls || participant.mayUnmute
    }

    /// What somebody comes in with, who says that it sends this: as a newcomer, or again. It does not undo what a host did
    /// meanwhile, and comes in muted where that is the rule.
    public func entering(with state: MediaState, _ id: ParticipantID, isNew: Bool) -> MediaState {
        if participants[id]?.role == .attendee { return state.withheld() }
        guard let participant = participants[id], state.audio, !participant.media.audio else { return state }
        let isMuted =
            participant.media.mutedByHost || isNew && plan.settings.muteOnEntry && !participant.role.controls
        guard isMuted || !mayUnmute(participant) else { return state }
        var state = state
        state.audio = false
        state.mutedByHost = true
        return state
    }

    // MARK: Who was removed

    /// As many addresses as are kept of those who were removed.
    public static let mostBarred = 64

    /// - Parameter address: as limits count by it.
    public func isBarred(_ address: String) -> Bool { barred.contains(address) }

    /// Nobody comes in from there any more but by the host key. The oldest is let go where there are too many.
    mutating func bar(_ address: String) {
        guard !address.isEmpty, !barred.contains(address) else { return }
        if barred.count == Self.mostBarred { barred.removeFirst() }
        barred.append(address)
    }
}
