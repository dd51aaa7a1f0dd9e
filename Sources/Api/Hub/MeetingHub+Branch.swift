import Fleet
import Meetings

/// How this PoP comes to share a meeting with others, and stops.
extension MeetingHub {
    /// How long a joiner waits for a meeting's Home: three of the longest round trips on Earth, and a search for a lost one.
    static let openingPatience: Duration = .seconds(4)
    /// How long a meeting of another PoP stays after the last one here has left: who comes back finds it at once.
    static let branchLinger: Duration = .seconds(10)

    /// Shares a meeting that was made here.
    func share(_ meeting: Meeting, epoch: UInt64) {
        guard let sharing else { return }
        shares[meeting.id] = MeetingShare(meeting.id)
        sharing.post(.begin(meeting.id, meeting.number, epoch: epoch))
        request(.record(meeting.record), in: meeting.id)
    }

    /// Takes part in a meeting of another PoP, and waits until it is here.
    ///
    /// - Throws: `meetingNotFound` where it has ended; `Problem` 503 `home_unreachable`.
    func takePart(in id: MeetingID, number: MeetingNumber) async throws -> Meeting {
        guard let sharing else { throw MeetingError.meetingNotFound }
        wake(id)
        if catalog.meetings[id] == nil {
            if shares[id] == nil {
                shares[id] = MeetingShare(id)
                shares[id]?.unusedSince = clock.now
            }
            sharing.post(.open(id, number))
            try await opened(id)
        }
        guard let meeting = catalog.meetings[id] else { throw MeetingError.meetingNotFound }
        shares[id]?.unusedSince = clock.now
        return meeting
    }

    private func opened(_ id: MeetingID) async throws {
        let clock = clock
        let tag = openings.nextTag
        let timer = Task {
            try? await clock.sleep(for: Self.openingPatience)
            if !Task.isCancelled { openings.end(tag, in: id, with: .late) }
        }
        let outcome = await withCheckedContinuation { openings.add($0, in: id) }
        timer.cancel()
        switch outcome {
        case .here: break
        case .gone: throw MeetingError.meetingNotFound
        case .late: throw Problem.homeUnreachable
        }
    }

    /// The meeting is over here. A Home stays in the fleet until its Branches have left it.
    func giveBack(_ share: MeetingShare) {
        shares[share.id] = nil
        openings.endAll(in: share.id, with: .gone)
        sharing?.post(.peers([], share.id))
        sharing?.post(.close(share.id))
    }

    /// Each second: says again what a Home has lost, gives up those whose PoP is lost, and what nobody here is in.
    func sweepShares() {
        for share in shares.values.sorted(by: { $0.id.rawValue < $1.id.rawValue }) {
            guard let meeting = catalog.meetings[share.id] else {
                dropUnanswered(share)
                continue
            }
            sayAgain(share)
            noteUnheard(in: share)
            keepStandby(share)
            tellAlternates(share)
            if share.isHome {
                dismissLost(of: share)
                continue
            }
            if meeting.participants.values.contains(where: { !$0.isElsewhere }) {
                share.unusedSince = nil
            } else {
                let since = share.unusedSince ?? clock.now
                share.unusedSince = since
                let isUnused = share.isQuiet || clock.now - since >= Self.branchLinger
                if isUnused, !staysAsStandby(share) { drop(share) }
            }
        }
    }

    /// Nobody here is in it: it goes on elsewhere.
    func drop(_ share: MeetingShare) {
        forgetRemotes(of: share)
        _ = try? catalog.end(share.id)
        feeds[share.id] = nil
        if followed.removeValue(forKey: share.id) != nil { Task { await arrange(share.id) } }
        giveBack(share)
    }

    /// The media side lets go of all who are elsewhere.
    func forgetRemotes(of share: MeetingShare) {
        tellNoMedia(of: share)
        share.copy = SharedMeeting()
        share.entries = [:]
    }

    /// One whose Home was not reached in time, for nobody waits for it any more.
    private func dropUnanswered(_ share: MeetingShare) {
        guard !openings.isWaiting(for: share.id), let since = share.unusedSince,
            clock.now - since >= Self.branchLinger
        else { return }
        giveBack(share)
    }

    /// Of PoPs at which somebody is by the copy, whether they were ever linked to this one or not. One that is linked and no
    /// Branch has ended the meeting on its side of a partition.
    private func noteUnheard(in share: MeetingShare) {
        var still: [PoPInstance: Timestamp] = [:]
        for person in share.copy.participants.values {
            let place = person.place
            let isFollowing = !share.isHome || place == sharing?.instance || share.branches.contains(place.name)
            if !isHeard(place) || !isFollowing { still[place] = share.unheard[place] ?? clock.now }
        }
        share.unheard = still
    }

    /// A Home takes out those whose PoP has not been heard of for as long as one may be away who lost its socket.
    private func dismissLost(of share: MeetingShare) {
        for person in share.copy.roster {
            guard let since = share.unheard[person.place], clock.now - since >= catalog.limits.resumeTime else {
                continue
            }
            request(.left(person.id, from: person.pop, moves: person.moves), in: share.id)
        }
    }
}

extension Problem {
    static let homeUnreachable = Problem(
        503, "home_unreachable", "The PoP that leads this meeting cannot be reached just now.", retryAfter: 2)
}
