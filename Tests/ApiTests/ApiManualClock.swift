import Meetings
import Synchronization

@testable import Api

/// Time that moves only when a test says so.
final class ManualClock: ApiClock {
    private struct State {
        var now = Timestamp(milliseconds: 1_800_000_000_000)
        /// How far somebody has set the machine's clock.
        var step = Duration.zero
        var sleepers: [Int: (until: Timestamp, wake: CheckedContinuation<Void, any Error>)] = [:]
        var next = 0
        var onSleep: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    var now: Timestamp { state.withLock { $0.now } }

    var utc: Timestamp { state.withLock { $0.now + $0.step } }

    /// Sets the machine's clock, which moves nothing.
    func setUTC(by step: Duration) { state.withLock { $0.step += step } }

    func sleep(for duration: Duration) async throws {
        let key = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (wake: CheckedContinuation<Void, any Error>) in
                let waiting = state.withLock { state in
                    state.sleepers[key] = (state.now + duration, wake)
                    defer { state.onSleep = [] }
                    return state.onSleep
                }
                for waiter in waiting { waiter.resume() }
                if Task.isCancelled { cancel(key) }
            }
        } onCancel: {
            cancel(key)
        }
    }

    private func cancel(_ key: Int) {
        state.withLock { $0.sleepers.removeValue(forKey: key) }?.wake.resume(throwing: CancellationError())
    }

    var sleeping: Int { state.withLock { $0.sleepers.count } }

    /// Moves on where nobody sleeps.
    func advanceUnheard(by duration: Duration) { state.withLock { $0.now = $0.now + duration } }

    /// Moves on once somebody sleeps, so that nobody misses it.
    func advance(by duration: Duration) async {
        await withCheckedContinuation { (ready: CheckedContinuation<Void, Never>) in
            let isSleeping = state.withLock { state in
                if state.sleepers.isEmpty { state.onSleep.append(ready) }
                return !state.sleepers.isEmpty
            }
            if isSleeping { ready.resume() }
        }
        move(by: duration)
    }

    /// Moves on, and lets those run whose time has come; whoever sleeps is late by as much as it takes to fall asleep.
    func wake(after duration: Duration) async {
        guard move(by: duration) > 0 else { return }
        for _ in 0..<64 { await Task.yield() }
    }

    /// - Returns: how many it woke.
    @discardableResult
    private func move(by duration: Duration) -> Int {
        let due = state.withLock { state in
            state.now = state.now + duration
            let due = state.sleepers.filter { $0.value.until <= state.now }.sorted { $0.key < $1.key }
            for (key, _) in due { state.sleepers[key] = nil }
            return due.map(\.value.wake)
        }
        for wake in due { wake.resume() }
        return due.count
    }
}
