import Meetings

/// How the node is emptied: who is inside is told, stays, and is let go at the deadline.
extension MeetingHub {
    /// Tells everybody inside what the drain wants of them now, and ends one that has nobody to wait for.
    func take(_ change: Drain.State) async {
        let message = migration(change)
        moving = []
        if change.phase == .draining, change.target == nil, message.signalingUrl != nil {
            moving = lines.values.filter { $0.socket != nil }.sorted { $0.arrival < $1.arrival }.map(\.id)
            moveNext()
        } else {
            for meeting in feeds.keys { tell(message, everybodyIn: meeting) }
        }
        logger.notice(
            change.phase == .serving ? "drain taken back" : "draining",
            metadata: [
                "participants": "\(catalog.participantCount)", "deadline_s": "\(message.deadlineS ?? 0)",
                "stops": "\(change.isStopping)",
            ])
        await endDrainWhenDue()
    }

    /// Ends the drain when the node is empty, or at its deadline with all that still is inside.
    func endDrainWhenDue() async {
        let state = drain.state
        guard state.phase == .draining, let deadline = state.deadline else { return }
        let isLate = deadline <= clock.now
        guard isLate || isEmpty else { return }
        let left = catalog.participantCount
        if isLate {
            for meeting in catalog.meetings.values where !meeting.participants.isEmpty {
                if mayGoOn(meeting.id) {
                    await letGo(meeting)
                } else {
                    await finish(meeting.id, reason: .shutdown)
                }
            }
        }
        guard drain.finish() else { return }
        logger.notice("drained", metadata: ["participants_ended": "\(isLate ? left : 0)"])
    }

    // MARK: To other PoPs

    /// What a drain wants of a participant: where the fleet has other PoPs, to go to one of them.
    func migration(_ state: Drain.State) -> ServerMessage.Migrate {
        var message = ServerMessage.Migrate(state, at: clock.now)
        if state.phase == .draining { message.signalingUrl = message.signalingUrl ?? sharing?.alternates.first }
        return message
    }

    /// Each second: the next are told to go, a twentieth of all, so that nobody comes in a storm.
    func moveNext() {
        guard !moving.isEmpty else { return }
        let message = migration(drain.state)
        let step = max(Self.leastMoves, lines.count / 20)
        for id in moving.prefix(step) { tell(message, id) }
        moving.removeFirst(min(step, moving.count))
    }

    private static let leastMoves = 10

    /// Other PoPs have the meeting, and take this PoP's participants.
    func mayGoOn(_ meeting: MeetingID) -> Bool { shares[meeting] != nil && sharing?.alternates.isEmpty == false }

    /// Those of this PoP who have not moved lose it: their clients find another one, and their places are kept for a while.
    func letGo(_ meeting: Meeting) async {
        for participant in meeting.participants.values where !participant.isElsewhere {
            lines[participant.id]?.socket?.close(.goingAway, "drained")
            await media.disconnect(participant.id)
        }
    }

    /// Nobody is in a meeting of ours, nor relayed to one elsewhere. Who waits to be let in keeps no drain.
    private var isEmpty: Bool {
        let guests = catalog.meetings.values.reduce(0) { $0 + $1.guests.count }
        return catalog.participantCount == guests && !relay.isBusy(at: clock.now)
    }
}

extension ServerMessage {
    /// What a drain asks of a participant: to go to another PoP, or to know until when the meeting can go on here.
    struct Migrate: Encodable {
        enum Reason: String, Encodable {
            case drain
            /// The drain was taken back: stay.
            case cancelled
        }

        var type = "migrate"
        var reason: Reason
        var signalingUrl: String?
        var mediaServer: String?
        /// Seconds that are left; absent when the drain was taken back.
        var deadlineS: Int?

        init(_ state: Drain.State, at now: Timestamp) {
            reason = state.phase == .serving ? .cancelled : .drain
            signalingUrl = state.target?.signalingURL
            mediaServer = state.target?.mediaServer
            deadlineS = state.secondsLeft(at: now)
        }
    }
}
