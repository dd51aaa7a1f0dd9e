import Meetings
import Store

/// What hosts have happen to others.
extension MeetingHub {
    /// - Throws: what `Meeting.check` throws; `Problem` 409 `not_joined`, 503 `home_unreachable`.
    func order(
        _ order: HostOrder, by id: ParticipantID, _ socket: any SignalingSocket, from address: String
    ) async throws {
        let (meeting, _) = try current(id, socket)
        let author = HostDecision.Author(.participant(id), from: address)
        try audited(.init(order), order.target, by: author, in: meeting) {
            try catalog.find(meeting.rawValue).check(order, by: id)
        }
        if shares[meeting] != nil { return try await decide(.order(order), in: meeting) }
        store?.note(HostDecision(.init(order), of: meeting, by: author, at: clock.now, target: order.target))
        await perform(order, in: meeting)
    }

    /// Says what participants without host controls may do from now on.
    ///
    /// - Throws: `participantNotFound`, `forbidden`; `Problem` as `change`.
    func allow(
        _ rights: ClientMessage.Rights, by id: ParticipantID, _ socket: any SignalingSocket, from address: String
    ) async throws {
        let (meeting, author) = try controls(.change, id, socket, from: address)
        var plan = try catalog.find(meeting.rawValue).plan
        plan.settings = rights.applied(to: plan.settings)
        _ = try await change(meeting, to: plan, password: nil, by: author)
    }

    // MARK: Who may

    /// Lines of the audit trail of what one participant may not decide, at once and per second.
    static let refusalBurst = 10
    static let refusalsPerSecond = 0.1

    /// The meeting of somebody who has its host controls, and who that is for the audit trail.
    ///
    /// - Throws: `forbidden`; `Problem` 409 `not_joined`.
    func controls(
        _ action: HostDecision.Action, _ id: ParticipantID, _ socket: any SignalingSocket, from address: String,
        target: ParticipantID? = nil
    ) throws -> (MeetingID, HostDecision.Author) {
        let (meeting, _) = try current(id, socket)
        let author = HostDecision.Author(.participant(id), from: address)
        try audited(action, target, by: author, in: meeting) { try catalog.find(meeting.rawValue).requireControls(id) }
        return (meeting, author)
    }

    /// Looks whether somebody may decide this; the audit trail hears of one who may not.
    private func audited(
        _ action: HostDecision.Action, _ target: ParticipantID?, by author: HostDecision.Author,
        in meeting: MeetingID, _ check: () throws -> Void
    ) throws {
        do {
            try check()
        } catch MeetingError.forbidden {
            noteRefusal(of: action, target, by: author, in: meeting)
            throw MeetingError.forbidden
        }
    }

    /// Somebody wants to decide what it may not. Who does so all the time does not fill the disk.
    func noteRefusal(
        of action: HostDecision.Action, _ target: ParticipantID? = nil, by author: HostDecision.Author,
        in meeting: MeetingID
    ) {
        guard let store, case .participant(let id) = author.actor, let line = lines[id],
            line.refusals.take(burst: Self.refusalBurst, perSecond: Self.refusalsPerSecond, at: clock.now) == nil
        else { return }
        store.note(HostDecision(action, of: meeting, by: author, at: clock.now, target: target, isRefused: true))
    }

    // MARK: At the PoP of those to whom it happens

    /// Does what of a meeting's orders is new for a participant of this PoP.
    func obey(_ orders: HostOrders, _ line: SignalingLine, in meeting: MeetingID) async {
        guard let participant = catalog.participant(line.id) else { return }
        let news = orders.news(since: line.orders, for: line.id, with: participant.role)
        line.orders = orders
        for order in news { await perform(order, in: meeting) }
    }

