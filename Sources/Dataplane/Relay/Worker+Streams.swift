import Mailbox
import Wire

/// Messages of clients on TCP and TLS; control owns the connections.
extension Worker where Queue: ~Copyable {
    /// Takes messages of streams; a bounded number: how many.
    mutating func takeStreams(now: UInt64) -> Int {
        guard relay.isEnabled else { return 0 }
        var taken = 0
        while taken < Self.burst, let message = mailbox.turn.arrivals.pop() {
            taken &+= 1
            takeStream(message, now: now)
            if outbox.needsFlush { flush() }
        }
        if taken > 0 {
            relayPending(now: now)
            openPending(now: now)
        }
        return taken
    }

    private mutating func takeStream(_ message: borrowing TURNStreamMessage, now: UInt64) {
        let key = FlowKey(remote: message.client.endpoint, localPort: Listeners.stream)
        guard message.client.transport != .udp else { return counters.drop(.relayMalformed) }
        if message.closed {
            forgetRequest(key)
            guard let found = relay.clients.find(key),
                let allocation = relay.allocations.find(AllocationHandle(raw: found))
            else { return }
            return closeAllocation(allocation, .disconnected, now: now)
        }
        guard let packet = pool.allocate() else { return counters.drop(.noBuffer) }
        // Room for the longest headers of the other side.
        let offset = 64
        let count = min(Int(message.count), TURNStreamMessage.capacity)
        guard packet.setLength(offset &+ count) else { return drop(packet, .oversize) }
        withUnsafeBytes(of: message.bytes) { content in
            (packet.data + offset).copyMemory(from: content.baseAddress.unsafelyUnwrapped, byteCount: count)
        }
        let context = TURNContext(
            client: message.client, key: key, clientMAC: .zero, packet: packet, messageOffset: offset, trafficClass: 0,
            isHandedOver: true)
        let payload = packet.bytes.part(offset, count)
        if let data = ChannelData(payload) {
            guard let allocation = findAllocation(context) else { return drop(packet, .relayNoAllocation) }
            guard let place = relay.channel(data.channel, of: allocation) else { return drop(packet, .relayNoChannel) }
            return sendToPeer(
                packet, offset: offset &+ ChannelData.headerLength, length: data.payload.count,
                on: relay.channels[place], of: allocation, old: nil, trafficClass: 0, now: now)
        }
        guard let stun = STUNMessage(payload), !stun.hasFingerprint || stun.isFingerprintValid else {
            return drop(packet, .stunMalformed)
        }
        answerTURN(stun, context, now: now)
    }

    /// Sends the `length` bytes at `offset` to a stream's client, padded as streams want it (section 12.5), and frees the
    /// packet. A full ring drops.
    mutating func depart(
        _ packet: Mbuf, offset: Int, length: Int, relayed: Int, _ allocation: UnsafeMutablePointer<Allocation>
    ) {
        var message = TURNStreamMessage(allocation.pointee.client)
        let padded = (length &+ 3) & ~3
        guard message.fill(packet.bytes.part(offset, length)), padded <= TURNStreamMessage.capacity else {
            return drop(packet, .oversize)
        }
        // The bytes behind are zero.
        message.count = UInt16(truncatingIfNeeded: padded)
        packet.free()
        guard mailbox.turn.departures.push(message) else { return counters.drop(.relayStreamFull) }
        countToClient(relayed)
    }
}
