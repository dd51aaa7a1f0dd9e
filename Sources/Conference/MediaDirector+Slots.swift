import Mailbox
import Meetings
import Wire

/// Who is in which Slot.
extension MediaDirector {
    /// Tells the meeting what the participant gives now.
    func updateSources(of participant: ParticipantID) {
        guard let member = members[participant], !member.isArriving else { return }
        let touched = meetings[room(of: participant, in: member.meeting)]?.update(
            participant, serial: member.serial, gives: member.sources())
        touch(touched ?? [])
        followVoice(of: participant, in: member.meeting)
    }

    /// Puts viewers into the queue, in the order of joining.
    func touch(_ viewers: Set<ParticipantID>) {
        let due = viewers.compactMap { viewer in
            members[viewer].flatMap { $0.isQueued ? nil : (serial: $0.serial, viewer: viewer) }
        }
        for entry in due.sorted(by: { $0.serial < $1.serial }) {
            members[entry.viewer]?.isQueued = true
            queue.append(entry.viewer)
        }
    }

    /// Fills the Slots of those who wait longest, as many as one call may cost. Who is on a worker that does
    /// not keep up goes on waiting, at the end.
    func refresh() {
        let due = queue.prefix(options.refreshBudget)
        queue.removeFirst(due.count)
        for viewer in due {
            guard let member = members[viewer], member.isQueued else { continue }
            if workers[member.worker].isCongested {
                queue.append(viewer)
            } else {
                fill(viewer, isSilent: false)
            }
        }
    }

    /// Gives a viewer the Slots that it should have now.
    ///
    /// - Parameter isSilent: the change is not told; the signaling asks for the whole.
    func fill(_ viewer: ParticipantID, isSilent: Bool) {
        guard let member = members[viewer], let meeting = meetings[room(of: viewer, in: member.meeting)] else { return }
        member.isQueued = false
        var changed = fill(member, .video, in: meeting, isDue: false)
        // A voice follows its picture.
        changed += fill(member, .audio, in: meeting, isDue: !changed.isEmpty)
        changed += fill(member, .screen, in: meeting, isDue: false)
        if !isSilent, !changed.isEmpty {
            tell(.slots(viewer, changed.sorted().map { member.slots[$0].assignment }))
        }
    }

    /// Fills a viewer's Slots of one kind if the meeting changed, or if it is due.
    ///
    /// - Returns: those that changed, as places in the member's `slots`.
    private func fill(_ member: MediaMember, _ kind: MediaKind, in meeting: MediaMeeting, isDue: Bool) -> [Int] {
        let revision = meeting.revision(of: kind)
        guard isDue || member.filled[Int(kind.rawValue)] != revision else { return [] }
        member.filled[Int(kind.rawValue)] = revision
        let indices = member.slots.indices.filter { member.slots[$0].kind == kind }
        guard !indices.isEmpty else { return [] }
        var assigner = SlotAssigner(occupants: indices.map { member.slots[$0].source })
        let wanted = meeting.wanted(kind, for: member.id, count: indices.count)
        assigner.fill(
            with: wanted.filter { canShow($0, to: member.slots[indices[0]]) },
            places: kind == .audio ? member.voicePlaces : [:])
        let tiles = assigner.occupants.count { $0 != nil }
        var changed: [Int] = []
        for (index, occupant) in zip(indices, assigner.occupants) {
            let height = occupant.map { meeting.height(of: $0.participant, for: member.id, kind, tiles: tiles) } ?? 0
            let before = member.slots[index].source
            if !put(occupant, into: &member.slots[index], height: height, on: member.worker) {
                member.filled[Int(kind.rawValue)] = nil
                starved.insert(member.id)
            }
            if member.slots[index].source != before { changed.append(index) }
        }
        return changed
    }

    /// Whether the viewer negotiated the codec of the source's Track.
    private func canShow(_ source: SourceID, to slot: MemberSlot) -> Bool {
        let codec =
            publishingMember(source.participant)?.tracks[source.role]?.opening.codec
            ?? trunks.remotes[source.participant]?.publisher.publication.source(source.role)?.codec
        return codec.map { slot.payloadTypes[$0].hasMedia } ?? false
    }

    /// Maps the source's Track into the Slot, and lets go of what was there.
    ///
    /// - Returns: false when the worker has no place for a replica of the Track; the Slot is empty then.
    private func put(
        _ source: SourceID?, into slot: inout MemberSlot, height: UInt16, on worker: Int
    ) -> Bool {
        var track: PublishedTrack?
        var isRefused = false
        switch source.map({ supply(of: $0, for: worker) }) {
        case .track(let found): track = found
        case .full: isRefused = true
        case .later, nil: break
        }
        let source = isRefused ? nil : source
        let height = isRefused ? 0 : height
        let origin = track?.handle ?? .none
        guard origin != slot.origin || height != slot.maxHeight || source != slot.source else {
            return !isRefused
        }
        let old = slot
        slot.source = source
        slot.origin = origin
        slot.maxHeight = height
        var local = TrackHandle.none
        if let track {
            // A new height alone does not use the replica once more.
            let shown = origin == old.origin ? localHandle(of: origin, on: worker) : retain(track, on: worker)
            if let shown {
                local = shown
            } else {
                slot.source = nil
                slot.origin = .none
                slot.maxHeight = 0
                isRefused = true
            }
        }
        if isRefused { statistics.refusedReplicas += 1 }
        // It is mapped when its worker has it.
        if trunks.isPending(local) { local = .none }
        if !(local.isNone && old.origin.isNone) {
            workers[worker].send(.mapSlot(MapSlot(slot: slot.handle, track: local, maxHeight: slot.maxHeight)))
        }
        if old.origin != slot.origin {
            trunks.use(slot.origin)
            trunks.leave(old.origin, now: lastPoll)
            letGo(old.origin, on: worker, now: lastPoll)
        }
        return !isRefused
    }

    func localHandle(of origin: TrackHandle, on worker: Int) -> TrackHandle? {
        origin.worker == worker ? origin : replicas.replica(.init(origin: origin, worker: worker))
    }

    /// The Track itself, or its replica with one more user; nil when the worker has no place for one.
    private func retain(_ track: PublishedTrack, on worker: Int) -> TrackHandle? {
        guard track.handle.worker != worker else { return track.handle }
        let key = ReplicaLedger.Key(origin: track.handle, worker: worker)
        if let replica = replicas.retain(key) { return replica }
        guard let replica = workers[worker].tracks.take() else { return nil }
        replicas.insert(replica, for: key)
        workers[worker].send(.openTrack(track.replica(replica)))
        feeds.append(PendingFeed(key: key, replica: replica, after: nil))
        return replica
    }

    // MARK: who speaks

    /// Orders the speakers of every room in which somebody makes a sound.
    func orderSpeakers() {
        for room in sounding.sorted() {
            guard let change = meetings[room]?.tick(), let ranking = meetings[room]?.ranking else { continue }
            touch(change.touched)
            if change.speakersChanged {
                tell(.activeSpeakers(room, Array(ranking.participants.prefix(Self.speakersTold))))
            }
            if ranking.isQuiet { sounding.remove(room) }
        }
    }

    /// More speakers than this nobody looks at.
    private static var speakersTold: Int { 10 }
}
