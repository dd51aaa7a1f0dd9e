import Wire

/// Until when the packets of Slots name their m-lines.
extension Worker where Queue: ~Copyable {
    /// The Slot begins to send: a report is awaited that tells that the receiver knows its stream.
    func awaitName(of slot: UnsafeMutablePointer<Slot>, _ session: UnsafeMutablePointer<Session>) {
        guard !slot.pointee.name.isAwaited, !slot.pointee.name.isOver else { return }
        slot.pointee.name.isAwaited = true
        session.pointee.awaitedNames &+= 1
    }

    /// The Slot closes, or its stream is known.
    func forgetName(of slot: UnsafeMutablePointer<Slot>, _ session: UnsafeMutablePointer<Session>) {
        guard slot.pointee.name.isAwaited else { return }
        slot.pointee.name.isAwaited = false
        session.pointee.awaitedNames &-= 1
    }

    /// A sender or receiver report tells the streams that its sender knows. The Slots are visited once for all of its blocks.
    func confirmNames(_ report: RTCPPacket, of session: UnsafeMutablePointer<Session>) {
        guard session.pointee.awaitedNames > 0 else { return }
        let (sender, receiver) = (SenderReport(report), ReceiverReport(report))
        let count = sender?.blockCount ?? receiver?.blockCount ?? 0
        var index = count > 0 ? session.pointee.firstSlot : Link.none
        while index != Link.none {
            let slot = slots.element(at: Int(index))
            index = slot.pointee.nextOfSession
            guard slot.pointee.name.isAwaited else { continue }
            for place in 0..<count {
                guard let block = sender?.block(place) ?? receiver?.block(place) else { continue }
                if block.ssrc == slot.pointee.ssrc { slot.pointee.name.confirm(highest: slot.pointee.rewriter.highest) }
                if block.ssrc == slot.pointee.rtxSsrc { slot.pointee.name.confirmRetransmissions() }
            }
            slot.pointee.isNamed = slot.pointee.name.until != 0
            if slot.pointee.name.isOver { forgetName(of: slot, session) }
        }
    }
}
