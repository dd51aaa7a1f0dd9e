import Wire

/// What receivers report that they lost.
extension Worker where Queue: ~Copyable {
    /// Part of a report's packets, of 256, from which on it is a burst: retransmissions do not mend that much. A quarter.
    private static var lossBurst: UInt8 { 64 }

    /// When a burst of loss ends, a receiver may lack what it will not ask for any more, and some ask for no keyframe at all:
    /// one is asked for in its place.
    mutating func noteLosses(_ report: RTCPPacket, of session: UnsafeMutablePointer<Session>, now: UInt64) {
        let (sender, receiver) = (SenderReport(report), ReceiverReport(report))
        for place in 0..<(sender?.blockCount ?? receiver?.blockCount ?? 0) {
            guard let block = sender?.block(place) ?? receiver?.block(place) else { continue }
            let isLossy = block.fractionLost >= Self.lossBurst
            // Receivers of a good network cost no search.
            guard isLossy || session.pointee.lossySlots > 0 else { continue }
            guard let slot = slot(of: session, ssrc: block.ssrc), slot.pointee.isLossy != isLossy else { continue }
            if isLossy {
                slot.pointee.isLossy = true
                session.pointee.lossySlots &+= 1
            } else if requestKeyframe(for: slot, now: now) {
                forgetLosses(of: slot, session)
            }
        }
    }

    /// The Slot closes, or its receiver loses little again.
    func forgetLosses(of slot: UnsafeMutablePointer<Slot>, _ session: UnsafeMutablePointer<Session>) {
        guard slot.pointee.isLossy else { return }
        slot.pointee.isLossy = false
        session.pointee.lossySlots &-= 1
    }
}
