import Meetings
import Store

/// What of the meetings lasts longer than the process. What is acknowledged was stored before; the rest follows behind, and
/// nobody's call waits for it.
extension MeetingHub {
    /// At the start: the meetings that had not ended.
    func restore(_ stored: [StoredMeeting]) {
        for meeting in stored {
            do {
                try catalog.restore(
                    meeting.record, isLocked: meeting.isLocked, chat: meeting.chat,
                    breakouts: Breakouts(after: meeting.lastBreakout), polls: meeting.polls, at: clock.now)
            } catch {
                logger.error(
                    "a stored meeting finds no place, and stays stored",
                    metadata: ["meeting_id": "\(meeting.record.id)", "error": "\(error.code)"])
            }
        }
        logger.notice("stored meetings are here again", metadata: ["meetings": "\(catalog.meetings.count)"])
    }

    /// Returns when a new meeting is stored; one that is not is taken out.
    ///
    /// - Throws: `Problem` 503 `store_unavailable`.
    func keep(_ meeting: Meeting, by author: HostDecision.Author?) async throws {
        guard let store else { return }
        do {
            try await store.keep(meeting.record, decision(.create, of: meeting.id, by: author))
        } catch {
            await finish(meeting.id, reason: .ended)
            throw Problem.storeUnavailable
        }
    }

    /// Changes a meeting once it is stored as it shall be.
    ///
    /// - Throws: `Problem` 503 `store_unavailable`, and the meeting is what it was.
    func change(
        _ meeting: Meeting, to record: MeetingRecord, by author: HostDecision.Author?
    ) async throws {
        if let store {
            lastChange += 1
            let change = lastChange
            do {
                try await store.change(
                    record, from: meeting.record, decision(.change, of: meeting.id, by: author))
            } catch {
                throw Problem.storeUnavailable
            }
            // Changes are stored in their order, and may be told in another.
            guard catalog.meetings[meeting.id] != nil, changes[meeting.id] ?? 0 < change else { return }
            changes[meeting.id] = change
        }
        catalog.setRecord(record)
    }

    /// Returns whether it is stored that the meeting has ended.
    func keepEnd(of meeting: MeetingID, by author: HostDecision.Author?) async -> Bool {
        guard let store else { return true }
        do {
            try await store.end(
                meeting, at: clock.now, reason: EndReason.ended.rawValue, decision(.end, of: meeting, by: author))
            return true
        } catch {
            return false
        }
    }

    func noteLock(_ isLocked: Bool, of meeting: MeetingID, by author: HostDecision.Author?) {
        store?.noteLock(isLocked, of: meeting, decision(isLocked ? .lock : .unlock, of: meeting, by: author))
    }

    /// Nil where nobody decided it, as tests do.
    private func decision(
        _ action: HostDecision.Action, of meeting: MeetingID, by author: HostDecision.Author?
    ) -> HostDecision? {
        author.map { HostDecision(action, of: meeting, by: $0, at: clock.now) }
    }

    /// Where this PoP alone let people go, as by a drain: the meeting goes on without them.
    func putBack(_ meeting: Meeting) {
        guard store != nil, !isStopping else { return }
        _ = try? catalog.restore(
            meeting.record, isLocked: meeting.isLocked, chat: meeting.chat,
            breakouts: Breakouts(after: meeting.breakouts.lastNumber), polls: meeting.polls, at: clock.now)
    }

    /// Those who were in a meeting that is over here.
    func noteLeaves(from meeting: Meeting, reason: EndReason) {
        guard let store else { return }
        for participant in meeting.roster where !participant.isElsewhere {
            store.noteLeave(participant.id, at: clock.now, reason: reason.rawValue)
        }
    }
}

extension Problem {
    static let storeUnavailable = Problem(
        503, "store_unavailable", "Meetings cannot be stored just now; nothing was changed.", retryAfter: 5)
    /// The end is in the Store's queue, and may be lost with the process.
    static let endNotStored = Problem(
        503, "store_unavailable", "The meeting has ended, but that is not stored yet: until then it may come back.",
        retryAfter: 5)
}
