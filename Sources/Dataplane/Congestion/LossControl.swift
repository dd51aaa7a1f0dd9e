/// Loss without a queue: random loss changes nothing, a limiter that drops what is too much does.
struct LossControl: BitwiseCopyable {
    private var received = 0
    private var lost = 0
    private var windowStart: UInt64 = 0
    /// Share of loss that no slowing down has changed.
    private var accepted = CongestionConstants.acceptedLoss
    private var acceptedAt: UInt64 = 0
    /// Of the window before a slowing down; 0 when there was none.
    private var lossBefore = 0.0
    /// Of the latest window.
    private(set) var ratio = 0.0
    /// Until when the estimate should not rise, ns.
    private(set) var holdUntil: UInt64 = 0

    /// Whether to send no more than what comes in.
    mutating func note(received: Int, lost: Int, now: UInt64) -> Bool {
        self.received &+= received
        self.lost &+= lost
        let total = self.received &+ max(self.lost, 0)
        guard now &- windowStart >= CongestionConstants.lossWindow, total >= CongestionConstants.lossPackets else {
            return false
        }
        ratio = Double(max(self.lost, 0)) / Double(total)
        self.received = 0
        self.lost = 0
        windowStart = now
        if now &- acceptedAt > CongestionConstants.acceptedLife { accepted = CongestionConstants.acceptedLoss }
        return judge(now: now)
    }

    private mutating func judge(now: UInt64) -> Bool {
        guard ratio > accepted + CongestionConstants.lossMargin else {
            lossBefore = 0
            return false
        }
        if lossBefore > 0, ratio > lossBefore * CongestionConstants.lossUnchanged {
            accepted = ratio
            acceptedAt = now
            lossBefore = 0
            return false
        }
        lossBefore = ratio
        holdUntil = now &+ CongestionConstants.lossHold
        return true
    }
}
