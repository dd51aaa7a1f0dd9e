import Mailbox

/// When control is told what a Session's path carries.
struct PathReports: BitwiseCopyable {
    private var told = PathReport()
    /// ns; 0: nothing was looked at yet.
    private var toldAt: UInt64 = 0
    private var lookDue: UInt64 = 0
    /// What has lasted.
    private var level = PathReport.Level.good
    /// Since when it is another, ns; 0: it is not.
    private var otherSince: UInt64 = 0
    /// Smoothed, 0 to 1.
    private(set) var loss = 0.0
    /// The latest look found Slots that show nothing.
    var hasPaused = false

    /// Whether to look at the path again, which is then done.
    mutating func isDue(now: UInt64) -> Bool {
        guard now >= lookDue else { return false }
        lookDue = now &+ CongestionConstants.tick
        if toldAt == 0 { toldAt = max(now, 1) }
        return true
    }

    mutating func note(loss ratio: Double) { loss += (ratio - loss) * CongestionConstants.reportedLossWeight }

    /// What a level comes to that was seen now: the one before until it has lasted.
    mutating func settle(_ seen: PathReport.Level, now: UInt64) -> PathReport.Level {
        if seen == level {
            otherSince = 0
        } else if otherSince == 0 {
            otherSince = max(now, 1)
        } else if now &- otherSince >= CongestionConstants.levelPatience {
            level = seen
            otherSince = 0
        }
        return level
    }

    /// Whether control is to be told, which is then done.
    mutating func takes(_ report: PathReport, now: UInt64) -> Bool {
        let wait =
            report.level != told.level
            ? CongestionConstants.leastReportInterval
            : isNews(report) ? CongestionConstants.reportInterval : CongestionConstants.mostReportInterval
        guard now &- toldAt >= wait else { return false }
        told = report
        toldAt = now
        return true
    }

    private func isNews(_ report: PathReport) -> Bool {
        let change = max(report.estimate, told.estimate) &- min(report.estimate, told.estimate)
        return report.paused != told.paused || change > told.estimate / 4
    }
}
