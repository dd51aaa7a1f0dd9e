import CDPDK
import Mailbox
import Wire

/// The data path of TURN: ChannelData to peers, peers' packets to clients. A packet is rewritten where it lies: its payload
/// stays, headers of the other side go before it, and the UDP checksum is corrected by what changed.
///
/// A burst goes through in stages, each of which asks the cache for what the next one reads: the client's place in
/// the table, the Allocation, the Channel; or the peer's place, the Channel, the Allocation.
extension Worker where Queue: ~Copyable {
    /// A client's ChannelData (RFC 8656 section 12.6).
    @inline(__always)
    mutating func queueToPeer(_ datagram: DatagramFrame, in packet: Mbuf, _ arrival: Arrival, now: UInt64) {
        // TURN inside TURN through our own relay could loop.
        guard !arrival.isLooped else { return drop(packet, .relayLoop) }
        let key = FlowKey(remote: datagram.source, localPort: arrival.listener)
        let hash = relay.clients.hash(key)
        relay.clients.prefetch(hash)
        relay.batch.toPeer[relay.batch.toPeerCount] = RelayBatch.Entry(
            packet: packet, datagram: datagram, key: key, hash: hash, isHandedOver: arrival.isHandedOver,
            isLooped: false)
        relay.batch.toPeerCount &+= 1
        if relay.batch.toPeerCount == RelayBatch.capacity { relayPending(now: now) }
    }

    /// A datagram to a relayed address of this worker (section 11.3).
    @inline(__always)
    mutating func queueToClient(
        _ datagram: DatagramFrame, in packet: Mbuf, isHandedOver: Bool, isLooped: Bool, now: UInt64
    ) {
        let key = FlowKey(remote: datagram.source, localPort: datagram.destination.port)
        let hash = relay.peers.hash(key)
        relay.peers.prefetch(hash)
        relay.batch.toClient[relay.batch.toClientCount] = RelayBatch.Entry(
            packet: packet, datagram: datagram, key: key, hash: hash, isHandedOver: isHandedOver, isLooped: isLooped)
        relay.batch.toClientCount &+= 1
        if relay.batch.toClientCount == RelayBatch.capacity { relayToClients(now: now) }
    }

    /// Relays what was queued, and what turned back to ourselves by that.
    mutating func relayPending(now: UInt64) {
        if relay.batch.toPeerCount > 0 { relayToPeers(now: now) }
        takeLoops(now: now)
        if relay.batch.toClientCount > 0 { relayToClients(now: now) }
        if outbox.needsFlush { flush() }
    }

    private mutating func relayToPeers(now: UInt64) {
        let entries = relay.batch.toPeer
        let count = relay.batch.toPeerCount
        relay.batch.toPeerCount = 0
        for index in 0..<count {
            let entry = entries + index
            guard let found = relay.clients.find(entry.pointee.key, hash: entry.pointee.hash) else { continue }
            entry.pointee.found = found
            guard AllocationHandle(raw: found).worker == relay.number else { continue }
            let allocation = UnsafeRawPointer(relay.allocations.element(at: AllocationHandle(raw: found).index))
            cpu_prefetch(allocation)
            cpu_prefetch(allocation + 64)
        }
        for index in 0..<count {
            let entry = entries + index
            let handle = AllocationHandle(raw: entry.pointee.found)
            guard entry.pointee.found != 0, handle.worker == relay.number else { continue }
            let low = Int(entry.pointee.datagram.payload[1]) & (Allocation.nearChannels &- 1)
            let allocation = relay.allocations.element(at: handle.index)
            prefetchAccount(of: allocation)
            let near = allocation.pointee.near[low]
            entry.pointee.channel = near
            guard near != Link.none else { continue }
            let channel = UnsafeRawPointer(relay.channels[near])
            cpu_prefetch(channel)
            cpu_prefetch(channel + 64)
        }
        for index in 0..<count { relayToPeer(entries + index, now: now) }
    }

    @inline(__always)
    private func prefetchAccount(of allocation: UnsafeMutablePointer<Allocation>) {
        cpu_prefetch(UnsafeRawPointer(relay.accounts[allocation.pointee.account]))
    }

