import Mailbox
import Wire

/// Tells control what a Session's path carries, and which of its Slots show nothing for that.
extension Worker where Queue: ~Copyable {
    /// Called now and then, after bitrates were shared.
    func reportPath(of session: UnsafeMutablePointer<Session>, now: UInt64) {
        guard let congestion = session.pointee.congestion, congestion.pointee.isHeard,
            congestion.pointee.reports.isDue(now: now)
        else { return }
        congestion.pointee.reports.note(loss: congestion.pointee.estimator.lossRatio)
        counters.notePath(
            estimate: congestion.pointee.estimator.allowance / 1_000,
            queue: congestion.pointee.estimator.queueDelay / 1_000_000,
            roundTrip: congestion.pointee.estimator.roundTrip / 1_000_000,
            loss: UInt64(congestion.pointee.estimator.lossRatio * 1_000))
        let paused = congestion.pointee.paused
        var isShowing = true
        if paused > 0 || congestion.pointee.reports.hasPaused { isShowing = tellPaused(of: session) }
        congestion.pointee.reports.hasPaused = paused > 0
        let loss = congestion.pointee.reports.loss
        congestion.pointee.protectSound(now: now)
        var level = PathReport.Level.good
        if loss >= CongestionConstants.poorLoss || paused > 0 && !isShowing {
            level = .poor
        } else if loss >= CongestionConstants.unstableLoss || paused > 0 || congestion.pointee.isShort {
            level = .unstable
        }
        var report = PathReport()
        report.level = congestion.pointee.reports.settle(level, now: now)
        report.loss = UInt8(clamping: Int(loss * 256))
        report.queue = UInt16(clamping: congestion.pointee.estimator.queueDelay / 1_000_000)
        report.paused = UInt16(clamping: paused)
        report.estimate = UInt32(clamping: congestion.pointee.estimator.allowance)
        guard congestion.pointee.reports.takes(report, now: now) else { return }
        tell(.pathReport(session.pointee.handle, report))
    }

    /// Tells of Slots that have shown nothing for so long, once each. Whether any picture is shown.
    private func tellPaused(of session: UnsafeMutablePointer<Session>) -> Bool {
        var isShowing = false
        var index = session.pointee.firstSlot
        while index != Link.none {
            let slot = slots.element(at: Int(index))
            index = slot.pointee.nextOfSession
            guard slot.pointee.kind.isVideo, !slot.pointee.track.isNone else { continue }
            if slot.pointee.current != nil { isShowing = true }
            guard slot.pointee.notePause() else { continue }
            tell(.slotPaused(slot.pointee.handle, track: slot.pointee.track))
        }
        return isShowing
    }
}
