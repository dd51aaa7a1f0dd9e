import Conference
import Fleet
import Meetings

/// What the fleet says of meetings that this PoP shares, and how its participants hear of it.
extension MeetingHub {
    func take(_ news: SharedNews) async {
        switch news {
        case .copy(let id, let copy, let isHome, let branches):
            if isHome { wake(id) }
            shares[id]?.isHome = isHome
            shares[id]?.branches = branches
            await take(copy, of: id, isHome: isHome)
        case .done(let tag): await answer(tag, nil)
        case .refused(let tag, let reason): await answer(tag, reason)
        case .standby(let id, let number, let home): takeStandby(id, number, for: home)
        case .ended(let id):
            // Here it goes on, as by a partition: who ended it meant all.
            if catalog.meetings[id] != nil { request(.ended(.ended), in: id) }
        case .linked(let pop): linked[pop.name] = pop.instance
        case .unlinked(let pop): linked[pop] = nil
        }
    }

    private func take(_ copy: SharedMeeting, of id: MeetingID, isHome: Bool) async {
        guard let share = shares[id] else { return }
        guard let record = copy.record else {
            // Its Home was lost before it told anybody of the meeting: there is none.
            if isHome, openings.isWaiting(for: id) { return giveBack(share) }
            // A Home that was begun anew has it from whoever knows it.
            if let known = catalog.meetings[id] { request(.record(known.record), in: id) }
            return
        }
        if copy.ended != nil, catalog.meetings[id] == nil { return giveBack(share) }
        if catalog.meetings[id] == nil, (try? catalog.adopt(record)) == nil { return giveBack(share) }
        if let reason = copy.ended { return await finish(id, reason: reason) }
        let before = share.copy
        share.copy = copy
        follow(record, copy, of: share, before)
        await reseat(id)
        followChat(of: share, before)
        followPolls(of: share, before)
        followQuestions(of: share, before)
        var gone: [ParticipantID] = []
        for (known, person) in before.participants where copy.participants[known] == nil {
            if depart(person, of: share) { gone.append(known) }
        }
        for person in copy.roster where before.participants[person.id] != person {
            await follow(person, of: share, before.participants[person.id])
        }
        await follow(copy.breakouts, in: id)
        if copy.pops != before.pops { followPoPs(of: share, before.pops.count) }
        openings.endAll(in: id, with: .here)
        catalog.setBarred(copy.barred, of: id)
        if isHome { findHost(for: id) }
        // Those elsewhere are gone already.
        for removed in copy.removed where catalog.meetingID(of: removed) == id { await remove(removed, from: id) }
        for participant in gone.sorted(by: { $0.rawValue < $1.rawValue }) { await endPlayers(of: participant, in: id) }
    }

    private func follow(_ record: MeetingRecord, _ copy: SharedMeeting, of share: MeetingShare, _ before: SharedMeeting)
    {
        guard let meeting = catalog.meetings[share.id] else { return }
        let isChanged = meeting.isLocked != copy.isLocked || meeting.plan != record.plan
        catalog.setRecord(record)
        try? catalog.setLocked(copy.isLocked, share.id)
        guard isChanged, let meeting = catalog.meetings[share.id] else { return }
        tell(ServerMessage.MeetingUpdated(meeting: .init(meeting)), everybodyIn: share.id)
    }

    // MARK: Participants

    /// Somebody elsewhere came, changed, or moved.
    private func follow(_ person: SharedParticipant, of share: MeetingShare, _ before: SharedParticipant?) async {
        guard let sharing else { return }
        let known = catalog.participant(person.id)
        if person.place == sharing.instance {
            // It left while it was on its way.
            guard known != nil else {
                return request(.left(person.id, from: person.pop, moves: person.moves), in: share.id)
            }
            if let line = lines[person.id] { await obey(person.orders, line, in: share.id) }
            return
        }
        if known?.isElsewhere == false {
            // It is on its way here, or what it said last was before that.
            guard let line = lines[person.id], line.arrivingUntil == nil else { return }
            // Two sides of a partition had it: it is where its socket is.
            if person.isInterrupted, line.socket != nil { return publish(person.id, in: share.id) }
            guard person.moves > share.said[person.id]?.moves ?? 0 else { return }
            letMove(person.id, of: share)
        }
        place(person, of: share, before)
    }

