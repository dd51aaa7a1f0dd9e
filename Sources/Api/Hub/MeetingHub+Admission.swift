import Fleet
import Meetings

/// How somebody comes in.
struct Arrival: Sendable {
    enum Way: Sendable {
        /// With its socket.
        case socket
        /// With an offer, to be here by its media alone.
        case media
        /// By a call that has a place kept for a socket or an offer to come.
        case call
    }

    var way: Way
    /// What limits by address count by.
    var address: String
    /// A service asked, which does so for many.
    var isVouched = false
    /// The PoPs that sent the client on.
    var via: [PoPName] = []
}

/// Who gets a place.
extension MeetingHub {
    /// Participants with a socket or media.
    var attachedCount: Int { catalog.participantCount - unattached.count }
    /// Of them, those who have or had media.
    var peopleCount: Int { attachedCount - medialess.count }

    /// Gives a newcomer a place; `attach` makes it seen. Hosts get one in a full meeting and on a full or busy node.
    ///
    /// - Throws: `MeetingError` (`removed` where a host has removed somebody of this address); `Problem` 429 `too_many_guesses` and `too_many_unattached`, 503, and instead of that 307
    ///   `elsewhere` where another PoP of a fleet that shares meetings has place.
    func admit(_ id: MeetingID, _ request: JoinRequest, _ arrival: Arrival) async throws -> Participant {
        do {
            return try await admitHere(id, request, arrival)
        } catch let problem as Problem where Admission.Reason(rawValue: problem.code) != nil {
            throw await way(for: arrival, to: id) ?? problem
        }
    }

    /// Where somebody may go for whom this PoP has no place.
    private func way(for arrival: Arrival, to id: MeetingID) async -> Problem? {
        guard sharing != nil, let fleet else { return nil }
        let gathered = shares[id]?.copy.pops ?? []
        let way = await fleet.way(
            for: arrival.address, via: arrival.via, gathered: gathered, among: Set(linked.keys))
        return way.map { .elsewhere($0, "This PoP has no place for you, another one of the fleet has.") }
    }

    private func admitHere(_ id: MeetingID, _ request: JoinRequest, _ arrival: Arrival) async throws -> Participant {
        let meeting = try catalog.find(id.rawValue)
        try Meeting.name(of: request, within: catalog.limits)
        let role = try role(of: request, in: meeting, arrival)
        try admission.admit(
            isDraining: !drain.acceptsNewcomers, participants: peopleCount, isHost: role == .host)
        // A service answers for its guests, and a host has shown the key.
        let isKnown = arrival.isVouched || role == .host
        if !isKnown, meeting.isBarred(arrival.address) { throw MeetingError.removed }
        let holder = isKnown ? nil : UnattachedPlaces.Holder(meeting: id, address: arrival.address)
        if arrival.way != .socket { try unattached.admit(holder, at: clock.now) }
        let spare = try spare(for: arrival.address, isHost: role == .host)
        let (participant, departed) = try take(id, request, arrival)
        wake(id)
        if arrival.way == .socket {
            medialess.add(participant.id, in: id, of: role == .host ? nil : arrival.address, at: clock.now)
            await endMedia(of: departed ?? spare.flatMap(giveWay))
        } else {
            unattached.add(participant.id, of: holder, until: clock.now + catalog.limits.connectTime)
            await endMedia(of: departed)
        }
        return participant
    }

    /// Makes a place that waited for its socket one of those that count.
    func admitSocket(_ participant: Participant, in meeting: MeetingID, of address: String) async throws {
        guard unattached.contains(participant.id) else { return }
        if unattached.isHeld(participant.id), catalog.meetings[meeting]?.isBarred(address) == true {
            throw MeetingError.removed
        }
        let isHost = participant.role == .host
        let spare = try spare(for: address, isHost: isHost)
        unattached.remove(participant.id)
        medialess.add(participant.id, in: meeting, of: isHost ? nil : address, at: clock.now)
        await endMedia(of: spare.flatMap(giveWay))
    }

    /// Who gives way to a newcomer with a socket; nil: the node has a place.
    private func spare(for address: String, isHost: Bool) throws -> ParticipantID? {
        guard attachedCount >= admission.places(isHost: isHost) else { return nil }
        guard let one = medialess.yielding(to: address, of: admission.places, at: clock.now) else {
            throw admission.refusal(.full)
        }
        return one
    }

