import Mailbox
import Wire

/// ICE-lite: the worker answers connectivity checks (RFC 8445 sections 7.3 and 2.4), and an authentic one is
/// consent to send (RFC 7675).
extension Worker where Queue: ~Copyable {
    /// Takes over a frame with a Binding request that names a user.
    mutating func answerCheck(
        _ message: STUNMessage, _ datagram: DatagramFrame, in packet: Mbuf, now: UInt64
    ) {
        guard let username = message.username, let ufrag = OwnerUfrag(username), ufrag.pop == configuration.pop,
            username.count > OwnerUfrag.length, username[OwnerUfrag.length] == UInt8(ascii: ":")
        else { return drop(packet, .stunUnknownUser) }
        if Int(ufrag.worker) != configuration.number { return handOver(packet, to: Int(ufrag.worker)) }
        let index = Int(ufrag.index)
        guard index < sessions.capacity, let session = sessions.find(sessions.handle(at: index)),
            let credentials = session.pointee.credentials(of: ufrag.secret)
        else { return drop(packet, .stunUnknownUser) }
        guard let covered = message.integrityOffset,
            credentials.integrity.verify(message: message.bytes.start, covered: covered)
        else { return drop(packet, .stunBadIntegrity) }
        counters.add(.stunRequests)
        answer(message, datagram, session: session, credentials, now: now)
        packet.free()
    }

    private mutating func answer(
        _ message: STUNMessage, _ datagram: DatagramFrame, session: UnsafeMutablePointer<Session>,
        _ credentials: LocalCredentials, now: UInt64
    ) {
        let template = FrameTemplate(
            source: datagram.destination, destination: datagram.source, sourceMAC: neighbors.mac,
            destinationMAC: datagram.sourceMAC)
        if message.unknownCount > 0 {
            return respond(to: message, datagram.source, template, credentials, error: 420)
        }
        // We are always controlled (RFC 8445 section 6.1.1): a peer that believes the same must change its role.
        if message.iceControlled != nil {
            return respond(to: message, datagram.source, template, credentials, error: 487)
        }
        // Another Session may have taken a known address meanwhile: the latest check decides whose it is.
        let isOurs = flows.find(flowKey(datagram.source)) == session.pointee.handle.raw
        if !isOurs && !openFlow(datagram.source, session: session) { return counters.drop(.flowTableFull) }
        // Each check tells the other workers again: one may have missed it.
        if isOurs { announceFlow(datagram.source, of: session.pointee.handle) }
        session.pointee.lastCheck = now
        let isFirst = session.pointee.remote == nil
        // Also without a nomination when nothing comes from the present address: not every peer nominates again after its NAT
        // rebinding.
        let isSilent = now &- session.pointee.heardAt > Session.remoteSilence
        let isElsewhere = session.pointee.remote != datagram.source
        let priority = message.priority ?? 0
        let isNominated = message.useCandidate && session.pointee.follows(nominationWith: priority, now: now)
        let moves = !isFirst && isElsewhere && (isNominated || isSilent)
        if moves { renewPictures(for: session, now: now) }
        if isFirst || moves || !isElsewhere { direct(session, to: datagram.source, template) }
        if session.pointee.remote == datagram.source {
            noteConsent(of: session, now: now)
            if message.useCandidate { session.pointee.noteNomination(priority: priority, with: credentials, now: now) }
            session.pointee.settle(on: credentials)
        }
        respond(to: message, datagram.source, template, credentials, error: nil)
        if moves { tell(.sessionMoved(session.pointee.handle, remote: datagram.source)) }
        // Repeated at each check until there are keys: an event may be lost when many join at once.
        if isFirst || session.pointee.sendKeys == nil {
            tell(.sessionValidated(session.pointee.handle, remote: datagram.source))
        }
    }

    /// A success response, or an error response with `error`.
    private mutating func respond(
        to message: STUNMessage, _ source: Endpoint, _ template: FrameTemplate,
        _ credentials: LocalCredentials, error: Int?
    ) {
        guard let packet = pool.allocate() else { return counters.drop(.noBuffer) }
        let room = UnsafeMutableRawBufferPointer(start: packet.data + template.length, count: 256)
        guard
            var writer = STUNWriter(
                into: room, class: error == nil ? .success : .error, method: STUNMethod.binding,
                transactionID: message.transactionID)
        else { return packet.free() }
        switch error {
        case nil: writer.add(STUNAttributeType.xorMappedAddress, xored: source)
        case 487: writer.addError(487, reason: "Role Conflict")
        default:
            writer.addError(420, reason: "Unknown Attribute")
            writer.addUnknownAttributes(of: message)
        }
        if let covered = writer.beginIntegrity() {
            var tag = credentials.integrity.digest(message: covered.start, covered: covered.count)
            withUnsafeBytes(of: &tag) { writer.endIntegrity($0.baseAddress.unsafelyUnwrapped) }
        }
        writer.addFingerprint()
        let length = writer.finish()
        guard length > 0, packet.setLength(template.length + length) else { return packet.free() }
        withUnsafePointer(to: template) {
            outbox.add(packet, template: $0, payloadLength: length, offload: queue.offload)
        }
    }

    /// Sends to another address from now on.
    mutating func direct(_ session: UnsafeMutablePointer<Session>, to remote: Endpoint, _ template: FrameTemplate) {
        // What waits to be sealed lies behind headers of the old length.
        flush()
        session.pointee.remote = remote
        session.pointee.template = template
    }

    /// Takes an address of the Session's peer into the flow table, here and on the other workers.
    mutating func openFlow(_ endpoint: Endpoint, session: UnsafeMutablePointer<Session>) -> Bool {
        // Anybody can send a check from another PoP's address, and nobody may take that away.
        guard flows.find(flowKey(endpoint)) != Cascade.trunk,
            flows.insert(flowKey(endpoint), session.pointee.handle.raw)
        else { return false }
        announceFlow(endpoint, of: session.pointee.handle)
        guard !session.pointee.knows(endpoint) else { return true }
        if session.pointee.flowCount == Session.maximumFlows {
            // The oldest that we do not send to makes room.
            let victim = session.pointee.flows[0] == session.pointee.remote ? 1 : 0
            closeFlow(session.pointee.flows[victim], of: session.pointee.handle)
            for index in victim..<(Session.maximumFlows - 1) {
                session.pointee.flows[index] = session.pointee.flows[index + 1]
            }
            session.pointee.flowCount -= 1
        }
        session.pointee.flows[session.pointee.flowCount] = endpoint
        session.pointee.flowCount += 1
        return true
    }

    /// Tells the other workers whose frames from `endpoint` are.
    private func announceFlow(_ endpoint: Endpoint, of session: SessionHandle) {
        counters.drop(.handoverFull, UInt64(siblings.tellAll(.flowOpened(endpoint, session))))
    }

    /// Takes an address out of the flow table unless another Session has it by now.
    mutating func closeFlow(_ endpoint: Endpoint, of session: SessionHandle) {
        guard flows.find(flowKey(endpoint)) == session.raw else { return }
        _ = flows.remove(flowKey(endpoint))
        counters.drop(.handoverFull, UInt64(siblings.tellAll(.flowClosed(endpoint, session))))
    }
}

extension UnsafeRawBufferPointer {
    /// The first byte of a buffer that is known not to be empty.
    fileprivate var start: UnsafePointer<UInt8> { baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self) }
}
