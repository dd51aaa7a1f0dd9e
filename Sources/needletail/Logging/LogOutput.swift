import Logging
import Synchronization

/// The least level that is written, of all loggers at once.
final class LogLevel: Sendable {
    private let level = Mutex(Logger.Level.info)

    var current: Logger.Level { level.withLock { $0 } }

    func set(_ level: Logger.Level) { self.level.withLock { $0 = level } }
}

/// The log's form and its limits, chosen once at the start, and its level.
enum LogOutput {
    static let level = LogLevel()

    static func bootstrap(json: Bool, level: Logger.Level) {
        let limiter = LogLimiter()
        self.level.set(level)
        LoggingSystem.bootstrap { label in
            if json {
                return LimitedLogHandler(base: JSONLogHandler(label: label), limiter: limiter, level: self.level)
            }
            let handler = StreamLogHandler(label: label, stream: LogSink.standardError)
            return LimitedLogHandler(base: handler, limiter: limiter, level: self.level)
        }
    }
}
