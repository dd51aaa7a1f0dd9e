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

    /// Adaptive: for kernel-backed ports, and wherever others need the core.
    public init(
        pauseAfter: UInt32 = 64, sleepAfter: UInt32 = 2_000, shortestSleep: UInt32 = 10, longestSleep: UInt32 = 200
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

    /// What to do after a turn that did or did not find work.
    @inline(__always)
    public mutating func step(worked: Bool) -> Step {
        if worked {
            emptyTurns = 0
            sleep = 0
            return .poll
        }
        if emptyTurns < .max { emptyTurns &+= 1 }
        if emptyTurns <= pauseAfter { return .poll }
        if emptyTurns <= sleepAfter { return .pause }
        sleep = sleep == 0 ? shortestSleep : min(sleep &* 2, longestSleep)
        return .sleep(microseconds: sleep)
    }

    /// Ends a turn: decides and does it. Call on the worker's own thread.
    @inline(__always)
    public mutating func endTurn(worked: Bool) {
        switch step(worked: worked) {
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
