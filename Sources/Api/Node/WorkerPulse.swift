import Mailbox
import Meetings
import Synchronization

/// Notices workers whose turns stand still. Somebody must look about once a second: a pause between two looks that is
/// longer than a worker's patience was the whole process's, or the machine's, and says nothing of a worker.
public final class WorkerPulse: Sendable {
    /// A worker publishes about 50 times a second; this long without a turn is too long.
    public static let patience: Duration = .seconds(2)

    private struct Beat {
        var turns: UInt64
        /// When `turns` was first seen.
        var since: Timestamp
        /// When it was seen last.
        var last: Timestamp
    }

    private let beats = Mutex<[Int: Beat]>([:])

    public init() {}

    /// What a look found, by worker number.
    public struct Look: Sendable, Equatable {
        /// No turn for longer than `patience`: the process cannot help itself.
        public var silent: [Int] = []
        /// Not one turn yet.
        public var starting: [Int] = []

        /// Whether every worker turns.
        public var allPoll: Bool { silent.isEmpty && starting.isEmpty }
    }

    /// Looks at the counters and says who stands still.
    @discardableResult
    public func look(at workers: [WorkerReading], now: Timestamp) -> Look {
        beats.withLock { beats in
            var look = Look()
            for reading in workers {
                let turns = reading.counters[.turns]
                if let beat = beats[reading.worker], beat.turns == turns, now - beat.last <= Self.patience {
                    if now - beat.since > Self.patience { look.silent.append(reading.worker) }
                    beats[reading.worker]?.last = now
                } else {
                    beats[reading.worker] = Beat(turns: turns, since: now, last: now)
                }
                if turns == 0 { look.starting.append(reading.worker) }
            }
            return look
        }
    }
}
