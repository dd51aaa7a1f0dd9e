import Agents
import Mailbox
import Meetings
import Wire

/// How a participant gets its places, and how they come back.
extension MediaDirector {
    // MARK: coming

    /// Answers the offer and opens all that it names, or nothing of it.
    func admit(
        _ participant: ParticipantID, in meeting: MeetingID, _ offer: MediaOffer, now: UInt64
    ) throws(MediaError) -> MediaConnection {
        guard !isDraining else { throw MediaError(.draining, "this media server is stopping") }
        let place: Place
        do throws(MediaError) {
            place = try findPlace(for: offer.sdp)
        } catch {
            // A new offer says that the client gave up its old transport; its places may be the ones missing.
            if error.code == .full { remove(participant, now: now) }
            throw error
        }
        let old = members[participant]
        if old != nil { remove(participant, now: now, reason: "another offer") }
        let isArriving = trunks.remotes[participant]?.isShown == true && trunks.remotes[participant]?.meeting == meeting
        if !isArriving { hideRemote(participant) }
        let serial = offer.serial.map { min($0, MediaMeeting.lastSerial) } ?? old?.serial ?? takeSerial()
        let member = open(place, participant, in: meeting, offer, serial: serial)
        member.isArriving = isArriving
        members[participant] = member
        logStart(of: member)
        agents[member.session] = SessionAgent(
            session: member.session, participant: participant, negotiation: place.negotiation,
            deadline: now + options.connectTimeout)
        connecting.insert(member.session)
        enter(room(of: participant, in: meeting)) { $0.join(member) }
        updateSources(of: participant)
        // The client is given its Slots whole after the answer.
        fill(participant, isSilent: true)
        let slots = member.slots.map(\.assignment)
        // A change of the old session's Slots may be on its way still: what is so now comes behind it.
        if old != nil { tell(.slots(participant, slots)) }
        return MediaConnection(
            sdp: place.negotiation.answer, slots: slots, publishes: member.publishes,
            publication: publication(of: member))
    }

    /// What other PoPs need to know to take it.
    func publication(of member: MediaMember) -> Publication {
        let tracks = member.tracks.sorted { $0.key.rawValue < $1.key.rawValue }
        return Publication(
            id: member.session.raw ^ instance, worker: UInt8(clamping: member.worker),
            sources: tracks.map { role, track in
                Publication.Source(
                    role: role.rawValue, codec: track.opening.codec, layers: track.opening.layerCount)
            })
    }

    /// A Session's place with the answer that names it in its ufrag. Nothing is opened yet.
    struct Place {
        var session: SessionHandle
        var secret: UInt64
        var password: ShortText
        var negotiation: Negotiation
        var tracks: [(SendMedia, SourceRole)]
    }

    private func findPlace(for offer: String) throws(MediaError) -> Place {
        var needed = (tracks: 0, slots: 0)
        // The least busy first; of equals the first.
        let order = workers.indices.sorted { workers[$0].sessions.used < workers[$1].sessions.used }
        for worker in order where workers[worker].hasRoom(tracks: needed.tracks, slots: needed.slots) {
            guard let session = workers[worker].sessions.take() else { continue }
            do throws(MediaError) {
                let place = try negotiate(offer, session)
                needed = (place.tracks.count, place.negotiation.receives.count)
                if workers[worker].hasRoom(tracks: needed.tracks, slots: needed.slots) { return place }
                workers[worker].sessions.giveBack(session)
            } catch {
                workers[worker].sessions.giveBack(session)
                throw error
            }
        }
        statistics.refusedSessions += 1
        throw MediaError(.full, "no place for another media session; try again later")
    }

