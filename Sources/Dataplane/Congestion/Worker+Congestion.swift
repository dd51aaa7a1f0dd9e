import Mailbox
import Wire

/// What a Session's path carries: feedback on what was sent, and probes.
extension Worker where Queue: ~Copyable {
    /// Transport-wide feedback; other messages of its packet type are not looked at.
    mutating func noteTransportFeedback(_ part: RTCPPacket, session: UnsafeMutablePointer<Session>, now: UInt64) {
        guard let congestion = session.pointee.congestion else { return }
        let count = TransportFeedback.statusCount(of: part)
        guard count > 0 else { return }
        session.pointee.renewCredits(now: now)
        // A datagram can speak of 65,535 packets.
        guard count <= session.pointee.statusCredits else { return counters.drop(.feedbackFlood) }
        session.pointee.statusCredits &-= count
        guard let feedback = TransportFeedback(part) else { return counters.drop(.rtcpMalformed) }
        let before = congestion.pointee.estimator.counters.unknown
        let wasOverused = congestion.pointee.estimator.isOverused
        congestion.pointee.note(feedback, now: now)
        if congestion.pointee.estimator.isOverused, !wasOverused { counters.add(.overuses) }
        counters.add(.feedbackUnknown, congestion.pointee.estimator.counters.unknown &- before)
        shareBitrates(of: session, now: now)
        probe(session, now: now)
    }

    /// ns between two messages of our feedback to a Session's peer.
    func feedbackInterval(of session: UnsafeMutablePointer<Session>) -> UInt64 {
        session.pointee.congestion?.pointee.feedbackInterval ?? CongestionConstants.feedbackInterval
    }

    /// Nothing is numbered any more, or the Session ends.
    mutating func endCongestion(of session: UnsafeMutablePointer<Session>) {
        guard let congestion = session.pointee.congestion else { return }
        dropPaced(of: session)
        pausedSlots &-= congestion.pointee.paused
        session.pointee.congestion = nil
    }

    /// What is due for a Session's path. When it is again, ns; never where nothing is numbered.
    mutating func tickCongestion(of session: UnsafeMutablePointer<Session>, now: UInt64) -> UInt64 {
        guard let congestion = session.pointee.congestion, session.pointee.firstSlot != Link.none else { return .max }
        if congestion.pointee.note(time: now) { grant(.unlimited, to: session, now: now) }
        shareBitrates(of: session, now: now)
        probe(session, now: now)
        reportPath(of: session, now: now)
        return now &+ CongestionConstants.tick
    }

    /// Sends the probe that is due: packets that were sent before where there are any, else padding. Both go as
    /// retransmissions, so that nobody takes them for something new.
    private mutating func probe(_ session: UnsafeMutablePointer<Session>, now: UInt64) {
        guard session.pointee.send != nil, session.pointee.remote != nil, let congestion = session.pointee.congestion,
            congestion.pointee.estimator.mayProbe(now: now), let slot = probingSlot(of: session),
            let track = tracks.find(slot.pointee.track),
            let cluster = congestion.pointee.estimator.nextProbe(now: now)
        else { return }
        counters.add(.probes)
        // What was sent so far went before it.
        distribute()
        var bytes = cluster.packets &* cluster.packetBytes
        var packets = 0
        var age: UInt64 = 0
        while bytes > 0, packets < CongestionConstants.mostPaddingPackets {
            bytes &-= repeatForProbe(age, to: slot, of: track) ?? pad(slot, track, bytes: bytes)
            packets &+= 1
            age &+= 1
            if outbox.needsFlush { flush() }
        }
    }

    /// Repeats the packet that was sent to a Slot `age` packets ago: its bytes; nil where there is none.
    private mutating func repeatForProbe(
        _ age: UInt64, to slot: UnsafeMutablePointer<Slot>, of track: UnsafeMutablePointer<Track>
    ) -> Int? {
        let rewriter = slot.pointee.rewriter
        // What waits was not sent yet, and may never be.
        guard slot.pointee.current != nil, slot.pointee.waiting == 0, rewriter.highest > age,
            let found = rewriter.find(UInt16(truncatingIfNeeded: rewriter.highest &- age)),
            found.epoch.track == track.pointee.handle.raw, Int(found.epoch.layer) < track.pointee.layerCount,
            let packet = track.pointee.layers[Int(found.epoch.layer)].cache.find(found.sequence),
            let epoch = rewriter.epoch(of: found, UnsafePointer(packet.record))
        else { return nil }
        resend(packet, epoch: epoch, number: found.number, to: slot, of: track, as: .probe)
        return Int(packet.record.pointee.payloadLength) &+ CongestionConstants.paddingHeaders
    }

    /// A Slot that what is sent for no other sake can go to.
    private func probingSlot(of session: UnsafeMutablePointer<Session>) -> UnsafeMutablePointer<Slot>? {
        var best: UnsafeMutablePointer<Slot>?
        var index = session.pointee.firstSlot
        while index != Link.none {
            let slot = slots.element(at: Int(index))
            index = slot.pointee.nextOfSession
            guard slot.pointee.types.hasRtx, slot.pointee.rtxSsrc != 0, !slot.pointee.track.isNone else { continue }
            if slot.pointee.current != nil { return slot }
            best = slot
        }
        return best
    }
}