    @inline(__always)
    private mutating func relayToPeer(_ entry: UnsafeMutablePointer<RelayBatch.Entry>, now: UInt64) {
        let packet = entry.pointee.packet
        let handle = AllocationHandle(raw: entry.pointee.found)
        guard entry.pointee.found != 0, handle.worker == relay.number else { return relayElsewhere(entry) }
        let datagram = entry.pointee.datagram
        guard let message = ChannelData(datagram.payload) else { return drop(packet, .relayMalformed) }
        let allocation = relay.allocations.element(at: handle.index)
        var place = entry.pointee.channel
        if place == Link.none || relay.channels[place].pointee.number != message.channel {
            guard let found = relay.channel(message.channel, of: allocation) else {
                return drop(packet, .relayNoChannel)
            }
            place = found
        }
        let length = message.payload.count
        let udpLength = UInt32(truncatingIfNeeded: datagram.payloadLength &+ UDPHeader.length)
        let sums = allocation.pointee.clientAddressSum
        let field = datagram.base.be16(datagram.udpOffset &+ 6)
        var old: UInt32?
        // No checksum, a partial one of a kernel's peer, or padding behind the message: it is computed anew.
        if field != 0, field != InternetChecksum.fold(sums &+ udpLength),
            datagram.payloadLength == ChannelData.headerLength &+ length
        {
            old =
                sums &+ allocation.pointee.clientPortSum &+ 2 &* udpLength &+ UInt32(message.channel)
                &+ UInt32(truncatingIfNeeded: length) &+ UInt32(field)
        }
        sendToPeer(
            packet, offset: datagram.payloadOffset &+ ChannelData.headerLength, length: length,
            on: relay.channels[place], of: allocation, old: old, trafficClass: datagram.trafficClass, now: now)
    }

    /// Not an allocation of ours: its worker's, or nobody's.
    private mutating func relayElsewhere(_ entry: UnsafeMutablePointer<RelayBatch.Entry>) {
        let known = entry.pointee.found
        let owner = known != 0 ? AllocationHandle(raw: known).worker : relay.owner(of: entry.pointee.key.remote)
        guard owner != relay.number, !entry.pointee.isHandedOver else {
            return drop(entry.pointee.packet, .relayNoAllocation)
        }
        handOver(entry.pointee.packet, to: owner)
    }

    /// Sends the `length` bytes at `offset` of a packet to a channel's peer. `old`: the sum of what the checksum field
    /// owed to the old headers, and the field; nil has the checksum computed.
    @inline(__always)
    mutating func sendToPeer(
        _ packet: Mbuf, offset: Int, length: Int, on channel: UnsafeMutablePointer<Channel>,
        of allocation: UnsafeMutablePointer<Allocation>, old: UInt32?, trafficClass: UInt8, now: UInt64
    ) {
        guard now < channel.pointee.expiry else { return drop(packet, .relayNoChannel) }
        if now >= channel.pointee.routeDue { findRoute(channel, now: now) }
        guard channel.pointee.hasRoute else { return drop(packet, .relayNoRoute) }
        guard relay.admits(length, of: allocation, now: now) else { return drop(packet, .relayBandwidth) }
        let newLength = UInt32(truncatingIfNeeded: length &+ UDPHeader.length)
        let sum = channel.pointee.peerAddressSum &+ channel.pointee.peerPortSum &+ 2 &* newLength
        guard
            reframe(
                packet, offset: offset, length: length,
                UnsafeRawPointer(channel).assumingMemoryBound(to: FrameTemplate.self), old: old, new: sum,
                trafficClass: trafficClass)
        else { return }
        countToPeer(length)
        if channel.pointee.isOwn { loop(packet) } else { outbox.add(packet) }
    }

    @inline(__always)
    func countToPeer(_ length: Int) {
        counters.add(.relayedPacketsToPeer)
        counters.add(.relayedBytesToPeer, UInt64(truncatingIfNeeded: length))
    }

    mutating func relayToClients(now: UInt64) {
        let entries = relay.batch.toClient
        let count = relay.batch.toClientCount
        relay.batch.toClientCount = 0
        for index in 0..<count {
            let entry = entries + index
            guard let found = relay.peers.find(entry.pointee.key, hash: entry.pointee.hash) else { continue }
            entry.pointee.channel = UInt32(truncatingIfNeeded: found)
            let channel = UnsafeRawPointer(relay.channels[entry.pointee.channel])
            cpu_prefetch(channel)
            cpu_prefetch(channel + 64)
        }
        for index in 0..<count where entries[index].channel != Link.none {
            let owner = relay.channels[entries[index].channel].pointee.allocation
            let allocation = UnsafeRawPointer(relay.allocations.element(at: Int(owner)))
            cpu_prefetch(allocation)
            cpu_prefetch(allocation + 64)
        }
        for index in 0..<count where entries[index].channel != Link.none {
            let owner = relay.channels[entries[index].channel].pointee.allocation
            prefetchAccount(of: relay.allocations.element(at: Int(owner)))
        }
        for index in 0..<count { relayToClient(entries + index, now: now) }
    }

