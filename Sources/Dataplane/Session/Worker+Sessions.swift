import Mailbox
import Wire

/// Opening and closing Sessions, and their periodic work.
extension Worker where Queue: ~Copyable {
    mutating func openSession(_ open: OpenSession, now: UInt64) {
        let session = Session(
            open, streams: ReceiveStreams(memory: slabs.streams(open.session.index)),
            arrivals: ArrivalLog(ticks: slabs.arrivals(open.session.index)),
            repeats: RepeatLog(entries: slabs.repeats(open.session.index)),
            feedbackSsrc: UInt32(truncatingIfNeeded: random.next()) | 1, now: now)
        guard sessions.insert(open.session, session) else { return counters.drop(.tableFull) }
        slabs.sessionsDue[open.session.index] = 0
    }

    mutating func configureSession(_ handle: SessionHandle, _ extensions: ExtensionMap, now: UInt64) {
        guard let session = sessions.find(handle) else { return counters.drop(.staleHandle) }
        session.pointee.extensions = extensions
        if extensions.transportSequence == 0 {
            endCongestion(of: session)
        } else if session.pointee.congestion == nil {
            session.pointee.congestion = slabs.beginCongestion(handle.index, now: now)
        }
    }

    mutating func restartICE(_ restart: RestartICE) {
        guard let session = sessions.find(restart.session) else { return counters.drop(.staleHandle) }
        session.pointee.restart(
            with: LocalCredentials(ufragSecret: restart.ufragSecret, password: restart.password))
    }

    mutating func installKeys(_ install: InstallKeys, now: UInt64) {
        guard let session = sessions.find(install.session) else { return counters.drop(.staleHandle) }
        // Packets that wait to be sealed use the old keys.
        flush()
        eraseKeys(session)
        let index = install.session.index
        session.pointee.receive = SRTPTransform.install(
            at: slabs.transform(index, isSend: false), engine: engine, profile: install.profile,
            master: install.receive)
        session.pointee.sendKeys = SRTPTransform.install(
            at: slabs.transform(index, isSend: true), engine: engine, profile: install.profile, master: install.send)
        if session.pointee.hasConsent(now: now) { beginSending(to: session, now: now) }
    }

    /// Ends a Session with its Tracks and Slots.
    mutating func closeSession(_ handle: SessionHandle, now: UInt64) {
        guard let session = sessions.find(handle) else { return counters.drop(.staleHandle) }
        // Packets that wait to be sealed use its keys and headers.
        flush()
        while session.pointee.firstSlot != Link.none {
            closeSlot(slots.handle(at: Int(session.pointee.firstSlot)))
        }
        while session.pointee.firstTrack != Link.none {
            closeTrack(tracks.handle(at: Int(session.pointee.firstTrack)))
        }
        endCongestion(of: session)
        for index in 0..<session.pointee.flowCount { closeFlow(session.pointee.flows[index], of: handle) }
        eraseKeys(session)
        _ = sessions.remove(handle)
        tell(.sessionClosed(handle))
    }

    private func eraseKeys(_ session: UnsafeMutablePointer<Session>) {
        session.pointee.receive?.erase()
        session.pointee.sendKeys?.erase()
        session.pointee.receive = nil
        session.pointee.sendKeys = nil
        session.pointee.send = nil
    }

    /// Periodic work for a Session. Called 50 times a second while it sends media, otherwise once a second: visiting 10,000
    /// receivers that often would cost 7% of a busy worker. Returns when it is due again, ns.
    mutating func tickSession(_ session: UnsafeMutablePointer<Session>, now: UInt64) -> UInt64 {
        let silence = now &- session.pointee.lastLifeSign
        if (silence > Session.silence) != session.pointee.isSilent {
            session.pointee.isSilent.toggle()
            let handle = session.pointee.handle
            tell(session.pointee.isSilent ? .sessionSilent(handle) : .sessionHeard(handle))
        }
        if silence > Session.consentExpiry {
            // Once; control closes it.
            session.pointee.lastCheck = now
            tell(.sessionExpired(session.pointee.handle))
        }
        if session.pointee.send != nil, !session.pointee.hasConsent(now: now) { endSending(to: session) }
        guard session.pointee.send != nil, session.pointee.remote != nil else { return now }
        if session.pointee.extensions.transportSequence != 0, !session.pointee.arrivals.isEmpty,
            session.pointee.arrivals.isFull
                || now &- session.pointee.arrivals.sentAt >= feedbackInterval(of: session)
        {
            sendTransportFeedback(session, now: now)
        }
        if now >= session.pointee.reportsDue {
            session.pointee.reportsDue = now &+ 1_000_000_000
            sendReceiverReport(session, now: now)
            sendSenderReports(session, now: now)
            sendEchoes(session, now: now)
        }
        let due = min(
            tickCongestion(of: session, now: now), session.pointee.reportsDue,
            session.pointee.consentAt &+ Session.consentExpiry)
        return session.pointee.streams.count == 0 ? due : now
    }

    /// A datagram of the slow path for a Session's peer.
    mutating func reply(_ datagram: borrowing Datagram, now: UInt64) {
        guard let session = sessions.find(datagram.session), session.pointee.remote != nil,
            session.pointee.hasConsent(now: now)
        else { return counters.drop(.staleHandle) }
        guard let packet = pool.allocate() else { return counters.drop(.noBuffer) }
        let length = min(Int(datagram.count), Datagram.capacity)
        let offset = session.pointee.template.length
        guard packet.setLength(offset + length) else { return packet.free() }
        datagram.copy(to: packet.data + offset)
        outbox.add(
            packet, template: templatePointer(session), payloadLength: length, offload: queue.offload)
    }

    /// Where the prebuilt headers of a Session lie; stable while it is open.
    func templatePointer(_ session: UnsafeMutablePointer<Session>) -> UnsafePointer<FrameTemplate> {
        UnsafeRawPointer(session).assumingMemoryBound(to: FrameTemplate.self)
    }
}
