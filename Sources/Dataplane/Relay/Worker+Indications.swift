import Mailbox
import Wire

/// Send and Data indications (RFC 8656 section 11).
extension Worker where Queue: ~Copyable {
    /// A client's Send indication: takes over the packet.
    mutating func send(_ message: TURNMessage, _ context: TURNContext, now: UInt64) {
        let packet = context.packet
        guard let allocation = findAllocation(context) else { return drop(packet, .relayNoAllocation) }
        // Section 11.2: without a right address and DATA, or with what we do not understand, it is ignored.
        guard !message.isMalformed, message.stun.unknownCount == 0, message.peerCount == 1, let named = message.peer,
            named.port != 0, let data = message.data
        else { return drop(packet, .relayMalformed) }
        let port = allocation.pointee.port(isV4: named.address.isV4)
        guard port != 0, let (address, isOwn) = localPeer(named.address),
            let permission = relay.permission(for: address, port: port),
            now < relay.permissions[permission].pointee.expiry
        else { return drop(packet, .relayNoPermission) }
        let peer = Endpoint(address: address, port: named.port)
        var mac = neighbors.mac
        if !isOwn {
            guard case .known(let hop, _) = neighbors.nextHop(to: address, now: now) else {
                return drop(packet, .relayNoRoute)
            }
            mac = hop
        } else if !isServed(peer) {
            return drop(packet, .relayNoPermission)
        }
        guard relay.admits(data.count, of: allocation, now: now) else { return drop(packet, .relayBandwidth) }
        guard let template = template(toPeer: peer, port: port, mac: mac, dontFragment: message.dontFragment) else {
            return drop(packet, .relayNoRoute)
        }
        let length = data.count
        let isFramed = withUnsafePointer(to: template) {
            reframe(
                packet, offset: context.messageOffset &+ message.dataOffset, length: length, $0, old: nil, new: 0,
                trafficClass: context.trafficClass)
        }
        guard isFramed else { return }
        countToPeer(length)
        if isOwn { loop(packet) } else { outbox.add(packet) }
    }

    /// A peer's packet without a channel goes to the client as a Data indication (section 11.3).
    mutating func indicateData(_ entry: UnsafeMutablePointer<RelayBatch.Entry>, now: UInt64) {
        let packet = entry.pointee.packet
        let datagram = entry.pointee.datagram
        let source = datagram.source
        let port = entry.pointee.key.localPort
        guard let index = relay.permission(for: source.address, port: port),
            now < relay.permissions[index].pointee.expiry
        else {
            let isFree = source.address.isV4 ? relay.portsV4.isFree(port) : relay.portsV6.isFree(port)
            return drop(packet, isFree ? .relayNoAllocation : .relayNoPermission)
        }
        if !entry.pointee.isLooped && !entry.pointee.isHandedOver
            && (neighbors.isOwn(source.address) || relay.isRelayAddress(source.address))
        {
            return drop(packet, .badAddress)
        }
        let permission = relay.permissions[index].pointee
        let allocation = relay.allocations.element(at: Int(permission.allocation))
        let length = datagram.payloadLength
        guard relay.admits(length, of: allocation, now: now) else { return drop(packet, .relayBandwidth) }
        let trafficClass = datagram.trafficClass
        let named = Endpoint(address: permission.named, port: source.port)
        // Headers and XOR-PEER-ADDRESS go before the payload, DATA's padding behind it.
        let before = STUNMessage.headerLength + (named.address.isV4 ? 12 : 24) + 4
        let padded = (length &+ 3) & ~3
        let shift = datagram.payloadOffset &- before
        guard shift >= 0 ? packet.adjust(shift) : packet.prepend(-shift) != nil, packet.setLength(before &+ padded),
            before &+ padded <= queue.maximumFrame
        else { return drop(packet, .oversize) }
        writeData(packet.data, peer: named, length: length)
        if allocation.pointee.isStream {
            return depart(packet, offset: 0, length: before &+ padded, relayed: length, allocation)
        }
        let isFramed = reframe(
            packet, offset: 0, length: before &+ padded,
            UnsafeRawPointer(allocation).assumingMemoryBound(to: FrameTemplate.self), old: nil, new: 0,
            trafficClass: trafficClass)
        guard isFramed else { return }
        countToClient(length)
        outbox.add(packet)
    }

    /// The Data indication around a payload of `length` bytes that is in place.
    private mutating func writeData(_ memory: UnsafeMutableRawPointer, peer: Endpoint, length: Int) {
        let id = STUNTransactionID(high: UInt32(truncatingIfNeeded: random.next()), low: random.next())
        let room = UnsafeMutableRawBufferPointer(start: memory, count: 64)
        guard var writer = STUNWriter(into: room, class: .indication, method: STUNMethod.data, transactionID: id) else {
            return
        }
        writer.add(STUNAttributeType.xorPeerAddress, xored: peer)
        let header = memory + writer.finish()
        header.setBE16(STUNAttributeType.data, at: 0)
        header.setBE16(UInt16(truncatingIfNeeded: length), at: 2)
        let padded = (length &+ 3) & ~3
        for index in length..<padded { header.setU8(0, at: 4 &+ index) }
        memory.setBE16(
            UInt16(truncatingIfNeeded: writer.finish() &+ 4 &+ padded &- STUNMessage.headerLength), at: 2)
    }
}