    @inline(__always)
    private mutating func relayToClient(_ entry: UnsafeMutablePointer<RelayBatch.Entry>, now: UInt64) {
        guard entry.pointee.channel != Link.none else { return indicateData(entry, now: now) }
        let packet = entry.pointee.packet
        let datagram = entry.pointee.datagram
        let channel = relay.channels[entry.pointee.channel]
        guard now < channel.pointee.expiry else { return indicateData(entry, now: now) }
        // Our own addresses do not come in from the wire.
        guard !channel.pointee.isOwn || entry.pointee.isLooped || entry.pointee.isHandedOver else {
            return drop(packet, .badAddress)
        }
        if !channel.pointee.hasRoute { learnRoute(channel, from: datagram, now: now) }
        let allocation = relay.allocations.element(at: Int(channel.pointee.allocation))
        let length = datagram.payloadLength
        guard relay.admits(length, of: allocation, now: now) else { return drop(packet, .relayBandwidth) }
        let udpLength = UInt32(truncatingIfNeeded: length &+ UDPHeader.length)
        let field = datagram.base.be16(datagram.udpOffset &+ 6)
        let sums = channel.pointee.peerAddressSum
        var old: UInt32?
        if field != 0, field != InternetChecksum.fold(sums &+ udpLength) {
            old = sums &+ channel.pointee.peerPortSum &+ 2 &* udpLength &+ UInt32(field)
        }
        let trafficClass = datagram.trafficClass
        let offset = datagram.payloadOffset &- ChannelData.headerLength
        ChannelData.write(to: packet.data + offset, channel: channel.pointee.number, payloadLength: length)
        if allocation.pointee.isStream {
            return depart(
                packet, offset: offset, length: ChannelData.headerLength &+ length, relayed: length, allocation)
        }
        let sum =
            allocation.pointee.clientAddressSum &+ allocation.pointee.clientPortSum
            &+ 2 &* (udpLength &+ UInt32(ChannelData.headerLength)) &+ UInt32(channel.pointee.number)
            &+ UInt32(truncatingIfNeeded: length)
        guard
            reframe(
                packet, offset: offset, length: ChannelData.headerLength &+ length,
                UnsafeRawPointer(allocation).assumingMemoryBound(to: FrameTemplate.self), old: old, new: sum,
                trafficClass: trafficClass)
        else { return }
        countToClient(length)
        outbox.add(packet)
    }

    @inline(__always)
    func countToClient(_ length: Int) {
        counters.add(.relayedPacketsToClient)
        counters.add(.relayedBytesToClient, UInt64(truncatingIfNeeded: length))
    }

    /// Puts the template's headers before the `length` bytes at `offset`, and cuts off the rest; false when the packet
    /// was dropped. `old` and `new` are what the UDP checksum covers beside the bytes that stay, before (with the field
    /// that came) and after; it is computed anew where `old` is nil.
    @inline(__always)
    mutating func reframe(
        _ packet: Mbuf, offset: Int, length: Int, _ template: UnsafePointer<FrameTemplate>, old: UInt32?, new: UInt32,
        trafficClass: UInt8
    ) -> Bool {
        let headers = template.pointee.length
        guard headers &+ length <= queue.maximumFrame else {
            drop(packet, .oversize)
            return false
        }
        let shift = offset &- headers
        guard shift >= 0 ? packet.adjust(shift) : packet.prepend(-shift) != nil, packet.setLength(headers &+ length)
        else {
            drop(packet, .noBuffer)
            return false
        }
        let data = packet.data
        relay.identification &+= 1
        template.pointee.write(into: data, payloadLength: length, identification: relay.identification)
        if trafficClass != 0 { setTrafficClass(trafficClass, in: data, isV4: template.pointee.isV4) }
        packet.clearOffloads()
        if let old {
            // RFC 1624 equation 3.
            let sum = UInt32(~InternetChecksum.fold(old)) &+ UInt32(InternetChecksum.fold(new))
            data.setBE16(InternetChecksum.finishUDP(sum), at: headers &- 2)
        } else if queue.offload.udp {
            template.pointee.fillPseudoHeaderSum(in: data, payloadLength: length)
            packet.requestChecksums(ChecksumOffload(ipv4Header: false, udp: true), isV4: template.pointee.isV4)
        } else {
            template.pointee.fillChecksum(in: data, payloadLength: length)
        }
        return true
    }

    /// DSCP and ECN go on as they came (RFC 8656 section 15).
    private func setTrafficClass(_ trafficClass: UInt8, in frame: UnsafeMutableRawPointer, isV4: Bool) {
        if isV4 {
            let word = UInt16(frame.load(fromByteOffset: 14, as: UInt8.self)) << 8
            let checksum = UnsafeRawPointer(frame).be16(24)
            frame.setU8(trafficClass, at: 15)
            frame.setBE16(InternetChecksum.updated(checksum, from: word, to: word | UInt16(trafficClass)), at: 24)
        } else {
            frame.setBE16(0x6000 | UInt16(trafficClass) << 4, at: 14)
        }
    }
}
