import Mailbox
import Wire

/// Next hops of relayed packets, and the short circuit for peers that are Sessions or clients of ours.
extension Worker where Queue: ~Copyable {
    /// Looks up the next hop of a channel's peer; until it is known packets are dropped and it is asked for.
    mutating func findRoute(_ channel: UnsafeMutablePointer<Channel>, now: UInt64) {
        guard !channel.pointee.isOwn else {
            channel.pointee.hasRoute = true
            channel.pointee.routeDue = .max
            return
        }
        switch neighbors.nextHop(to: channel.pointee.peerAddress, now: now) {
        case .known(let mac, _):
            channel.pointee.toPeer.redirect(to: mac)
            channel.pointee.hasRoute = true
            channel.pointee.routeDue = now &+ Channel.routeInterval
        case .pending:
            // The last known one is used meanwhile.
            channel.pointee.routeDue = channel.pointee.hasRoute ? now &+ 1_000_000_000 : now
        case .unreachable:
            channel.pointee.hasRoute = false
            channel.pointee.routeDue = now &+ 1_000_000_000
        }
    }

    /// The peer's own frame shows the way back, before anybody answered a request for it.
    func learnRoute(_ channel: UnsafeMutablePointer<Channel>, from datagram: DatagramFrame, now: UInt64) {
        channel.pointee.toPeer.redirect(to: channel.pointee.isOwn ? neighbors.mac : datagram.sourceMAC)
        channel.pointee.hasRoute = true
        channel.pointee.routeDue = now &+ Channel.routeInterval
    }

    /// The address of a peer on our wire: itself, or ours when the client means us. Nil for a peer that is refused.
    func localPeer(_ named: IPAddress) -> (address: IPAddress, isOwn: Bool)? {
        let media = neighbors.firstAddress(isV4: named.isV4)
        if let local = relay.localAddress(for: named, media: media) { return (local, true) }
        if neighbors.isOwn(named) && !named.isLinkLocal { return (named, true) }
        return relay.policy.allows(named) ? (named, false) : nil
    }

    /// Of our own ports those that a peer may have: the media port and relayed ones.
    func isServed(_ peer: Endpoint) -> Bool {
        relay.isRelayAddress(peer.address) && relay.owner(ofPort: peer.port) != nil
            || neighbors.isOwn(peer.address) && peer.port == configuration.mediaPort
    }

    /// The headers from a relayed port to a peer.
    func template(toPeer peer: Endpoint, port: UInt16, mac: MACAddress, dontFragment: Bool = false) -> FrameTemplate? {
        guard let source = relay.address(isV4: peer.address.isV4) else { return nil }
        return FrameTemplate(
            source: Endpoint(address: source.local, port: port), destination: peer, sourceMAC: neighbors.mac,
            destinationMAC: mac, dontFragment: dontFragment)
    }

    /// A frame to one of our own addresses does not go to the wire.
    mutating func loop(_ packet: Mbuf) {
        guard relay.batch.loopCount < RelayBatch.loopCapacity else { return drop(packet, .relayLoop) }
        counters.add(.relayShortCircuit)
        relay.batch.loops[relay.batch.loopCount] = packet
        relay.batch.loopCount &+= 1
    }

    /// Gives what turned back to ourselves to classification. A client's packet goes to a Session or another client from
    /// there, and a client is never one of our own addresses: it ends here.
    mutating func takeLoops(now: UInt64) {
        var index = 0
        while index < relay.batch.loopCount {
            let packet = relay.batch.loops[index]
            index &+= 1
            classify(packet, now: now, isLooped: true)
        }
        relay.batch.loopCount = 0
    }

    /// Frames of Sessions to our own link address: they go to clients of the relay.
    mutating func takeLoopedFrames(now: UInt64) {
        let count = outbox.takeLooped(into: relay.looped, capacity: Relay.loopedCapacity)
        for index in 0..<count {
            let packet = relay.looped[index]
            guard let datagram = DatagramFrame(packet.bytes), relay.isEnabled,
                relay.isRelayAddress(datagram.destination.address)
            else {
                drop(packet, .relayLoop)
                continue
            }
            counters.add(.relayShortCircuit)
            receiveFromPeer(datagram, in: packet, isHandedOver: false, isLooped: true, now: now)
        }
        if relay.batch.toClientCount > 0 { relayToClients(now: now) }
    }

    /// A datagram to a relayed port: its worker's.
    mutating func receiveFromPeer(
        _ datagram: DatagramFrame, in packet: Mbuf, isHandedOver: Bool, isLooped: Bool, now: UInt64
    ) {
        guard let owner = relay.owner(ofPort: datagram.destination.port) else { return drop(packet, .unknownPort) }
        if owner == relay.number {
            return queueToClient(datagram, in: packet, isHandedOver: isHandedOver, isLooped: isLooped, now: now)
        }
        guard !isHandedOver else { return drop(packet, .relayNoAllocation) }
        // The other worker cannot check that it did not come from the wire.
        guard isLooped || !neighbors.isOwn(datagram.source.address) && !relay.isRelayAddress(datagram.source.address)
        else { return drop(packet, .badAddress) }
        handOver(packet, to: owner)
    }
}
