/// A meeting and who is in it. A value: time and randomness are arguments, and nothing is told to anybody.
public struct Meeting: Sendable {
    public let id: MeetingID
    public internal(set) var number: MeetingNumber
    /// The service user that made it.
    public let owner: String
    public let createdAt: Timestamp
    /// Whoever shows it becomes host.
    public let hostKey: String
    public internal(set) var plan: MeetingPlan
    public internal(set) var password: PasswordHash?
    public internal(set) var isLocked = false
    public internal(set) var chat = ChatLog()
    public internal(set) var breakouts = Breakouts()
    public internal(set) var polls = PollBook()
    public internal(set) var questions = QuestionBook()
    /// Addresses of those whom a host has removed, the oldest first.
    var barred: [String] = []
    public private(set) var participants: [ParticipantID: Participant] = [:]
    /// Since when nobody is in it; nil while somebody is.
    public internal(set) var emptySince: Timestamp?
    private var arrivals = 0

    /// A meeting that nobody is in.
    init(_ record: MeetingRecord) {
        id = record.id
        number = record.number
        owner = record.owner
        createdAt = record.createdAt
        hostKey = record.hostKey
        plan = record.plan
        password = record.password
        emptySince = record.createdAt
    }

    /// All of it but who is in it, and whether it is locked.
    public var record: MeetingRecord {
        MeetingRecord(
            id: id, number: number, owner: owner, createdAt: createdAt, hostKey: hostKey, plan: plan, password: password
        )
    }

    public enum State: String, Sendable, Codable {
        /// Nobody is here.
        case waiting
        case active
    }

    public var state: State { emptySince == nil ? .active : .waiting }

    /// Whom the others see, in the order of joining.
    public var roster: [Participant] {
        participants.values.filter(\.presence.isVisible).sorted { $0.arrival < $1.arrival }
    }

    /// How many watch a webinar.
    public var attendeeCount: Int { participants.values.count { $0.role == .attendee && $0.presence.isVisible } }

    /// Lets somebody in; the others see it when it arrives with its socket.
    ///
    /// - Throws: `invalid` (the name), `wrongHostKey`, `passwordRequired`, `wrongPassword`, `locked`,
    ///   `hostNotHere`, `meetingFull`; `webinarRole` where there is no panel.
    mutating func join(
        _ request: JoinRequest, as id: ParticipantID, at now: Timestamp, within limits: Limits,
        by derive: PasswordHash.Derivation
    ) throws(MeetingError) -> Participant {
        let name = try Self.name(of: request, within: limits)
        if request.isPanelist, !plan.settings.webinar { throw .webinarRole }
        let role = try role(of: request, within: limits, by: derive)
        let waits = plan.settings.waitingRoom && !role.controls && !request.isVouched
        if role != .host {
            if isLocked { throw .locked }
            // Who is let in by a host waits for it.
            if !plan.settings.joinBeforeHost && !waits && !hostIsHere { throw .hostNotHere }
        }
        if waits { try requireRoomToWait(within: limits) } else { try requirePlace(for: role, within: limits) }
        arrivals += 1
        let participant = Participant(
            id: id, displayName: name, role: role, media: role == .attendee ? MediaState().withheld() : MediaState(),
            presence: .expected(until: now + limits.connectTime), arrival: arrivals, joinedAt: now,
            isAdmitted: !waits)
        participants[id] = participant
        if !waits { emptySince = nil }
        return participant
    }

    /// The name that the others see.
    ///
    /// - Throws: `invalid`.
    @discardableResult
    public static func name(of request: JoinRequest, within limits: Limits) throws(MeetingError) -> String {
        try Limits.line(request.displayName, field: "display_name", maximum: limits.displayName)
    }

    /// Which of the meeting's secrets the request shows, right or wrong; nil where it shows none.
    public func secret(shownBy request: JoinRequest) -> ShownSecret? {
        if request.isHost { return nil }
        if request.hostKey != nil { return .hostKey }
        return password != nil && request.password?.isEmpty == false ? .password : nil
    }

    /// The role that the request comes in with.
    ///
    /// - Throws: `wrongHostKey`, `passwordRequired`, `wrongPassword`.
    public func role(
        of request: JoinRequest, within limits: Limits, by derive: PasswordHash.Derivation
    ) throws(MeetingError) -> Role {
        if request.isHost { return .host }
        if let key = request.hostKey {
            guard Secret.equal(key.utf8, hostKey.utf8) else { throw .wrongHostKey }
            return .host
        }
        if let password {
            guard let given = request.password, !given.isEmpty else { throw .passwordRequired }
            guard given.utf8.count <= limits.password * 4, password.matches(given, by: derive) else {
                throw .wrongPassword
            }
        }
        guard plan.settings.webinar else { return .participant }
        return request.isPanelist ? .panelist : .attendee
    }

