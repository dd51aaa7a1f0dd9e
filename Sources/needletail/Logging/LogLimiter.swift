import Foundation
import Logging
import Synchronization

/// So many lines of each kind at once and so many a second; the rest are counted, and the count is told before the next
/// line of that kind.
///
/// A line's kind is its message, as what differs is metadata. Whoever can make the node write a line cannot fill its
/// disk with it.
final class LogLimiter: Sendable {
    /// Lines of a kind at once.
    static let burst = 50.0
    /// Lines of a kind that come back each second.
    static let perSecond = 10.0
    /// Kinds that are told apart; what comes beyond shares one bucket.
    static let kinds = 512

    private struct Bucket {
        var level: Double
        /// Seconds of the clock.
        var last: Double
        var suppressed = 0
    }

    private let buckets = Mutex<[String: Bucket]>([:])
    private let clock: @Sendable () -> Double

    /// - Parameter clock: monotonic seconds.
    init(clock: @escaping @Sendable () -> Double = { ProcessInfo.processInfo.systemUptime }) { self.clock = clock }

    /// Whether the line may be written, and how many of its kind were not since the last that was.
    func admit(_ kind: String) -> (isAllowed: Bool, suppressed: Int) {
        let now = clock()
        return buckets.withLock { buckets in
            let key = buckets[kind] != nil || buckets.count < Self.kinds ? kind : ""
            var bucket = buckets[key] ?? Bucket(level: Self.burst, last: now)
            bucket.level = min(Self.burst, bucket.level + max(0, now - bucket.last) * Self.perSecond)
            bucket.last = now
            defer { buckets[key] = bucket }
            guard bucket.level >= 1 else {
                bucket.suppressed += 1
                return (false, 0)
            }
            bucket.level -= 1
            defer { bucket.suppressed = 0 }
            return (true, bucket.suppressed)
        }
    }
}

/// A handler whose lines a `LogLimiter` has let through.
struct LimitedLogHandler<Base: LogHandler>: LogHandler {
    var base: Base
    let limiter: LogLimiter
    let level: LogLevel
    /// Of this logger alone.
    private var own: Logger.Level?

    init(base: Base, limiter: LogLimiter, level: LogLevel = LogLevel()) {
        self.base = base
        self.limiter = limiter
        self.level = level
    }

    var logLevel: Logger.Level {
        get { own ?? level.current }
        set { own = newValue }
    }
    var metadata: Logger.Metadata {
        get { base.metadata }
        set { base.metadata = newValue }
    }
    var metadataProvider: Logger.MetadataProvider? {
        get { base.metadataProvider }
        set { base.metadataProvider = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { base[metadataKey: key] }
        set { base[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
        let (isAllowed, suppressed) = limiter.admit("\(event.message)")
        guard isAllowed else { return }
        if suppressed > 0 {
            var note = event
            note.message = "suppressed \(suppressed) lines: \(event.message)"
            note.metadata = nil
            base.log(event: note)
        }
        base.log(event: event)
    }
}
