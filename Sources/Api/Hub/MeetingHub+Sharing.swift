import Agents
import Conference
import Fleet
import Meetings

/// What this PoP says of its participants and its meetings to the others.
extension MeetingHub {
    /// How long a Home may take to decide: a search for a lost one among it.
    private static let decisionPatience: Duration = .seconds(4)

    /// Says how a participant of this PoP is now, where that is new.
    func publish(_ id: ParticipantID, in meeting: MeetingID) {
        guard let sharing, let share = shares[meeting], let line = lines[id], line.isSeen, line.arrivingUntil == nil,
            let participant = catalog.participant(id), !participant.isElsewhere
        else { return }
        let known = share.copy.participants[id]
        let said = share.said[id]
        let isElsewhere = known.map { $0.place != sharing.instance } ?? false
        let moves = max(known?.moves ?? 0, said?.moves ?? 0) + (isElsewhere ? 1 : 0)
        let now = SharedParticipant(
            id: id, displayName: participant.displayName, role: participant.role, media: participant.media,
            pop: sharing.pop, instance: sharing.instance.instance, moves: moves,
            isInterrupted: participant.presence != .present,
            joinedAt: participant.joinedAt, resume: line.resource == nil ? ResumeToken.digest(line.resume) : [],
            publication: line.publication, reaction: participant.reaction)
        guard now != said else { return }
        // What a host's order has made of it all have heard by that.
        if share.asked[id] == nil, known?.asSaid == now {
            share.said[id] = now
        } else {
            say(now, in: share)
        }
    }

    private func say(_ participant: SharedParticipant, in share: MeetingShare) {
        guard let sharing else { return }
        share.said[participant.id] = participant
        share.asked[participant.id, default: 0] += 1
        let tag = requests.add(.participant(participant.id, share))
        if sharing.post(.request(.participant(participant), share.id, tag: tag)) { return }
        // It is said again each second until it is in the copy.
        _ = requests.take(tag)
        noteAnswer(to: participant.id, of: share)
    }

    /// Says that a participant of this PoP is gone.
    func retract(_ id: ParticipantID, in meeting: MeetingID) {
        guard let sharing, let share = shares[meeting], let said = share.said.removeValue(forKey: id) else { return }
        request(.left(id, from: sharing.pop, moves: said.moves), in: meeting)
    }

    /// What is said again until the copy has it: after a merge of two histories, or from a Home that lost it.
    func sayAgain(_ share: MeetingShare) {
        for said in share.said.values.sorted(by: { $0.id.rawValue < $1.id.rawValue })
        where share.asked[said.id] == nil && catalog.participant(said.id)?.isElsewhere == false {
            let known = share.copy.participants[said.id]?.asSaid
            guard known != said else { continue }
            if let known, known.moves > said.moves || known.place != said.place {
                // It was taken in somewhere else at once, or by the other side of a partition: it is where its socket is.
                if known.place != said.place, !known.isInterrupted, lines[said.id]?.socket == nil {
                    letMove(said.id, of: share)
                    place(known, of: share, nil)
                } else {
                    publish(said.id, in: share.id)
                }
            } else {
                say(said, in: share)
            }
        }
    }

    /// Asks for a change of which nobody awaits the end.
    func request(_ change: SharedChange, in meeting: MeetingID) {
        let tag = requests.add(.nobody)
        if sharing?.post(.request(change, meeting, tag: tag)) != true { _ = requests.take(tag) }
    }

    /// Asks the meeting's Home for a change, and waits until this PoP has it.
    ///
    /// - Throws: `Problem` 503 `home_unreachable`, and what the Home says.
    func decide(_ change: SharedChange, in meeting: MeetingID) async throws {
        guard let sharing else { return }
        let clock = clock
        let reason = await withCheckedContinuation { waiter in
            let tag = requests.add(.decision(waiter))
            guard sharing.post(.request(change, meeting, tag: tag)) else {
                _ = requests.take(tag)
                return waiter.resume(returning: Problem.homeUnreachable.code)
            }
            Task {
                try? await clock.sleep(for: Self.decisionPatience)
                await answer(tag, Problem.homeUnreachable.code)
            }
        }
        guard let reason else { return }
        throw Self.refusal(reason)
    }

    /// Ends a request; a second time nothing happens.
    func answer(_ tag: UInt64, _ reason: String?) async {
        switch requests.take(tag) {
        case nil, .nobody: break
        case .decision(let waiter): waiter.resume(returning: reason)
        case .participant(let id, let share):
            noteAnswer(to: id, of: share)
            if let reason { await undo(id, in: share, reason) }
        }
    }

    private func noteAnswer(to id: ParticipantID, of share: MeetingShare) {
        let rest = (share.asked[id] ?? 1) - 1
        share.asked[id] = rest > 0 ? rest : nil
    }

    private static func refusal(_ reason: String) -> Problem {
        let known: [MeetingError] = [
            .screenShareTaken, .locked, .meetingFull, .meetingNotFound, .participantNotFound, .lastHost, .removed,
            .breakoutOpen, .breakoutClosed, .breakoutNotFound,
            .pollNotFound, .pollClosed, .tooManyPolls, .pollFull, .tooManyQuestions, .questionAnswered, .inProgress,
        ]
        if let error = known.first(where: { $0.code == reason }) { return Problem(error) }
        return reason == Problem.homeUnreachable.code
            ? .homeUnreachable : Problem(409, "refused", "The meeting's Home refused.")
    }

    /// The Home did not take what this PoP said of its participant: two PoPs let in, or let share, whom only one may.
    private func undo(_ id: ParticipantID, in share: MeetingShare, _ reason: String) async {
        guard let participant = catalog.participant(id), !participant.isElsewhere, shares[share.id] === share else {
            return
        }
        if reason == MeetingError.screenShareTaken.code {
            guard participant.media.screen else { return }
            tell(ServerMessage.Failure(Self.refusal(reason)), id)
            var state = participant.media
            state.screen = false
            try? catalog.setMedia(state, of: id)
            lines[id]?.entry = []
            tell(ServerMessage.MediaStateChanged(id, state, turnedOff: [.screen]), of: participant, in: share.id)
            share.said[id]?.media.screen = false
            publish(id, in: share.id)
            await media.setMediaState(id, published(by: id))
        } else if share.copy.participants[id] == nil {
            let socket = lines[id]?.socket
            share.said[id] = nil
            guard (try? takeOut(id, reason: .left, keepsSocket: true)) != nil else { return }
            socket?.send(ServerMessage.Failure(Self.refusal(reason)))
            socket?.close(.normalClosure, reason)
            await endMedia(of: id, in: share.id)
        }
    }
}

/// A resume token as other PoPs know it: 160 random bits need no salt.
enum ResumeToken {
    static func digest(_ token: String) -> [UInt8] { Hash.digest(Array(token.utf8), .sha256) }
}
