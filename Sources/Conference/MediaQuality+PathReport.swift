import Mailbox

extension MediaQuality {
    /// What the worker found on the participant's path.
    init(_ report: PathReport) {
        let level: Level =
            switch report.level {
            case .good: .good
            case .unstable: .unstable
            case .poor: .poor
            }
        self.init(level: level, estimate: Int(report.estimate))
    }
}
