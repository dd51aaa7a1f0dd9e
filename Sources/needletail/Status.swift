import Api
import Mailbox
import Synchronization

/// What the node tells about itself on the `ops` listener.
struct Status: NodeStatus {
    private let set: WorkerSet
    private let heartbeats: Heartbeats

    init(_ set: WorkerSet) {
        self.set = set
        heartbeats = Heartbeats(set.mailboxes.map(\.counters))
    }

    var conditions: [ReadinessCondition] {
        let silent = heartbeats.silent()
        let isUp = set.port.isLinkUp
        return [
            ReadinessCondition(
                name: "port", isMet: isUp,
                detail: isUp ? "link up" : "link down: look at the cable, the switch, or the kernel's end of it"),
            ReadinessCondition(
                name: "workers", isMet: silent.isEmpty,
                detail: silent.isEmpty
                    ? "all polling" : "worker \(silent.map(String.init).joined(separator: ", ")) does not poll"),
        ]
    }

    var workers: [WorkerReading] {
        let name = set.port.configuration.name
        return set.mailboxes.enumerated().map { WorkerReading(worker: $0, port: name, counters: $1.counters) }
    }

    var build: BuildInfo { BuildInfo(version: Version.number, revision: "") }
}

/// Notices a worker whose turns stand still.
private final class Heartbeats: Sendable {
    /// A worker publishes about 50 times a second; this long without a turn is too long.
    private static let patience: Duration = .seconds(2)

    private struct Beat {
        var turns: UInt64
        var at: ContinuousClock.Instant
    }

    private let counters: [Counters]
    private let beats: Mutex<[Beat]>

    init(_ counters: [Counters]) {
        self.counters = counters
        let now = ContinuousClock.now
        beats = Mutex(counters.map { _ in Beat(turns: 0, at: now) })
    }

    /// The workers that did not turn for `patience`, or never.
    func silent() -> [Int] {
        let now = ContinuousClock.now
        return beats.withLock { beats in
            counters.indices.filter { worker in
                let turns = counters[worker][.turns]
                if turns != beats[worker].turns { beats[worker] = Beat(turns: turns, at: now) }
                return turns == 0 || now - beats[worker].at > Self.patience
            }
        }
    }
}