    /// Has somebody elsewhere as its PoP says, and tells what is new.
    func place(_ person: SharedParticipant, of share: MeetingShare, _ before: SharedParticipant?) {
        let known = catalog.participant(person.id)
        guard let participant = try? catalog.place(person.distant, in: share.id) else { return }
        share.entries[person.id] = nil
        show(person, of: share, before)
        if known == nil {
            tell(
                ServerMessage.ParticipantJoined(participant: self.person(participant, in: share.id)),
                of: participant, in: share.id)
            return
        }
        // Before what it sends: to some it comes by its role.
        if let known, known.role != person.role { tellRole(of: participant, before: known.role, in: share.id) }
        if known?.media != person.media {
            tell(ServerMessage.MediaStateChanged(person.id, person.media), of: participant, in: share.id)
        }
        if let reaction = person.reaction, known?.reaction != reaction { tell(reaction, of: person.id, in: share.id) }
        if let before, before.isInterrupted != person.isInterrupted {
            let connection: ServerMessage.ParticipantUpdate.Connection =
                person.isInterrupted ? .interrupted : .connected
            tell(
                ServerMessage.ParticipantUpdate(participantId: person.id.rawValue, connection: connection),
                of: participant, in: share.id)
        }
    }

    /// Tells the media side what somebody elsewhere publishes.
    private func show(_ person: SharedParticipant, of share: MeetingShare, _ before: SharedParticipant?) {
        guard !share.isQuiet else { return }
        // At an earlier start of this PoP there is nothing to be had.
        // Nor of one who only watches.
        guard person.pop != sharing?.pop, person.role != .attendee, let publication = person.publication else {
            if before?.publication != nil, before?.role != .attendee {
                sharing?.post(.remote(person.id, share.id, nil))
            }
            return
        }
        let remote = RemotePublisher(
            pop: person.pop, feeder: feeder(from: person.pop, in: share), serial: UInt64(arrival(of: person.id)),
            publication: publication, state: person.published)
        sharing?.post(.remote(person.id, share.id, remote))
    }

    private func arrival(of id: ParticipantID) -> Int { catalog.participant(id)?.arrival ?? 0 }

    /// - Returns: whether somebody elsewhere is gone.
    private func depart(_ person: SharedParticipant, of share: MeetingShare) -> Bool {
        guard let participant = catalog.participant(person.id), participant.isElsewhere else { return false }
        _ = try? catalog.leave(person.id, at: clock.now)
        share.entries[person.id] = nil
        if !share.isQuiet { sharing?.post(.remote(person.id, share.id, nil)) }
        let isLost = person.isInterrupted || !isHeard(person.place)
        let reason: LeaveReason = share.copy.removed.contains(person.id) ? .removed : isLost ? .lost : .left
        tell(
            ServerMessage.ParticipantLeft(participantId: person.id.rawValue, reason: reason), of: participant,
            in: share.id)
        return true
    }

    /// A participant of this PoP is at another one now. Its session here ends when it closes it, or soon.
    func letMove(_ id: ParticipantID, of share: MeetingShare) {
        share.said[id] = nil
        unattached.remove(id)
        medialess.remove(id)
        guard let line = lines.removeValue(forKey: id) else { return }
        feeds[share.id]?.remove(line)
        line.socket?.send(ServerMessage.Removed(reason: .moved))
        line.socket?.close(.normalClosure, "moved")
        logger.info("participant moved", metadata: ["meeting_id": "\(share.id)", "participant_id": "\(id)"])
        let clock = clock
        Task {
            try? await clock.sleep(for: Self.farewell)
            if lines[id] == nil { await media.disconnect(id) }
        }
    }

    /// How long the session of one who moved may go on here, for those who still take its packets.
    private static let farewell: Duration = .seconds(3)

    // MARK: PoPs

    /// The PoPs of the meeting are others: so may be who feeds whom.
    private func followPoPs(of share: MeetingShare, _ before: Int) {
        guard let sharing, !share.isQuiet else { return }
        sharing.post(.peers(share.copy.pops.filter { $0 != sharing.pop }, share.id))
        guard max(share.copy.pops.count, before) > Topology.fanOut else { return }
        for person in share.copy.roster where person.pop != sharing.pop { show(person, of: share, person) }
    }

    /// Tells the media side all that it was not told while nobody here was in the meeting.
    func showAll(of share: MeetingShare) {
        followPoPs(of: share, 0)
        for person in share.copy.roster where person.place != sharing?.instance { show(person, of: share, nil) }
    }

    /// The media side lets go of all of a meeting that is elsewhere.
    func tellNoMedia(of share: MeetingShare) {
        guard let sharing, !share.isQuiet else { return }
        for id in share.copy.participants.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            sharing.post(.remote(id, share.id, nil))
        }
        sharing.post(.peers([], share.id))
    }

    /// From whom this PoP takes what is published at another.
    private func feeder(from pop: PoPName, in share: MeetingShare) -> PoPName {
        guard let sharing else { return pop }
        let pops = Set(share.copy.pops + [sharing.pop]).sorted()
        guard pops.count > Topology.fanOut + 1,
            let tree = Topology.tree(of: sharing.sites(of: pops), from: pop.rawValue, meeting: share.id.rawValue),
            let feeder = tree.upstream[sharing.pop.rawValue]
        else { return pop }
        return PoPName(feeder) ?? pop
    }
}
