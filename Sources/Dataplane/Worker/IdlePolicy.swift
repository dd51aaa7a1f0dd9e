import CDPDK
import Glibc

/// What a worker does after turns that found nothing: poll on, pause the core, then sleep a little, longer each
/// time up to a bound; the first packet resets it.
public struct IdlePolicy: Sendable, BitwiseCopyable, Equatable {
    /// What one empty turn ends with.
    public enum Step: Sendable, BitwiseCopyable, Equatable {
        case poll
        case pause
        case sleep(microseconds: UInt32)
    }

    /// Empty turns before the first pause.
    public var pauseAfter: UInt32
    /// Empty turns before the first sleep; `UInt32.max` never sleeps.
    public var sleepAfter: UInt32
    /// The first sleep; each further one doubles it up to `longestSleep`. Microseconds.
    public var shortestSleep: UInt32
    public var longestSleep: UInt32

    private var emptyTurns: UInt32 = 0
    private var sleep: UInt32 = 0

    /// Adaptive: for kernel-backed ports, and wherever others need the core. By default it polls for about as long as
    /// going to sleep and waking up take.
    public init(
        pauseAfter: UInt32 = 16, sleepAfter: UInt32 = 64, shortestSleep: UInt32 = 10, longestSleep: UInt32 = 200
    ) {
        self.pauseAfter = pauseAfter
        self.sleepAfter = max(sleepAfter, pauseAfter)
        self.shortestSleep = max(shortestSleep, 1)
        self.longestSleep = max(longestSleep, self.shortestSleep)
    }

    /// Never pauses and never sleeps.
    public static var poll: IdlePolicy { IdlePolicy(pauseAfter: .max, sleepAfter: .max) }

    /// Whether it ever sleeps.
    public var sleeps: Bool { sleepAfter != .max }

    /// A turn found work: idling begins anew.
    @inline(__always)
    public mutating func reset() {
        emptyTurns = 0
        sleep = 0
    }

    /// What to do after a turn that found nothing, when the worker may rest for `rest` ns: 0 when something waits
    /// already, and never longer than until the next round of timers and commands.
    @inline(__always)
    public mutating func step(rest: UInt64) -> Step {
        if emptyTurns < .max { emptyTurns &+= 1 }
        if emptyTurns <= pauseAfter || rest == 0 { return .poll }
        if emptyTurns <= sleepAfter { return .pause }
        let longer = sleep == 0 ? shortestSleep : min(sleep &* 2, longestSleep)
        // What is left until the next round is too short to sleep; the sleep after it goes on where this one stood.
        guard rest >= UInt64(shortestSleep) &* 1_000 else { return .pause }
        sleep = longer
        return .sleep(microseconds: UInt32(truncatingIfNeeded: min(UInt64(sleep), rest / 1_000)))
    }

    /// Ends a turn that found nothing: decides and does it. Call on the worker's own thread.
    @inline(__always)
    public mutating func endTurn(rest: UInt64) {
        switch step(rest: rest) {
        case .poll: return
        case .pause: cpu_pause()
        case .sleep(let microseconds): Self.sleep(microseconds)
        }
    }

    @inline(never)
    private static func sleep(_ microseconds: UInt32) {
        var time = timespec(tv_sec: Int(microseconds / 1_000_000), tv_nsec: Int(microseconds % 1_000_000) * 1_000)
        nanosleep(&time, nil)
    }
}