    /// The participant's socket is here, for the first time or again.
    ///
    /// - Throws: `participantNotFound`; `waitingRoom` for one who is not let in.
    mutating func arrive(_ id: ParticipantID) throws(MeetingError) -> Participant {
        guard var participant = participants[id] else { throw .participantNotFound }
        guard participant.isAdmitted else { throw .waitingRoom }
        participant.presence = .present
        participants[id] = participant
        return participant
    }

    /// The participant's socket is lost; it may come back until the grace is over.
    mutating func drop(_ id: ParticipantID, at now: Timestamp, within limits: Limits) {
        participants[id]?.presence = .dropped(until: now + limits.resumeTime)
    }

    mutating func leave(_ id: ParticipantID, at now: Timestamp) throws(MeetingError) -> Participant {
        guard let participant = participants.removeValue(forKey: id) else { throw .participantNotFound }
        breakouts.remove(id)
        if emptySince == nil, !participants.values.contains(where: \.isAdmitted) { emptySince = now }
        return participant
    }

    /// - Throws: `attendeeMedia`; `screenShareForbidden`, `screenShareTaken`: one screen at a time in a room;
    ///   `unmuteForbidden`.
    mutating func setMedia(_ state: MediaState, of id: ParticipantID) throws(MeetingError) {
        guard let participant = participants[id] else { throw .participantNotFound }
        if participant.role == .attendee {
            guard !state.audio, !state.video, !state.screen else { throw .attendeeMedia }
            participants[id]?.media = state.withheld()
            return
        }
        if state.screen && !participant.media.screen {
            if !plan.settings.allowScreenShare && !participant.role.controls { throw .screenShareForbidden }
            if screenIsTaken(beside: id) { throw .screenShareTaken }
        }
        if state.audio && !participant.media.audio && !mayUnmute(participant) { throw .unmuteForbidden }
        var state = state
        // What is closed and not its own to open is as if a host had closed it: nobody gets what it sends all the same.
        if state.audio { state.mutedByHost = false } else if !mayUnmute(participant) { state.mutedByHost = true }
        participants[id]?.media = state
    }

    /// - Throws: `participantNotFound`; `invalid` for what is not one emoji.
    mutating func react(_ id: ParticipantID, with text: String) throws(MeetingError) -> Reaction {
        guard var participant = participants[id] else { throw .participantNotFound }
        let reaction = try Reaction(text, after: participant.reaction)
        participant.reaction = reaction
        put(participant)
        return reaction
    }

    /// Takes what somebody who is here has become.
    mutating func put(_ participant: Participant) {
        if participants[participant.id] != nil { participants[participant.id] = participant }
    }

    /// - Throws: `participantNotFound`, `forbidden` unless the participant has the host controls.
    public func requireControls(_ id: ParticipantID) throws(MeetingError) {
        guard let participant = participants[id] else { throw .participantNotFound }
        guard participant.role.controls else { throw .forbidden }
    }

    // MARK: People at other PoPs

    /// What another PoP says of a participant: who is not here yet comes in, and who was here is there from now on.
    mutating func place(_ distant: DistantParticipant) -> Participant {
        var arrival = participants[distant.id]?.arrival
        if arrival == nil {
            arrivals += 1
            arrival = arrivals
        }
        let participant = Participant(
            id: distant.id, displayName: distant.displayName, role: distant.role, media: distant.media,
            presence: distant.isInterrupted ? .dropped(until: .distantFuture) : .present, arrival: arrival ?? 0,
            joinedAt: distant.joinedAt, isElsewhere: true, reaction: distant.reaction)
        participants[distant.id] = participant
        emptySince = nil
        return participant
    }

    /// Somebody who was at another PoP comes back at this one; the others go on seeing it.
    mutating func bringHere(_ id: ParticipantID, at now: Timestamp, within limits: Limits) throws(MeetingError)
        -> Participant
    {
        guard var participant = participants[id] else { throw .participantNotFound }
        participant.isElsewhere = false
        participant.presence = .dropped(until: now + limits.resumeTime)
        participants[id] = participant
        return participant
    }

    /// Participants of this PoP whose time has run out, in the order of joining.
    func overdue(at now: Timestamp) -> [ParticipantID] {
        participants.values
            .filter { participant in
                !participant.isElsewhere && (participant.presence.deadline.map { $0 <= now } ?? false)
            }
            .sorted { $0.arrival < $1.arrival }.map(\.id)
    }

    /// Whether nobody will miss it: an instant meeting that was empty for too long.
    func isForgotten(at now: Timestamp, within limits: Limits) -> Bool {
        guard plan.type == .instant, let emptySince else { return false }
        return emptySince + limits.emptyTime <= now
    }
}
