import Meetings
import NIOCore

/// How participants hear of things.
extension MeetingHub {
    /// Tells everybody who is listening.
    func tell(_ message: some Encodable, everybodyIn meeting: MeetingID, but exception: ParticipantID? = nil) {
        guard let feed = feeds[meeting], !feed.lines.isEmpty else { return }
        feed.append(TextFrame.encode(message), but: exception)
        schedule(meeting, feed)
    }

    /// Tells one participant, behind what happened before; nothing for one who is not listening.
    func tell(_ frame: ByteBuffer, _ id: ParticipantID) {
        guard let line = lines[id], line.isListening, let meeting = catalog.meetingID(of: id), let feed = feeds[meeting]
        else { return }
        feed.append(frame, for: line)
        schedule(meeting, feed)
    }

    func tell(_ message: some Encodable, _ id: ParticipantID) { tell(TextFrame.encode(message), id) }

    /// Has what was told sent: after a quiet time when the hub has done what it is doing, else when `gatherTime` has
    /// passed since the last time.
    private func schedule(_ meeting: MeetingID, _ feed: MeetingFeed) {
        guard gatherTime > .zero else { return flush(meeting) }
        guard !feed.isScheduled else { return }
        feed.isScheduled = true
        let wait = feed.lastFlush.map { max(.zero, $0 + gatherTime - clock.now) } ?? .zero
        Task {
            if wait > .zero { try? await clock.sleep(for: wait) }
            flush(meeting)
        }
    }

    /// Sends what was told.
    func flush(_ meeting: MeetingID) {
        guard let feed = feeds[meeting] else { return }
        feed.isScheduled = false
        guard !feed.isIdle else { return }
        feed.lastFlush = clock.now
        var batch = SignalingBatch()
        feed.flush(into: &batch)
        batch.send()
    }
}
