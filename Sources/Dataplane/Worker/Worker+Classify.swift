import Mailbox
import Wire

/// The one switch that owns the flow of received frames (documentation, A packet's way).
extension Worker where Queue: ~Copyable {
    /// Takes over a received frame.
    mutating func classify(_ packet: Mbuf, now: UInt64, isHandedOver: Bool = false, isLooped: Bool = false) {
        guard packet.isContiguous else { return drop(packet, .truncated) }
        switch DatagramFrame.classify(packet.bytes) {
        case .udp(let datagram):
            receive(datagram, in: packet, now: now, isHandedOver: isHandedOver, isLooped: isLooped)
        case .arp, .icmp, .neighbor: answerNeighbor(packet, now: now)
        case .fragment: passToKernel(packet, otherwise: .fragment, now: now)
        case .notOurs: passToKernel(packet, otherwise: .notOurs, now: now)
        case .truncated: drop(packet, .truncated)
        case .badAddress: drop(packet, .badAddress)
        }
        if outbox.needsFlush { flush() }
    }

    /// A UDP datagram: whose address and port it is for, then what it is.
    private mutating func receive(
        _ datagram: DatagramFrame, in packet: Mbuf, now: UInt64, isHandedOver: Bool, isLooped: Bool
    ) {
        let destination = datagram.destination
        let interface = neighbors.ownIndex(of: destination.address)
        // What our own send each other may use a relayed address that is not on the link.
        guard interface != nil || (isLooped || isHandedOver) && relay.isRelayAddress(destination.address) else {
            return passToKernel(packet, otherwise: .notOurs, isLooped: isLooped, now: now)
        }
        var arrival = Arrival(
            listener: Listeners.key(port: 0, interface: interface ?? 0), isHandedOver: isHandedOver, isLooped: isLooped)
        if destination.port != configuration.mediaPort || interface == nil {
            guard relay.isEnabled else {
                return passToKernel(packet, otherwise: .unknownPort, isLooped: isLooped, now: now)
            }
            if relay.isRelayAddress(destination.address), relay.owner(ofPort: destination.port) != nil {
                return receiveFromPeer(datagram, in: packet, isHandedOver: isHandedOver, isLooped: isLooped, now: now)
            }
            guard let port = relay.listeners.alternate(destination.port) else {
                return passToKernel(packet, otherwise: .unknownPort, isLooped: isLooped, now: now)
            }
            arrival.listener |= port << 8
            arrival.isAlternate = true
        }
        let kind = PacketKind(datagram.payload)
        switch kind {
        case .stun: receiveSTUN(datagram, in: packet, arrival, now: now)
        // Clients are told of alternate ports for STUN and TURN alone.
        case .dtls where !arrival.isAlternate, .rtp where !arrival.isAlternate, .rtcp where !arrival.isAlternate:
            receive(kind, datagram, in: packet, isHandedOver: isHandedOver, now: now)
        case .channelData where relay.isEnabled: queueToPeer(datagram, in: packet, arrival, now: now)
        case .unknown where relay.isEnabled && relay.isFormerChannel(datagram.payload):
            queueToPeer(datagram, in: packet, arrival, now: now)
        default: drop(packet, .unknownProtocol)
        }
    }

    /// STUN: a check of ICE carries the ufrag that we gave the peer; everything else is for the STUN and TURN server.
    private mutating func receiveSTUN(
        _ datagram: DatagramFrame, in packet: Mbuf, _ arrival: Arrival, now: UInt64
    ) {
        guard let message = STUNMessage(datagram.payload), !message.hasFingerprint || message.isFingerprintValid else {
            return drop(packet, .stunMalformed)
        }
        if relay.isEnabled && (message.method != STUNMethod.binding || message.username == nil || arrival.isAlternate) {
            return answerTURN(message, datagram, in: packet, arrival, now: now)
        }
        guard message.method == STUNMethod.binding, message.messageClass == .request else {
            // Responses and indications: an ICE-lite agent sends no requests, and keep-alives want no answer.
            return drop(packet, .stunUnsupported)
        }
        answerCheck(message, datagram, in: packet, now: now)
    }

    /// What belongs to a Session: the one whose peer has the source address, or else the SSRC.
    @inline(__always)
    private mutating func receive(
        _ kind: PacketKind, _ datagram: DatagramFrame, in packet: Mbuf, isHandedOver: Bool, now: UInt64
    ) {
        let known = flows.find(flowKey(datagram.source))
        guard let owner = known ?? (kind == .rtp ? strayOwner(datagram) : nil) else {
            return drop(packet, kind == .dtls ? .dtlsBeforeICE : .unknownFlow)
        }
        let handle = SessionHandle(raw: owner)
        guard handle.worker == configuration.number else {
            guard owner != Cascade.trunk else {
                return receiveFromTrunk(kind, datagram, in: packet, isHandedOver: isHandedOver, now: now)
            }
            // Only once: two workers that each take the other for the owner would pass it back and forth for ever.
            if isHandedOver { return drop(packet, .staleHandle) }
            return handOver(packet, to: handle.worker)
        }
        guard let session = sessions.find(handle) else { return drop(packet, .staleHandle) }
        switch kind {
        case .dtls: punt(datagram, of: session, packet, now: now)
        case .rtp: queueOpen(datagram, in: packet, session: session, isStray: known == nil, now: now)
        default: receiveRTCP(datagram, in: packet, session: session, now: now)
        }
    }

    /// Hands a DTLS datagram to the slow path.
    private mutating func punt(
        _ datagram: DatagramFrame, of session: UnsafeMutablePointer<Session>, _ packet: Mbuf, now: UInt64
    ) {
        guard datagram.payloadLength <= Datagram.capacity else { return drop(packet, .oversize) }
        // One peer's junk must not keep others' handshakes out of the ring.
        session.pointee.renewCredits(now: now)
        guard session.pointee.puntCredits > 0 else { return drop(packet, .puntFull) }
        session.pointee.puntCredits &-= 1
        var copy = Datagram(session: session.pointee.handle)
        copy.fill(datagram.payload)
        counters.add(.puntedPackets)
        if !mailbox.punts.push(copy) { counters.drop(.puntFull) }
        packet.free()
    }
}
