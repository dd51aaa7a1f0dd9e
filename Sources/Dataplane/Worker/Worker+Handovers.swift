import Mailbox
import Wire

/// Messages between workers.
extension Worker where Queue: ~Copyable {
    /// Hands a received frame to the worker on which its Session lives.
    mutating func handOver(_ packet: Mbuf, to worker: Int) {
        guard siblings.hand(.frame(packet), to: worker) else { return drop(packet, .handoverFull) }
        counters.add(.handoverPackets)
    }

    /// Handles messages of the other workers, a bounded number from each.
    mutating func takeHandovers(now: UInt64) -> Int {
        var taken = 0
        for sibling in 0..<siblings.count {
            guard let ring = siblings.inbound[sibling] else { continue }
            for _ in 0..<Self.burst {
                guard let message = ring.pop() else { break }
                take(message, now: now)
                taken &+= 1
            }
        }
        if taken > 0 {
            if !relay.batch.isEmpty { relayPending(now: now) }
            openPending(now: now)
            openLanePackets(now: now)
            distribute()
        }
        return taken
    }

    private mutating func take(_ message: Handover, now: UInt64) {
        switch message {
        case .frame(let packet): classify(packet, now: now, isHandedOver: true)
        case .media(let packet, let replica): ingestReplica(packet, into: replica, now: now)
        case .neighbor(let packet):
            _ = neighbors.handle(packet, now: now)
            packet.free()
        case .transmit(let packet): outbox.add(prioritised: packet)
        case .exception(let packet): queueForKernel(packet)
        case .keyframe(let track, let layer): requestKeyframe(track, layer: Int(layer), now: now)
        case .layersWanted(let track, let replica, let layers): noteWanted(layers, by: replica, of: track, now: now)
        case .layersSent(let replica, let choices, let kilobits):
            noteSent(choices, kilobits, replica: replica, now: now)
        case .sourceClock(let replica, let layer, let clock): noteClock(clock, replica: replica, layer: layer)
        case .flowOpened(let endpoint, let session):
            guard flows.find(flowKey(endpoint)) != Cascade.trunk else { break }
            if !flows.insert(flowKey(endpoint), session.raw) { counters.drop(.flowTableFull) }
        case .flowClosed(let endpoint, let session):
            if flows.find(flowKey(endpoint)) == session.raw { _ = flows.remove(flowKey(endpoint)) }
        case .sourceOpened(let ssrc, let session): noteSource(ssrc, of: session)
        case .sourceClosed(let ssrc, let session): forgetSource(ssrc, of: session)
        case .clientOpened(let key, let allocation): noteClient(key, allocation)
        case .clientClosed(let key, let allocation): forgetClient(key, allocation)
        }
        if outbox.needsFlush { flush() }
    }

    /// Packets and messages that the other workers handed over.
    var handoversWaiting: Int {
        var count = 0
        for sibling in 0..<siblings.count { count &+= siblings.inbound[sibling]?.count ?? 0 }
        return count
    }
}
