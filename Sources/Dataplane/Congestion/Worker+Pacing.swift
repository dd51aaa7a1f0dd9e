import Mailbox
import Wire

/// Holds packets of Sessions that are over their budget, and lets them go evenly.
extension Worker where Queue: ~Copyable {
    /// Packets of all Sessions that wait at most.
    static var mostPaced: Int { 4_096 }

    /// Keeps a packet until the Session's pacer lets it go. False where too much waits: then it is not sent at all.
    mutating func hold(
        _ packet: Mbuf, _ heading: PacketHeading, patch: UInt64, original: UInt64? = nil,
        of slot: UnsafeMutablePointer<Slot>, over path: SinkPath
    ) -> Bool {
        guard let congestion = path.session.pointee.congestion else { return false }
        let bytes = Int(packet.record.pointee.payloadLength) &+ CongestionConstants.paddingHeaders
        let place: PacedPacket.Class =
            heading.kind != .media ? .retransmission : slot.pointee.kind == .screen ? .screen : .video
        let waits = PacedPacket(
            packet: packet, slot: slot.pointee.handle, heading: heading, patch: patch, original: original, bytes: bytes,
            since: relay.now)
        guard congestion.pointee.hold(waits, as: place, in: &paced) else { return false }
        packet.retain()
        if place != .retransmission {
            if slot.pointee.waiting == 0 { slot.pointee.sentUpTo = slot.pointee.rewriter.highest }
            slot.pointee.waiting &+= 1
        }
        counters.add(.pacedPackets)
        if !congestion.pointee.isListed {
            congestion.pointee.isListed = true
            congestion.pointee.nextPaced = firstPaced
            firstPaced = UInt32(truncatingIfNeeded: slot.pointee.session.index)
        }
        return true
    }

    /// Sends what may go by now. Called in each round of `keepHouse`.
    mutating func releasePaced(now: UInt64) {
        var index = firstPaced
        firstPaced = Link.none
        while index != Link.none {
            let congestion = slabs.congestion(Int(index))
            let next = congestion.pointee.nextPaced
            while congestion.pointee.pacer.mayGo(now: now), let packet = congestion.pointee.takeWaiting(from: &paced) {
                congestion.pointee.noteWait(now &- packet.since, now: now)
                release(packet)
                if outbox.needsFlush { flush() }
            }
            congestion.pointee.isListed = congestion.pointee.isWaiting
            if congestion.pointee.isListed {
                congestion.pointee.nextPaced = firstPaced
                firstPaced = index
            }
            index = next
        }
    }

    /// Sends it, unless its Slot or the Session's keys are gone.
    private mutating func release(_ waiting: PacedPacket) {
        // It may wait to be sealed for longer than this reference is held.
        defer { outbox.retire(waiting.packet) }
        guard let slot = slots.find(waiting.slot) else { return }
        if waiting.heading.kind == .media {
            slot.pointee.waiting &-= 1
            slot.pointee.sentUpTo = max(slot.pointee.sentUpTo, waiting.heading.number)
        }
        guard var path = path(to: slot) else { return }
        guard relay.now &- waiting.since < CongestionConstants.longestWait else { return breakOff(slot) }
        let record = UnsafePointer(waiting.packet.record)
        if let original = waiting.original {
            if slot.pointee.name.isInRetransmissions { path.isShort = false }
            _ = emitRepetition(
                of: original, waiting.packet, record, waiting.heading, patch: waiting.patch, over: path)
        } else {
            // Others read it too.
            _ = emit(waiting.packet, record, waiting.heading, patch: waiting.patch, over: path, isShared: true)
        }
    }

    /// A packet of a Slot's picture is not sent: it goes on with a keyframe.
    mutating func breakOff(_ slot: UnsafeMutablePointer<Slot>) {
        counters.drop(.pacerFull)
        guard slot.pointee.current != nil else { return }
        cut(slot)
        if let track = tracks.find(slot.pointee.track) { track.pointee.choiceDue = 0 }
    }

    /// What a Slot showed goes on no longer, and nothing of it is repeated.
    mutating func cut(_ slot: UnsafeMutablePointer<Slot>) {
        slot.pointee.current = nil
        takeBack(slot)
        slot.pointee.cutAt = slot.pointee.rewriter.highest
    }

    /// What of a Slot's pictures waits is not sent: its numbers are for what comes next, so that the receiver misses nothing.
    mutating func takeBack(_ slot: UnsafeMutablePointer<Slot>) {
        let session = sessions.element(at: slot.pointee.session.index)
        guard slot.pointee.waiting > 0, let congestion = session.pointee.congestion else { return }
        // Never below a number that was sent: none seals two contents.
        slot.pointee.rewriter.rewind(to: slot.pointee.sentUpTo)
        slot.pointee.waiting = 0
        var index = congestion.pointee.unlinkPictures(of: slot.pointee.handle, in: &paced)
        while index != Link.none {
            let waiting = paced[index].pointee
            paced.giveBack(index)
            slot.pointee.packetsSent &-= 1
            slot.pointee.octetsSent &-= UInt32(waiting.packet.record.pointee.payloadLength)
            outbox.retire(waiting.packet)
            if outbox.needsFlush { flush() }
            index = waiting.next
        }
    }

    /// The Session ends: what waits for it is not sent.
    mutating func dropPaced(of session: UnsafeMutablePointer<Session>) {
        guard let congestion = session.pointee.congestion else { return }
        while let packet = congestion.pointee.takeWaiting(from: &paced) {
            slots.find(packet.slot)?.pointee.waiting = 0
            outbox.retire(packet.packet)
        }
        guard congestion.pointee.isListed else { return }
        congestion.pointee.isListed = false
        let ended = UInt32(truncatingIfNeeded: session.pointee.handle.index)
        guard firstPaced != ended else {
            firstPaced = congestion.pointee.nextPaced
            return
        }
        var before = firstPaced
        while before != Link.none {
            let place = slabs.congestion(Int(before))
            if place.pointee.nextPaced == ended {
                place.pointee.nextPaced = congestion.pointee.nextPaced
                return
            }
            before = place.pointee.nextPaced
        }
    }
}
