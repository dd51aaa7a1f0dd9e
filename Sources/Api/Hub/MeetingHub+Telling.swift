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

    /// Tells one participant at once, together with what waits for it.
    func tellNow(_ frame: ByteBuffer, _ id: ParticipantID) {
        guard let line = lines[id], line.isListening, let socket = line.socket, !socket.isClosing,
            let feed = catalog.meetingID(of: id).flatMap({ feeds[$0] })
        else { return }
        feed.append(frame, for: line)
        socket.send(feed.takeWaiting(for: line))
    }

    /// Has what was told sent when `gatherTime` has passed since the last time, and in half of it after a quiet time: what
    /// a change leads to on the media side, which takes a poll, goes with it.
    private func schedule(_ meeting: MeetingID, _ feed: MeetingFeed) {
        guard gatherTime > .zero, feed.gathered < ApiConfiguration.gatherLimit else { return flush(meeting) }
        guard !feed.isScheduled else { return }
        feed.isScheduled = true
        let rest = feed.lastFlush.map { $0 + gatherTime - clock.now } ?? .zero
        let wait = max(rest, gatherTime / 2)
        Task {
            try? await clock.sleep(for: wait)
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
