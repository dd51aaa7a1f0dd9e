import Conference
import Meetings
import NIOCore

/// What the media side tells.
extension MeetingHub {
    /// Takes what happened together.
    func take(_ updates: [MediaUpdate]) async {
        // Without a socket they are here for as long as their media is.
        var ended: [(ParticipantID, LeaveReason)] = []
        // Who leaves the stage leaves the same Slot of everybody: encoded once.
        var known: [[SlotAssignment]: ByteBuffer] = [:]
        for update in updates {
            switch update {
            case .slots(let id, let changed):
                guard let line = lines[id] else { continue }
                line.slotChanges += 1
                guard line.isListening else {
                    line.missedSlots = true
                    continue
                }
                let changed = present(changed)
                let frame = known[changed] ?? ServerMessage.slots(changed)
                known[changed] = frame
                tell(frame, id)
            case .slotSwitched(let id, let picture): tell(ServerMessage.SlotSwitched(picture), id)
            case .slotPaused(let id, let mid): tell(ServerMessage.SlotPaused(mid: mid), id)
            case .connected(let id):
                countConnected(id)
                endArrival(id)
            case .silent(let id): lines[id]?.isSilent = true
            case .heard(let id): lines[id]?.isSilent = false
            case .failed(let id, let reason):
                logger.info("media failed", metadata: ["participant_id": "\(id)", "reason": "\(reason.rawValue)"])
                tell(ServerMessage.Failure(Problem(503, "media_failed", reason.rawValue)), id)
                if let reason = end(of: id, by: reason) { ended.append((id, reason)) }
            case .activeSpeakers(let room, let speakers):
                tell(ServerMessage.ActiveSpeaker(participants: speakers.map(\.rawValue)), everybodyIn: room)
            case .layersWanted(let id, let wanted):
                guard let line = lines[id] else { continue }
                guard line.isListening else {
                    line.missedLayers = true
                    continue
                }
                // At once: somebody waits for a picture.
                tellNow(TextFrame.encode(ServerMessage.LayersWanted(wanted)), id)
            case .quality(let id, let quality):
                let message = ServerMessage.Quality(
                    participantId: id.rawValue, level: quality.level, layer: quality.layer,
                    estimateBitsPerSecond: quality.estimate)
                tell(message, id)
            }
        }
        for (id, reason) in ended { try? await leave(id, reason: reason) }
    }

    /// Notes that the participant's media is gone; answers why the participant is too, if it is.
    private func end(of id: ParticipantID, by failure: MediaFailure) -> LeaveReason? {
        guard let line = lines[id] else { return nil }
        line.isConnected = false
        line.publication = nil
        if let meeting = catalog.meetingID(of: id) { publish(id, in: meeting) }
        line.hasClosedMedia = failure == .closedByPeer
        if line.resource != nil { return .lost }
        // A page that goes away closes both, in either order.
        return line.wasWelcomed && line.socket == nil && line.hasClosedMedia ? .left : nil
    }

    /// The Slots as they may be told. Who left while they were on their way is in none, and the change follows. A newcomer
    /// may be in somebody's Slot before its own join is answered: the others hear of it first.
    func present(_ slots: [SlotAssignment]) -> [SlotAssignment] {
        slots.map { slot in
            guard let id = slot.participant else { return slot }
            guard let meeting = catalog.meetingID(of: id) else {
                return SlotAssignment(mid: slot.mid, participant: nil, source: slot.source)
            }
            if let line = lines[id], !line.isSeen { try? appear(line, in: meeting) }
            return slot
        }
    }

    private func countConnected(_ id: ParticipantID) {
        unattached.remove(id)
        medialess.remove(id)
        lines[id]?.isConnected = true
        lines[id]?.isSilent = false
        lines[id]?.hasClosedMedia = false
        // A token may lie about for minutes before somebody pastes it.
        guard let line = lines[id], line.resource == nil, !line.hasConnected,
            let joined = catalog.participant(id)?.joinedAt
        else { return }
        line.hasConnected = true
        joinSeconds.observe(clock.now.seconds - joined.seconds)
    }
}
