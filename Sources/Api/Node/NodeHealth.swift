import Mailbox
import Meetings
import Synchronization

/// Whether the node lives, and whether it may take traffic: what `/livez` and `/readyz` answer. It asks nobody outside of
/// this process.
final class NodeHealth: Sendable {
    /// A condition and since when it is as it is.
    struct Finding: Sendable, Equatable {
        var condition: ReadinessCondition
        var since: Timestamp
    }

    private let status: any NodeStatus
    private let drain: Drain
    private let pulse = WorkerPulse()
    private let clock: any ApiClock
    private let admission: Admission
    private let certificates: [ListenerCertificate]
    private let history = Mutex<[String: (isMet: Bool, since: Timestamp)]>([:])

    init(
        status: any NodeStatus, drain: Drain, admission: Admission, certificates: [ListenerCertificate],
        clock: any ApiClock
    ) {
        self.status = status
        self.drain = drain
        self.admission = admission
        self.certificates = certificates
        self.clock = clock
    }

    /// The workers that stand still; empty while the process can help itself.
    var silentWorkers: [Int] { pulse.look(at: status.workers, now: clock.now).silent }

    /// Every condition, in a fixed order.
    func findings(participants: Int) -> [Finding] {
        let now = clock.now
        let all =
            status.conditions + [workers(now)]
            + certificates.filter(\.decidesReadiness).map { $0.condition(at: clock.utc) }
            + [admission.condition(participants: participants), accepting]
        return history.withLock { history in
            all.map { condition in
                if history[condition.name]?.isMet != condition.isMet {
                    history[condition.name] = (condition.isMet, now)
                }
                return Finding(condition: condition, since: history[condition.name]?.since ?? now)
            }
        }
    }

    private func workers(_ now: Timestamp) -> ReadinessCondition {
        let look = pulse.look(at: status.workers, now: now)
        let still = Set(look.silent + look.starting).sorted().map(String.init).joined(separator: ", ")
        return ReadinessCondition(
            name: "workers", isMet: look.allPoll, detail: look.allPoll ? "all polling" : "worker \(still) does not poll"
        )
    }

    private var accepting: ReadinessCondition {
        let state = drain.state
        let detail =
            switch state.phase {
            case .serving: "not draining"
            case .draining: "draining until \(state.deadline.map(clock.text) ?? "empty")"
            case .drained: state.isStopping ? "stopping" : "drained: needletail undrain takes newcomers again"
            }
        return ReadinessCondition(name: "accepting", isMet: state.phase == .serving, detail: detail)
    }
}
