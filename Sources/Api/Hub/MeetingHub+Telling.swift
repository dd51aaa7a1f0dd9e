import Meetings
import NIOCore

/// How participants hear of things.
extension MeetingHub {
    /// In a meeting of so many, what may wait a little is gathered for longer: each write to all of them costs as much as a
    /// hundred messages.
    static let largeFeed = 100
    /// How much longer: times.
    static let patientGather = 5

    /// Tells everybody who is listening.
    ///
    /// - Parameter mayWait: nobody minds a quarter of a second.
    func tell(
        _ message: some Encodable, everybodyIn meeting: MeetingID, but exception: ParticipantID? = nil,
        mayWait: Bool = false
    ) {
        let audience = exception.map { MeetingFeed.Audience.everybodyBut($0) } ?? .everybody
        tell(message, audience, in: meeting, mayWait: mayWait)
    }

    /// Tells those in one room: all, where a meeting has one.
    func tell(_ message: some Encodable, everybodyIn room: MeetingRoom, mayWait: Bool = false) {
        let isOpen = catalog.meetings[room.meeting]?.breakouts.isOpen == true
        let isAll = room.breakout == nil && !isOpen
        tell(message, isAll ? .everybody : .room(room.breakout), in: room.meeting, mayWait: mayWait)
    }

    /// Tells those in these seats, but one.
    func tell(_ message: some Encodable, _ seats: Seats, but exception: ParticipantID?, in meeting: MeetingID) {
        tell(message, .seats(seats, but: exception), in: meeting, mayWait: false)
    }

    private func tell(
        _ message: some Encodable, _ audience: MeetingFeed.Audience, in meeting: MeetingID, mayWait: Bool
    ) {
        guard let feed = feeds[meeting], !feed.lines.isEmpty else { return }
        feed.append(TextFrame.encode(message), for: audience)
        schedule(meeting, feed, times: mayWait && feed.lines.count >= Self.largeFeed ? Self.patientGather : 1)
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
    ///
    /// - Parameter times: so many times as long.
    private func schedule(_ meeting: MeetingID, _ feed: MeetingFeed, times: Int = 1) {
        guard gatherTime > .zero, feed.gathered < ApiConfiguration.gatherLimit else { return flush(meeting) }
        let gatherTime = gatherTime * times
        let rest = feed.lastFlush.map { $0 + gatherTime - clock.now } ?? .zero
        let wait = max(rest, gatherTime / 2)
        let due = clock.now + wait
        if let next = feed.nextFlush, next <= due { return }
        feed.nextFlush = due
        Task {
            try? await clock.sleep(for: wait)
            // Something that may not wait came meanwhile, and took this with it.
            if feed.nextFlush == due { flush(meeting) }
        }
    }

    /// Sends what was told.
    func flush(_ meeting: MeetingID) {
        guard let feed = feeds[meeting] else { return }
        feed.nextFlush = nil
        guard !feed.isIdle else { return }
        feed.lastFlush = clock.now
        var batch = SignalingBatch()
        feed.flush(into: &batch)
        batch.send()
    }
}
