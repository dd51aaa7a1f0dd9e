import Fleet
import Glibc
import Synchronization

/// The calls on their way to a client's thread, and whether it has a connection. Any thread may use it.
final class RedisQueue: Sendable {
    /// Calls that are not answered yet.
    static let limit = 512
    /// Bytes of commands that the thread has not taken yet.
    static let byteLimit = 4 << 20

    struct Call: Sendable {
        let command: RedisCommand
        let deadline: ContinuousClock.Instant
        let answer: @Sendable (Result<RedisReply, RegistryError>) -> Void
    }

    private struct State {
        var calls: [Call] = []
        var byteCount = 0
        /// Calls that the thread has taken and not answered.
        var inFlight = 0
        var isUp = false
        var reason = "not connected yet"
        var isStopped = false
    }

    private let state = Mutex(State())
    /// The end of a pipe that is readable when there is something for the thread.
    let wake: Int32
    private let signalEnd: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "pipe: \(errorText(errno))")
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (wake, signalEnd) = (ends[0], ends[1])
    }

    deinit {
        close(wake)
        close(signalEnd)
    }

    var isUp: Bool { state.withLock { $0.isUp } }
    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Takes a call, or answers it at once where it would wait in vain.
    func add(_ call: Call) {
        let refusal: RegistryError? = state.withLock { state in
            guard state.isUp else { return .unavailable(state.reason) }
            guard state.calls.count + state.inFlight < Self.limit,
                state.byteCount + call.command.bytes.count <= Self.byteLimit
            else { return .overloaded }
            state.calls.append(call)
            state.byteCount += call.command.bytes.count
            return nil
        }
        guard let refusal else { return signal() }
        call.answer(.failure(refusal))
    }

    /// The thread's: what came since it last asked.
    func take() -> [Call] {
        // What is left makes poll return at once, and is read then.
        var signals = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
        _ = read(wake, &signals, MemoryLayout.size(ofValue: signals))
        return state.withLock { state in
            defer { (state.calls, state.byteCount) = ([], 0) }
            state.inFlight += state.calls.count
            return state.calls
        }
    }

    /// The thread's: it asks something of its own.
    func startOne() { state.withLock { $0.inFlight += 1 } }

    /// The thread's: it has answered one.
    func finishOne() { state.withLock { $0.inFlight -= 1 } }

    func goUp() { state.withLock { $0.isUp = true } }

    /// Nothing is in flight any more. What waits is answered.
    ///
    /// - Returns: whether it was up.
    func goDown(_ reason: String) -> Bool {
        let (wasUp, waiting) = state.withLock { state in
            defer { (state.isUp, state.reason, state.calls, state.byteCount) = (false, reason, [], 0) }
            state.inFlight = 0
            return (state.isUp, state.calls)
        }
        for call in waiting { call.answer(.failure(.unavailable(reason))) }
        return wasUp
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        signal()
    }

    private func signal() {
        var one: UInt8 = 1
        // A full pipe wakes the thread as well.
        _ = write(signalEnd, &one, 1)
    }
}
