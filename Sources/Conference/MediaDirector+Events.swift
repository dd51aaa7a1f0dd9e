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
            meetings[meeting]?.note(source, level: level)
            sounding.insert(meeting)
        case .sessionMoved(let session, let remote):
            logger.debug("session moved", metadata: ["session": "\(session.raw)", "remote": "\(remote)"])
        case .layerStarted(let track, let layer):
            logger.debug("layer started", metadata: ["track": "\(track.raw)", "layer": "\(layer)"])
        case .layersWanted(let track, let layers):
            logger.debug("layers wanted", metadata: ["track": "\(track.raw)", "layers": "\(layers.bits)"])
        // Nobody opens Taps or Lanes here.
        case .tapClosed, .laneClosed, .crossingClosed, .laneReport: break
        case .slotSwitched(let slot, let track, let layer): tellPicture(of: slot, track, layer: layer)
        }
    }

    /// Tells the viewer that a picture has changed; nothing when the Slot was given another Track meanwhile.
    private func tellPicture(of handle: SlotHandle, _ track: TrackHandle, layer: UInt8) {
        guard workers.indices.contains(handle.worker),
            let session = workers[handle.worker].session(of: handle), let viewer = agents[session]?.participant,
            let slot = members[viewer]?.slots.first(where: { $0.handle == handle }), slot.kind.isVideo,
            let occupant = slot.occupant, localHandle(of: slot.origin, on: handle.worker) == track
        else { return }
        let source = SlotSource(slot.kind)
        tell(
            .slotSwitched(viewer, SlotPicture(mid: slot.mid, participant: occupant, source: source, layer: Int(layer))))
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