    /// - Parameter earlier: what the client agreed on, where the Session is open.
    func negotiate(
        _ offer: String, _ session: SessionHandle, after earlier: Negotiation? = nil
    ) throws(MediaError) -> Place {
        let secret = generator.next() & 0xffff_ffff_ffff
        let ufrag = OwnerUfrag(
            pop: pop, worker: UInt8(session.worker), index: UInt32(session.index), secret: secret)
        let password = ICECredentials.makePassword(using: &generator)
        do throws(SDPError) {
            let negotiation = try answering(offer, earlier, ufrag.text, password, &generator)
            guard let password = ShortText(password) else {
                preconditionFailure("an ICE password of ours has at most 32 characters")
            }
            return Place(
                session: session, secret: secret, password: password, negotiation: negotiation,
                tracks: Self.published(negotiation.sends))
        } catch {
            logger.debug("offer refused", metadata: ["error": "\(error)"])
            switch error.reason {
            case .malformed, .tooLarge: throw MediaError(.badOffer, error.description)
            case .unusable: throw MediaError(.unsupported, error.description)
            }
        }
    }

    /// The roles of what is published. The answer refuses what has none.
    static func published(_ sends: [SendMedia]) -> [(SendMedia, SourceRole)] {
        var taken: Set<SourceRole> = []
        return sends.compactMap { media in
            SourceRole.roles(of: media.kind).first { taken.insert($0).inserted }.map { (media, $0) }
        }
    }

    private func open(
        _ place: Place, _ participant: ParticipantID, in meeting: MeetingID, _ offer: MediaOffer, serial: UInt64
    ) -> MediaMember {
        let worker = place.session.worker
        workers[worker].send(
            .openSession(
                OpenSession(session: place.session, ufragSecret: place.secret, password: place.password)))
        workers[worker].send(.configureSession(place.session, place.negotiation.extensions))
        var tracks: [SourceRole: PublishedTrack] = [:]
        for (media, role) in place.tracks {
            guard let handle = workers[worker].tracks.take() else { preconditionFailure("the room was asked for") }
            let opening = OpenTrack(media, track: handle, session: place.session)
            tracks[role] = PublishedTrack(opening: opening)
            publishers[handle] = SourceID(participant, role)
            workers[worker].send(.openTrack(opening))
        }
        let slots = place.negotiation.receives.map { media in
            guard let handle = workers[worker].slots.take() else { preconditionFailure("the room was asked for") }
            var media = media
            if offer.view.subject == .screen, media.kind == .video { media.kind = .screen }
            workers[worker].open(handle, of: place.session)
            workers[worker].send(.openSlot(OpenSlot(media, slot: handle, session: place.session)))
            return MemberSlot(
                handle: handle, mid: media.mid, kind: media.kind, payloadTypes: media.payloadTypes)
        }
        return MediaMember(
            id: participant, meeting: meeting, serial: serial, session: place.session,
            negotiation: place.negotiation, tracks: tracks, slots: slots, state: offer.state, view: offer.view)
    }

    // MARK: going

    /// Ends everything of the participant; nothing for one who is not known.
    func remove(_ participant: ParticipantID, now: UInt64, reason: String = "left") {
        guard let member = members.removeValue(forKey: participant) else { return }
        logEnd(of: member, reason)
        starved.remove(participant)
        leave(participant, room(of: participant, in: member.meeting))
        followVoice(of: participant, in: member.meeting)
        sayGoodbye(member.session)
        for slot in member.slots {
            letGo(slot.origin, on: member.worker, now: now)
            trunks.leave(slot.origin, now: now)
        }
        let tracks = member.tracks.values.map(\.handle).sorted { $0.raw < $1.raw }
        for track in tracks {
            publishers[track] = nil
            for id in trunks.exports(of: track) { endExport(id, .gone, now: now) }
            endReplicas(of: track, now: now)
        }
        close(member.session, tracks: tracks, slots: member.slots.map(\.handle), now: now)
        // Somebody of that name may be at another PoP, still or by now.
        if member.isArriving { trunks.remotes[participant]?.isShown = false }
        showRemote(participant)
    }

    /// Takes somebody, whose Tracks may be anywhere, out of a room.
    func leave(_ participant: ParticipantID, _ room: MeetingRoom) {
        if let touched = meetings[room]?.leave(participant) { touch(touched) }
        if meetings[room]?.isEmpty == true {
            meetings[room] = nil
            sounding.remove(room)
            forgetArrangement(of: room.meeting)
        }
    }

