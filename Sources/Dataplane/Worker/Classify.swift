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

    private mutating func receive(
        _ datagram: DatagramFrame, in packet: Mbuf, now: UInt64, isHandedOver: Bool, isLooped: Bool
    ) {
        let destination = datagram.destination
        let interface = neighbors.ownIndex(of: destination.address)
        // What our own send each other may use a relayed address that is not on the link.
        guard interface != nil || (isLooped || isHandedOver) && relay.isRelayAddress(destination.address) else {
            return passToKernel(packet, otherwise: .notOurs, isLooped: isLooped, now: now)
        }
        let arrival = Arrival(
            listener: Listeners.key(port: 0, interface: interface ?? 0), isHandedOver: isHandedOver, isLooped: isLooped)
        guard destination.port == configuration.mediaPort, interface != nil else {
            return receiveBesideMedia(datagram, in: packet, arrival, now: now)
        }
        let kind = PacketKind(datagram.payload)
        switch kind {
        case .stun: return answerBinding(datagram, in: packet, arrival, now: now)
        case .channelData where relay.isEnabled: return queueToPeer(datagram, in: packet, arrival, now: now)
        case .unknown where relay.isEnabled && relay.isFormerChannel(datagram.payload):
            return queueToPeer(datagram, in: packet, arrival, now: now)
        case .channelData, .unknown: return drop(packet, .unknownProtocol)
        case .dtls, .rtp, .rtcp: break
        }
        let known = flows.find(flowKey(datagram.source))
        guard let owner = known ?? (kind == .rtp ? strayOwner(datagram) : nil) else {
            return drop(packet, kind == .dtls ? .dtlsBeforeICE : .unknownFlow)
        }
        let handle = SessionHandle(raw: owner)
        guard handle.worker == configuration.number else {
            // A frame crosses once: two workers that each believe it the other's would hand it to and fro for ever.
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

    /// Hands a received frame to the worker on which its Session lives.
    mutating func handOver(_ packet: Mbuf, to worker: Int) {
        guard siblings.hand(.frame(packet), to: worker) else { return drop(packet, .handoverFull) }
        counters.add(.handoverPackets)
    }

    /// ARP, neighbour discovery and echo.
    private mutating func answerNeighbor(_ packet: Mbuf, now: UInt64) {
        switch neighbors.handle(packet, now: now) {
        case .reply:
            packet.clearOffloads()
            outbox.add(packet)
        case .learned:
            // The device gave the answer to one queue; whoever asked may poll another.
            for sibling in 0..<siblings.count where sibling != configuration.number {
                packet.retain()
                if !siblings.hand(.neighbor(packet), to: sibling) { drop(packet, .handoverFull) }
            }
            // The kernel asks for itself, and takes no answer to a question of ours.
            passToKernel(packet, otherwise: nil, now: now)
        case .drop(let reason): drop(packet, reason)
        case .foreign: passToKernel(packet, otherwise: .notOurs, now: now)
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
