import Mailbox
import Wire

/// STUN and TURN requests (RFC 8489 section 6.3, RFC 8656). Requests that need no credentials, and those about an allocation,
/// whose key is known, are answered here; Allocate goes to control once its form, its nonce and its rate are checked.
extension Worker where Queue: ~Copyable {
    /// Takes over a frame with a STUN message that is no ICE check.
    mutating func answerTURN(
        _ message: STUNMessage, _ datagram: DatagramFrame, in packet: Mbuf, _ arrival: Arrival, now: UInt64
    ) {
        guard !arrival.isLooped else { return drop(packet, .relayLoop) }
        let source = datagram.source
        // The placeholder addresses of streams, and our own, are never valid sources on the wire; port 0 cannot be answered.
        guard source.address.high >> 48 != 0x0100, !neighbors.isOwn(source.address),
            !relay.isRelayAddress(source.address), source.port != 0
        else { return drop(packet, .badAddress) }
        let context = TURNContext(
            client: TURNClient(transport: .udp, endpoint: source, remote: source, local: datagram.destination),
            key: FlowKey(remote: source, localPort: arrival.listener), clientMAC: datagram.sourceMAC, packet: packet,
            messageOffset: datagram.payloadOffset, trafficClass: datagram.trafficClass,
            isHandedOver: arrival.isHandedOver)
        guard let owner = owner(of: message, context), owner != relay.number else {
            return answerTURN(message, context, now: now)
        }
        guard !arrival.isHandedOver else { return drop(packet, .relayNoAllocation) }
        handOver(packet, to: owner)
    }

    /// The worker that must handle a message: the one with the client's allocation, the one that issued a token or a ticket,
    /// or the one that the client's address hashes to. Nil: any.
    private func owner(of message: STUNMessage, _ context: TURNContext) -> Int? {
        guard relay.workers > 1, message.method != STUNMethod.binding else { return nil }
        if let found = relay.clients.find(context.key) { return AllocationHandle(raw: found).worker }
        if relay.asked.find(context.key) != nil { return nil }
        if message.messageClass == .request && message.hasIntegrity {
            let turn = TURNMessage(message)
            if message.method == STUNMethod.allocate, let token = turn.reservationToken, !turn.isMalformed {
                let worker = Relay.worker(ofToken: token)
                if worker < relay.workers { return worker }
            }
            if message.method == STUNMethod.refresh, let ticket = turn.mobilityTicket.flatMap(TURNTicket.init(_:)),
                ticket.allocation.worker < relay.workers
            {
                return ticket.allocation.worker
            }
        }
        return relay.owner(of: context.key.remote)
    }

    /// The client's allocation here.
    func findAllocation(_ context: TURNContext) -> UnsafeMutablePointer<Allocation>? {
        relay.clients.find(context.key).flatMap { relay.allocations.find(AllocationHandle(raw: $0)) }
    }

    /// Takes over the packet of a message.
    mutating func answerTURN(_ message: STUNMessage, _ context: TURNContext, now: UInt64) {
        switch (message.messageClass, message.method) {
        case (.indication, STUNMethod.send): return send(TURNMessage(message), context, now: now)
        case (.request, STUNMethod.binding): answerPlainBinding(message, context, now: now)
        case (.request, STUNMethod.allocate), (.request, STUNMethod.refresh), (.request, STUNMethod.createPermission),
            (.request, STUNMethod.channelBind):
            authenticate(TURNMessage(message), context, now: now)
        default: counters.drop(.stunUnsupported)
        }
        context.packet.free()
    }

    /// A STUN server's answer (RFC 8489 section 12): the client's address.
    private mutating func answerPlainBinding(_ message: STUNMessage, _ context: TURNContext, now: UInt64) {
        let isKnown = message.unknownCount == 0
        let isSent = respondUnauthenticated(message, context, isError: !isKnown, now: now) { writer, _ in
            if isKnown {
                writer.add(STUNAttributeType.xorMappedAddress, xored: context.client.remote)
            } else {
                writer.addError(420, reason: "Unknown Attribute")
                writer.addUnknownAttributes(of: message)
            }
        }
        if isSent { counters.add(.stunAnswers) }
    }

    /// Long-term authentication (RFC 8489 section 9.2.4), then the request itself. The caller frees the packet.
    private mutating func authenticate(_ message: TURNMessage, _ context: TURNContext, now: UInt64) {
        let stun = message.stun
        guard stun.hasIntegrity else { return challenge(stun, context, 401, now: now) }
        guard let username = stun.username, message.realm != nil, let nonce = message.nonce else {
            return refuseUnauthenticated(stun, context, 400, now: now)
        }
        guard relay.sources.mayVerify(context.client.remote.address, now: now) else { return counters.drop(.relayRate) }
        counters.add(.turnRequests)
        guard relay.nonces.isValid(nonce, address: context.client.remote.address, now: now) else {
            return challenge(stun, context, 438, now: now)
        }
        if stun.method == STUNMethod.allocate { return allocate(message, username, context, now: now) }
        guard let allocation = findAllocation(context) ?? findMoved(message, context) else {
            return refuseUnauthenticated(stun, context, 437, now: now)
        }
        guard allocation.pointee.username == relay.usernameHash(username) else {
            return refuseUnauthenticated(stun, context, 441, now: now)
        }
        guard allocation.pointee.integrity.verify(stun) else { return challenge(stun, context, 401, now: now) }
        if allocation.pointee.key != context.key {
            // Authenticated, from a new address: only a Refresh with a ticket gets here (`findMoved`).
            move(allocation, to: context)
        } else if !allocation.pointee.isStream {
            allocation.pointee.toClient.redirect(to: context.clientMAC)
        }
        if stun.unknownCount > 0 { return refuse(message, context, allocation, 420) }
        if message.isMalformed { return refuse(message, context, allocation, 400) }
        switch stun.method {
        case STUNMethod.refresh: refresh(message, context, allocation, now: now)
        case STUNMethod.createPermission: createPermission(message, context, allocation, now: now)
        default: bindChannel(message, context, allocation, now: now)
        }
    }
}
