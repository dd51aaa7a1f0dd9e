import Conference
import Meetings
import Synchronization
import Wire

/// Whether the node takes newcomers, and how it is emptied without ending a call.
///
/// One for the node, shared by the `ops` listener, the meetings, the signal handler and TURN: each asks it, and it
/// asks nobody. It ends when nobody is inside any more or at its deadline; the node then stays closed until the drain is
/// taken back, or stops if it was told to.
public final class Drain: Sendable {
    /// Another PoP that participants are sent to.
    public struct Target: Sendable, Equatable {
        public var signalingURL: String
        /// Address and port of its media plane.
        public var mediaServer: String

        public init(signalingURL: String, mediaServer: String) {
            self.signalingURL = signalingURL
            self.mediaServer = mediaServer
        }
    }

    /// What the node does with newcomers and with those inside.
    public enum Phase: String, Sendable {
        case serving
        /// No newcomers; running meetings go on.
        case draining
        /// Empty, or at its deadline. No newcomers.
        case drained
    }

    /// A look at the drain.
    public struct State: Sendable, Equatable {
        public var phase = Phase.serving
        /// Since when newcomers are refused. Nil while serving.
        public var since: Timestamp?
        public var deadline: Timestamp?
        public var target: Target?
        /// The process ends with the drain, which cannot be taken back any more.
        public var isStopping = false

        /// Seconds until the deadline, not below 0; nil while serving.
        func secondsLeft(at now: Timestamp) -> Int? {
            deadline.map { max(0, Int(($0.seconds - now.seconds).rounded(.up))) }
        }
    }

    private let inside = Mutex(State())
    /// Each change; the meetings are the one reader.
    let changes: AsyncStream<State>
    private let tell: AsyncStream<State>.Continuation
    /// Ends with a drain that stops the process.
    private let life: AsyncStream<Never>
    private let end: AsyncStream<Never>.Continuation

    public init() {
        (changes, tell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(16))
        (life, end) = AsyncStream.makeStream()
    }

    public var state: State { inside.withLock { $0 } }

    /// Whether joins and meetings are taken. Quick, from any thread.
    public var acceptsNewcomers: Bool { state.phase == .serving }

    /// Whether TURN allocations are made, or where a drain sends newcomers; those that exist go on and are refreshed.
    public var intake: AllocationAdmission.Intake {
        let state = state
        guard state.phase != .serving else { return .open }
        return .closed(alternate: state.target.flatMap { Endpoint($0.mediaServer) })
    }

    /// Begins, or changes deadline and target of a drain that runs. One that stops the process keeps doing so, and is not
    /// put off.
    ///
    /// - Parameter stops: the process ends with the drain.
    @discardableResult
    public func begin(for patience: Duration, target: Target? = nil, stops: Bool = false, at now: Timestamp) -> State {
        inside.withLock { state in
            var deadline = now + patience
            if state.isStopping, let old = state.deadline { deadline = min(deadline, old) }
            state = State(
                phase: .draining, since: state.since ?? now, deadline: deadline,
                target: target ?? (stops ? state.target : nil), isStopping: state.isStopping || stops)
            tell.yield(state)
            return state
        }
    }

    /// Takes newcomers again; false when the process is stopping.
    public func cancel() -> Bool {
        inside.withLock { state in
            guard !state.isStopping else { return false }
            guard state.phase != .serving else { return true }
            state = State()
            tell.yield(state)
            return true
        }
    }

    /// Nobody is inside, or the deadline has come; false when it was not draining (any more).
    @discardableResult
    func finish() -> Bool {
        inside.withLock { state in
            guard state.phase == .draining else { return false }
            state.phase = .drained
            if state.isStopping { end.finish() }
            return true
        }
    }

    /// Returns when a drain that stops the process has ended, or the task is cancelled. For one caller.
    public func stopped() async {
        for await _ in life {}
    }
}
