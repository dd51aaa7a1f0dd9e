import Logging

/// The log's form and its limits, chosen once at the start.
enum LogOutput {
    static func bootstrap(json: Bool, level: Logger.Level) {
        let limiter = LogLimiter()
        LoggingSystem.bootstrap { label in
            if json {
                var handler = JSONLogHandler(label: label)
                handler.logLevel = level
                return LimitedLogHandler(base: handler, limiter: limiter)
            }
            var handler = StreamLogHandler(label: label, stream: LogSink.standardError)
            handler.logLevel = level
            return LimitedLogHandler(base: handler, limiter: limiter)
        }
    }
}