    /// Does it to participants of this PoP; the others' PoPs do it to theirs.
    func perform(_ order: HostOrder, in meeting: MeetingID) async {
        switch order {
        case .remove(let id): await remove(id, from: meeting)
        case .mute(let id, let source): await mute(id, source, in: meeting)
        case .muteAll:
            let others = catalog.meetings[meeting]?.roster.filter { !$0.role.controls && $0.role != .attendee } ?? []
            for participant in others { await mute(participant.id, .audio, in: meeting) }
        case .askUnmute(let id, let host):
            guard (try? catalog.allowUnmute(id)) != nil else { return }
            if lines[id]?.isListening == false { lines[id]?.missedAsk = host }
            tell(ServerMessage.UnmuteAsked(participantId: host.rawValue), id)
        case .setRole(let id, let role):
            setRole(role, of: id, in: meeting)
            if role == .attendee { await media.setMediaState(id, published(by: id)) }
        }
    }

    func mute(_ id: ParticipantID, _ source: HostOrder.Source, in meeting: MeetingID) async {
        guard let before = catalog.participant(id), !before.isElsewhere, (try? catalog.mute(id, source)) != nil,
            let now = catalog.participant(id), now.media != before.media
        else { return }
        lines[id]?.entry = []
        if lines[id]?.isListening == false { lines[id]?.missedMutes.insert(source) }
        tell(ServerMessage.MediaStateChanged(id, now.media, turnedOff: [source]), of: now, in: meeting)
        publish(id, in: meeting)
        await media.setMediaState(id, published(by: id))
    }

    private func setRole(_ role: Role, of id: ParticipantID, in meeting: MeetingID) {
        guard let known = catalog.participant(id), !known.isElsewhere, known.role != role,
            (try? catalog.setRole(role, of: id)) != nil, let now = catalog.participant(id)
        else { return }
        store?.noteRole(role, of: id, at: clock.now)
        if let line = lines[id] {
            line.entry = []
            setSeat(of: line, to: role, in: meeting)
        }
        tellTurnedOff(of: now, before: known.media, in: meeting)
        tellRole(of: now, before: known.role, in: meeting)
        if let line = lines[id] {
            if !known.role.controls {
                tellWaiting(to: line, in: meeting)
                tellPolls(to: line, in: meeting)
            }
            tellSeat(of: line, before: known.role, now: role, in: meeting)
        }
        publish(id, in: meeting)
    }

    /// Tells what a role has silenced of somebody.
    private func tellTurnedOff(of now: Participant, before: MediaState, in meeting: MeetingID) {
        let off = HostOrder.Source.allCases.filter { before.has($0) && !now.media.has($0) }
        guard !off.isEmpty else { return }
        if lines[now.id]?.isListening == false { lines[now.id]?.missedMutes.formUnion(off) }
        tell(ServerMessage.MediaStateChanged(now.id, now.media, turnedOff: off), of: now, in: meeting)
    }

    /// A host has removed somebody who is at this PoP: its place is gone, and it does not come in again from its address.
    func remove(_ id: ParticipantID, from meeting: MeetingID) async {
        guard let participant = catalog.participant(id), !participant.isElsewhere else { return }
        let line = lines[id]
        // Behind one address may be an office: who shares it with others here is not kept out by it.
        if let line,
            !lines.values.contains(where: { other in
                other !== line && other.isSeen && other.address == line.address
                    && catalog.meetingID(of: other.id) == meeting
            })
        {
            catalog.bar(line.address, from: meeting)
            if shares[meeting] != nil, !line.address.isEmpty { request(.barred(line.address), in: meeting) }
        }
        guard (try? takeOut(id, reason: .removed, keepsSocket: true)) != nil else { return }
        line?.socket?.send(ServerMessage.Removed(reason: .removed))
        line?.socket?.close(.normalClosure, "removed")
        await endMedia(of: id, in: meeting)
    }

    // MARK: When the last host goes

    /// The co-host who is here longest takes over; of a shared meeting its Home says so.
    func findHost(for meeting: MeetingID) {
        guard let heir = catalog.meetings[meeting]?.heir else { return }
        guard let share = shares[meeting] else { return setRole(.host, of: heir, in: meeting) }
        if share.isHome, share.copy.participants[heir]?.role == .coHost {
            request(.order(.setRole(heir, .host)), in: meeting)
        }
    }
}
