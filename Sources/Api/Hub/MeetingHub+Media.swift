import Conference
import Meetings
import NIOCore

/// What the media side tells.
extension MeetingHub {
    /// Takes what happened together; it is sent together.
    func take(_ updates: [MediaUpdate]) {
        var batch = SignalingBatch()
        for update in updates { take(update, in: &batch) }
        batch.send()
    }

    private func take(_ update: MediaUpdate, in batch: inout SignalingBatch) {
        switch update {
        case .slots(let id, let changed):
            for slot in changed { introduce(slot.participant) }
            guard let line = lines[id], line.isListening else {
                lines[id]?.missedSlots = true
                return
            }
            tell(TextFrame.encode(ServerMessage.Slots(changed)), id, in: &batch)
        case .slotSwitched(let id, let picture):
            tell(TextFrame.encode(ServerMessage.SlotSwitched(picture)), id, in: &batch)
        case .connected(let id): countConnected(id)
        case .failed(let id, let reason):
            logger.info("media failed", metadata: ["participant_id": "\(id)", "reason": "\(reason)"])
            tell(TextFrame.encode(ServerMessage.Failure(Problem(503, "media_failed", reason))), id, in: &batch)
        case .activeSpeakers(let meeting, let speakers):
            tell(ServerMessage.ActiveSpeaker(participants: speakers.map(\.rawValue)), everybodyIn: meeting, in: &batch)
        case .quality(let id, let quality):
            let message = ServerMessage.Quality(
                participantId: id.rawValue, level: quality.level, layer: quality.layer,
                estimateBitsPerSecond: quality.estimate)
            tell(TextFrame.encode(message), id, in: &batch)
        }
    }

    /// A newcomer may be in somebody's Slot before its own join is answered: the others hear of it first.
    private func introduce(_ id: ParticipantID?) {
        guard let id, let line = lines[id], let meeting = catalog.meetingID(of: id),
            catalog.participant(id)?.presence.isVisible == false
        else { return }
        try? appear(line, in: meeting)
    }

    private func countConnected(_ id: ParticipantID) {
        guard let line = lines[id], !line.hasConnected, let joined = catalog.participant(id)?.joinedAt else { return }
        line.hasConnected = true
        joinSeconds.observe(clock.now.seconds - joined.seconds)
    }
}