    func endReplicas(of track: TrackHandle, now: UInt64) {
        for ended in replicas.endAll(of: track) { close(ended, now: now) }
    }

    private func sayGoodbye(_ session: SessionHandle) {
        connecting.remove(session)
        guard let agent = agents.removeValue(forKey: session) else { return }
        agent.close()
        sendOutgoing(of: agent)
    }

    /// Closes a Session with all that is its own; the places are free again at the worker's word.
    private func close(_ session: SessionHandle, tracks: [TrackHandle], slots: [SlotHandle], now: UInt64) {
        let worker = session.worker
        workers[worker].send(.closeSession(session))
        workers[worker].sessions.beginClosing(session)
        for track in tracks { workers[worker].tracks.beginClosing(track) }
        for slot in slots { workers[worker].slots.beginClosing(slot) }
        closing.add(session, .init(tracks: tracks, slots: slots, since: now))
    }

    /// Closes a replica that nobody shows any more.
    private func close(_ ended: ReplicaLedger.Ended, now: UInt64) {
        if ended.wasFed { workers[ended.origin.worker].send(.unfeed(ended.origin, replica: ended.replica)) }
        closeTrack(ended.replica, now: now)
    }

    /// Closes a Track that is no Session's.
    func closeTrack(_ track: TrackHandle, now: UInt64) {
        workers[track.worker].send(.closeTrack(track))
        workers[track.worker].tracks.beginClosing(track)
        closing.add(track, since: now)
    }

    /// A Slot on `worker` shows the Track no longer.
    func letGo(_ origin: TrackHandle, on worker: Int, now: UInt64) {
        guard !origin.isNone, origin.worker != worker else { return }
        if let ended = replicas.release(.init(origin: origin, worker: worker)) { close(ended, now: now) }
    }

    // MARK: places that come back

    /// The worker closed a Session: its places are free.
    func release(_ session: SessionHandle) {
        guard let belongings = closing.take(session) else { return }
        let worker = session.worker
        workers[worker].sessions.release(session)
        for track in belongings.tracks { release(track) }
        for slot in belongings.slots { workers[worker].slots.release(slot) }
    }

    func release(_ track: TrackHandle) {
        closing.remove(track)
        guard workers.indices.contains(track.worker), workers[track.worker].tracks.release(track) else { return }
        // There is place for a replica again.
        feedHungry()
    }

    func release(_ lane: LaneHandle) {
        closing.remove(lane)
        if workers.indices.contains(lane.worker), workers[lane.worker].lanes.release(lane) { feedHungry() }
    }

    func release(_ crossing: CrossingHandle) {
        closing.remove(crossing)
        if workers.indices.contains(crossing.worker) { workers[crossing.worker].crossings.release(crossing) }
    }

    /// Those who found no place look again.
    func feedHungry() {
        let hungry = starved
        starved = []
        touch(hungry)
    }

    /// Takes places back whose closing a worker read long ago without a word: its word was lost in a full
    /// ring. The next entry in the place has another generation, and its opening follows the close.
    func reclaim(now: UInt64) {
        let late = { (since: UInt64, worker: Int) in
            now >= since &+ self.options.closeTimeout && self.workers[worker].isIdle
        }
        let sessions = closing.sessions.filter { late($0.value.since, $0.key.worker) }.keys
        for session in sessions.sorted(by: { $0.raw < $1.raw }) {
            statistics.reclaimedPlaces += 1
            release(session)
        }
        let tracks = closing.tracks.filter { late($0.value, $0.key.worker) }.keys
        for track in tracks.sorted(by: { $0.raw < $1.raw }) {
            statistics.reclaimedPlaces += 1
            release(track)
        }
        let crossings = closing.crossings.filter { late($0.value, $0.key.worker) }.keys
        for crossing in crossings.sorted(by: { $0.raw < $1.raw }) {
            statistics.reclaimedPlaces += 1
            release(crossing)
        }
        let lanes = closing.lanes.filter { late($0.value, $0.key.worker) }.keys
        for lane in lanes.sorted(by: { $0.raw < $1.raw }) {
            statistics.reclaimedPlaces += 1
            release(lane)
        }
    }
}