    /// A place in the meeting. One that has waited for its participant gives way to one who is here, and one without media
    /// to anybody.
    private func take(
        _ id: MeetingID, _ request: JoinRequest, _ arrival: Arrival
    ) throws -> (Participant, Departed?) {
        func join() throws -> Participant {
            try catalog.join(id, request, at: clock.now, using: &generator, by: PasswordDerivation.digest)
        }
        do {
            return (try join(), nil)
        } catch MeetingError.meetingFull {
            if arrival.way == .socket, let oldest = oldestUnattached(in: id) {
                unattached.remove(oldest)
                _ = try catalog.leave(oldest, at: clock.now)
                return (try join(), nil)
            }
            let places = try catalog.find(id.rawValue).plan.settings.places(within: catalog.limits)
            guard let one = medialess.yielding(to: arrival.address, in: id, of: places, at: clock.now) else {
                throw MeetingError.meetingFull
            }
            let departed = giveWay(one)
            return (try join(), departed)
        } catch MeetingError.waitingRoomFull {
            guard arrival.way == .socket, let one = crowding(arrival.address, in: id) else {
                throw MeetingError.waitingRoomFull
            }
            let departed = giveWay(one)
            return (try join(), departed)
        }
    }

    /// Who gives up its place in a full waiting room to a newcomer of `address`: the last of the end site that has most,
    /// where that has two more than the newcomer's.
    private func crowding(_ address: String, in meeting: MeetingID) -> ParticipantID? {
        var guests: [String: [Participant]] = [:]
        for guest in catalog.meetings[meeting]?.guests ?? [] {
            guard let line = lines[guest.id] else { continue }
            guests[EndSite.of(line.address), default: []].append(guest)
        }
        let own = guests[EndSite.of(address)]?.count ?? 0
        return guests.values.filter { $0.count >= own + 2 }
            .max { ($0.count, $0.last?.arrival ?? 0) < ($1.count, $1.last?.arrival ?? 0) }?.last?.id
    }

    /// One who gave way: whose media is to be ended.
    private struct Departed {
        var id: ParticipantID
        var meeting: MeetingID
    }

    /// Takes one out whose place is another's, and tells it.
    private func giveWay(_ id: ParticipantID) -> Departed? {
        let socket = lines[id]?.socket ?? lines[id]?.door
        guard let meeting = try? takeOut(id, reason: .lost, keepsSocket: true) else { return nil }
        socket?.send(ServerMessage.Removed(reason: .noMedia))
        socket?.close(.placeTaken, "no media")
        return Departed(id: id, meeting: meeting)
    }

    private func endMedia(of departed: Departed?) async {
        if let departed { await endMedia(of: departed.id, in: departed.meeting) }
    }

    /// Without one whose offer or socket is being answered.
    private func oldestUnattached(in meeting: MeetingID) -> ParticipantID? {
        catalog.meetings[meeting]?.participants.values
            .filter { unattached.contains($0.id) && lines[$0.id] == nil }
            .min { $0.arrival < $1.arrival }?.id
    }

    // MARK: Guesses

    /// The role that the request comes in with; wrong secrets are counted.
    private func role(of request: JoinRequest, in meeting: Meeting, _ arrival: Arrival) throws -> Role {
        try guarded(meeting.secret(shownBy: request), of: meeting, arrival.address) {
            try meeting.role(of: request, within: catalog.limits, by: PasswordDerivation.digest)
        }
    }

    /// Whom a stream's bearer token lets in that is of no service: who has the meeting's host key or password, as these
    /// clients have a field for a token alone.
    ///
    /// - Throws: `Problem` 401; 429 `too_many_guesses`.
    func bearer(_ token: String, name: String, of meeting: Meeting, from address: String) throws -> JoinRequest {
        try guarded(.token, of: meeting, address) {
            let requests = [
                JoinRequest(displayName: name, hostKey: token), JoinRequest(displayName: name, password: token),
            ]
            // Without a password a meeting is opened by other tokens alone.
            for request in requests where meeting.secret(shownBy: request) != nil {
                let role = try? meeting.role(of: request, within: catalog.limits, by: PasswordDerivation.digest)
                if role != nil { return request }
            }
            throw Problem.unauthorized("token_invalid", "The token does not open this meeting.")
        }
    }

    /// Looks at a secret where its sender may guess.
    private func guarded<Result>(
        _ secret: ShownSecret?, of meeting: Meeting, _ address: String, _ look: () throws -> Result
    ) throws -> Result {
        guard let secret else { return try look() }
        let subject = GuessLimits.Subject(meeting: meeting.id, secret: secret, site: EndSite.of(address))
        try guesses.admit(subject, at: clock.now)
        do {
            let result = try look()
            guesses.noteRight(subject)
            return result
        } catch {
            if let wrong = guesses.noteWrong(subject, at: clock.now) {
                logger.warning(
                    "wrong passwords or keys: their sender must wait from now on",
                    metadata: [
                        "meeting_id": "\(meeting.id)", "secret": "\(secret.rawValue)", "address": "\(address)",
                        "wrong": "\(wrong)",
                    ])
            }
            throw error
        }
    }
}
