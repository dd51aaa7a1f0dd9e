import Wire

/// A report's blocks.
protocol ReportBlocks {
    var blockCount: Int { get }
    func block(_ index: Int) -> ReportBlock
}

extension SenderReport: ReportBlocks {}
extension ReceiverReport: ReportBlocks {}

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

    /// A receiver's report tells the streams that it knows. The Slots are visited once for all of its blocks.
    func confirmNames(_ report: (some ReportBlocks)?, of session: UnsafeMutablePointer<Session>) {
        guard let report, report.blockCount > 0 else { return }
        var index = session.pointee.firstSlot
        while index != Link.none {
            let slot = slots.element(at: Int(index))
            index = slot.pointee.nextOfSession
            guard slot.pointee.name.isAwaited else { continue }
            for place in 0..<report.blockCount {
                let ssrc = report.block(place).ssrc
                if ssrc == slot.pointee.ssrc { slot.pointee.name.confirm(highest: slot.pointee.rewriter.highest) }
                if ssrc == slot.pointee.rtxSsrc { slot.pointee.name.confirmRetransmissions() }
            }
            slot.pointee.isNamed = slot.pointee.name.until != 0
            if slot.pointee.name.isOver { forgetName(of: slot, session) }
        }
    }
}
