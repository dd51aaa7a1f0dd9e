import Meetings

/// Joiners who wait for a meeting of another PoP to be here; each is told once.
///
/// Owned by the hub.
struct MeetingOpenings {
    enum Outcome {
        case here
        /// There is no such meeting any more.
        case gone
        case late
    }

    typealias Waiter = CheckedContinuation<Outcome, Never>

    private var waiters: [MeetingID: [UInt64: Waiter]] = [:]
    /// Of the next that is added.
    private(set) var nextTag: UInt64 = 0

    func isWaiting(for meeting: MeetingID) -> Bool { waiters[meeting] != nil }

    mutating func add(_ waiter: Waiter, in meeting: MeetingID) {
        waiters[meeting, default: [:]][nextTag] = waiter
        nextTag += 1
    }

    mutating func end(_ tag: UInt64, in meeting: MeetingID, with outcome: Outcome) {
        waiters[meeting]?.removeValue(forKey: tag)?.resume(returning: outcome)
        if waiters[meeting]?.isEmpty == true { waiters[meeting] = nil }
    }

    mutating func endAll(in meeting: MeetingID, with outcome: Outcome) {
        for waiter in (waiters.removeValue(forKey: meeting) ?? [:]).values { waiter.resume(returning: outcome) }
    }
}
