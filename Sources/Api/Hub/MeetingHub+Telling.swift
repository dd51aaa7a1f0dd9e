import Meetings
import NIOCore

/// How participants hear of things.
extension MeetingHub {
    /// Tells everybody who is listening; what follows within `gatherTime` is sent together.
    func tell(_ message: some Encodable, everybodyIn meeting: MeetingID, but exception: ParticipantID? = nil) {
        var batch = SignalingBatch()
        tell(message, everybodyIn: meeting, but: exception, in: &batch)
        batch.send()
    }

    func tell(
        _ message: some Encodable, everybodyIn meeting: MeetingID, but exception: ParticipantID? = nil,
        in batch: inout SignalingBatch
    ) {
        guard let feed = feeds[meeting], !feed.lines.isEmpty else { return }
        feed.append(TextFrame.encode(message), but: exception)
        let now = clock.now
        guard let last = feed.lastFlush, now < last + gatherTime else { return flush(meeting, in: &batch) }
        guard !feed.isScheduled else { return }
        feed.isScheduled = true
        let wait = last + gatherTime - now
        Task {
            try? await clock.sleep(for: wait)
            flush(meeting)
        }
    }

    /// Sends what was gathered.
    func flush(_ meeting: MeetingID) {
        var batch = SignalingBatch()
        flush(meeting, in: &batch)
        batch.send()
    }

    private func flush(_ meeting: MeetingID, in batch: inout SignalingBatch) {
        guard let feed = feeds[meeting] else { return }
        feed.isScheduled = false
        guard !feed.isIdle else { return }
        feed.lastFlush = clock.now
        feed.flush(into: &batch)
    }

    /// Tells one participant, behind what happened before; nothing for one who is not listening.
    func tell(_ message: some Encodable, _ id: ParticipantID) {
        var batch = SignalingBatch()
        tell(TextFrame.encode(message), id, in: &batch)
        batch.send()
    }

    func tell(_ frame: ByteBuffer, _ id: ParticipantID, in batch: inout SignalingBatch) {
        guard let line = lines[id], line.isListening, let socket = line.socket, !socket.isClosing,
            let feed = catalog.meetingID(of: id).flatMap({ feeds[$0] })
        else { return }
        batch.add(feed.pending(for: line, then: frame), to: socket)
    }
}
