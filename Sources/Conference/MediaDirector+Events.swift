import Agents
import Mailbox
import Meetings

/// What the workers tell, and the handshakes.
extension MediaDirector {
    /// Takes what one worker has told. A datagram comes after the event that makes it valid, so as many datagrams
    /// are taken as were there before the events were read.
    func hear(_ worker: Int, now: UInt64) {
        let mailbox = workers[worker].mailbox
        let datagrams = mailbox.punts.count
        for _ in 0..<mailbox.events.count {
            guard let event = mailbox.events.pop() else { break }
            take(event, now: now)
        }
        for _ in 0..<datagrams {
            guard let datagram = mailbox.punts.pop() else { break }
            take(datagram, now: now)
        }
    }

    private func take(_ event: Event, now: UInt64) {
        switch event {
        case .sessionValidated(let session, _): begin(session, now: now)
        case .sessionSilent(let session):
            if let agent = agents[session] { tell(.silent(agent.participant)) }
        case .sessionHeard(let session):
            if let agent = agents[session] { tell(.heard(agent.participant)) }
        case .sessionExpired(let session): fail(session, MediaFailure.consent, now: now)
        case .sessionClosed(let session):
            // Of a Session that nobody asked to close: the close is sent all the same, and is stale.
            fail(session, MediaFailure.worker, now: now)
            release(session)
        case .trackClosed(let track): release(track)
        case .slotClosed(let slot):
            if workers.indices.contains(slot.worker) { workers[slot.worker].slots.release(slot) }
        case .audioLevel(let track, let level):
            guard let source = publishers[track], let meeting = members[source.participant]?.meeting else { return }
            note(level, of: source, in: meeting)
            noteLevel(of: source, in: meeting, level)
        case .sessionMoved(let session, let remote):
            logger.debug("session moved", metadata: ["session": "\(session.raw)", "remote": "\(remote)"])
        case .layerStarted(let track, let layer):
            logger.debug("layer started", metadata: ["track": "\(track.raw)", "layer": "\(layer)"])
        case .layersWanted(let track, let layers): noteWanted(layers, of: track)
        // Nobody opens Taps here.
        case .tapClosed: break
        case .laneClosed(let lane): release(lane)
        case .crossingClosed(let crossing): release(crossing)
        case .laneReport(let lane, let report): trunks.change(lane) { $0.report = report }
        case .slotSwitched(let slot, let track, let layer, let timestamp):
            tellPicture(of: slot, track, layer: layer, timestamp: timestamp)
        case .slotPaused(let slot, let track):
            if let (viewer, slot) = viewer(of: slot, showing: track) { tell(.slotPaused(viewer, mid: slot.mid)) }
        case .pathReport(let session, let report):
            if let agent = agents[session] { tell(.quality(agent.participant, MediaQuality(report))) }
        }
    }

    /// Tells the viewer that a picture has changed.
    private func tellPicture(of handle: SlotHandle, _ track: TrackHandle, layer: UInt8, timestamp: UInt32) {
        guard let (viewer, slot) = viewer(of: handle, showing: track), let occupant = slot.occupant else { return }
        let source = SlotSource(slot.kind)
        tell(
            .slotSwitched(
                viewer,
                SlotPicture(
                    mid: slot.mid, participant: occupant, source: source, layer: Int(layer), timestamp: timestamp)))
    }

    /// Whose Slot it is; nil when it was given another Track meanwhile.
    private func viewer(of handle: SlotHandle, showing track: TrackHandle) -> (ParticipantID, MemberSlot)? {
        guard workers.indices.contains(handle.worker),
            let session = workers[handle.worker].session(of: handle), let viewer = agents[session]?.participant,
            let slot = members[viewer]?.slots.first(where: { $0.handle == handle }), slot.kind.isVideo,
            slot.occupant != nil, localHandle(of: slot.origin, on: handle.worker) == track
        else { return nil }
        return (viewer, slot)
    }

    /// Tells the publisher which of a Track's layers anybody wants.
    private func noteWanted(_ layers: LayerSet, of track: TrackHandle) {
        guard let source = publishers[track], let member = members[source.participant] else { return }
        logger.debug("layers wanted", metadata: ["track": "\(track.raw)", "layers": "\(layers.bits)"])
        member.wanted[source.role] = layers
        tellWanted(source.role, of: member)
    }

    public func repeatWantedLayers(of participant: ParticipantID) async {
        guard let member = members[participant] else { return }
        for role in member.wanted.keys.sorted(by: { $0.rawValue < $1.rawValue }) { tellWanted(role, of: member) }
        settle()
    }

    private func tellWanted(_ role: SourceRole, of member: MediaMember) {
        guard let layers = member.wanted[role], let opening = member.tracks[role]?.opening else { return }
        tell(.layersWanted(member.id, WantedLayers(layers, of: opening)))
    }

    private func begin(_ session: SessionHandle, now: UInt64) {
        guard let agent = agents[session] else { return }
        do throws(DTLSError) {
            try agent.begin(certificate: certificate, mtu: options.mtu, now: now)
            sendOutgoing(of: agent)
        } catch {
            logger.error("cannot begin a DTLS handshake", metadata: ["error": "\(error)"])
            fail(session, MediaFailure.handshake, now: now)
        }
    }

    private func take(_ datagram: Datagram, now: UInt64) {
        guard let agent = agents[datagram.session], agent.receive(datagram, now: now) else {
            statistics.strayDatagrams += 1
            return
        }
        sendOutgoing(of: agent)
        act(on: agent.outcome(), of: agent, now: now)
    }

    /// Repeats lost flights and ends what takes too long.
    func keepTimers(now: UInt64) {
        let due = connecting.filter { agents[$0]?.isDue(at: now) ?? false }
        // What happens does not depend on hashing.
        for session in due.sorted(by: { $0.raw < $1.raw }) {
            guard let agent = agents[session] else { continue }
            let outcome = agent.handleTimers(now: now)
            sendOutgoing(of: agent)
            act(on: outcome, of: agent, now: now)
        }
    }

    private func act(on outcome: SessionAgent.Outcome, of agent: SessionAgent, now: UInt64) {
        switch outcome {
        case .nothing: break
        case .connected(let keys):
            connecting.remove(agent.session)
            statistics.connected += 1
            workers[agent.session.worker].send(.installKeys(keys))
            endArrival(of: agent.participant)
            tell(.connected(agent.participant))
        case .failed(let reason):
            if let diagnosis = agent.diagnosis {
                logger.info(
                    "DTLS handshake failed",
                    metadata: ["participant": "\(agent.participant)", "error": "\(diagnosis)"])
            }
            fail(agent.session, reason, now: now)
        }
    }

    func sendOutgoing(of agent: SessionAgent) {
        while let datagram = agent.nextOutgoing() { workers[agent.session.worker].reply(datagram) }
    }

    /// The media path of a participant is gone: it is told, and its places come back.
    private func fail(_ session: SessionHandle, _ reason: MediaFailure, now: UInt64) {
        guard let agent = agents[session] else { return }
        statistics.failed += 1
        tell(.failed(agent.participant, reason: reason))
        remove(agent.participant, now: now, reason: reason.rawValue)
    }
}
