import Meetings
import Synchronization

@testable import Api

/// The time of a simulated PoP, for all who ask for it.
final class PoPClock: ApiClock {
    private let value = Atomic<UInt64>(0)
    private let sleepers = Mutex<[CheckedContinuation<Void, Never>]?>([])

    /// Monotonic nanoseconds, those of the workers.
    var nanoseconds: UInt64 {
        get { value.load(ordering: .relaxed) }
        set { value.store(newValue, ordering: .relaxed) }
    }

    var now: Timestamp { Timestamp(milliseconds: 1_800_000_000_000 + Int64(nanoseconds / 1_000_000)) }

    /// Until the end: whoever drives the simulation does what is due.
    func sleep(for duration: Duration) async throws {
        await withCheckedContinuation { sleeper in
            let isOver = sleepers.withLock { sleepers in
                sleepers?.append(sleeper)
                return sleepers == nil
            }
            if isOver { sleeper.resume() }
        }
    }

    /// Lets all go who sleep.
    func end() {
        let all = sleepers.withLock { sleepers in
            defer { sleepers = nil }
            return sleepers ?? []
        }
        for sleeper in all { sleeper.resume() }
    }
}
