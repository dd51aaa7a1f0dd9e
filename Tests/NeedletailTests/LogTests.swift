import Foundation
import Logging
import Synchronization
import Testing

@testable import needletail

/// The form of log lines, and how many there can be.
struct LogTests {
    /// Lines, and the time, as a test has them.
    private final class Stage: Sendable {
        let lines = Mutex<[String]>([])
        let now = Mutex(0.0)

        var sink: LogSink { LogSink { line in self.lines.withLock { $0.append(line) } } }

        func logger() -> Logger {
            let limiter = LogLimiter { self.now.withLock { $0 } }
            return Logger(label: "needletail") { label in
                LimitedLogHandler(base: JSONLogHandler(label: label, sink: self.sink), limiter: limiter)
            }
        }

        var messages: [String] {
            lines.withLock { lines in
                lines.compactMap { line in
                    (try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])?["message"]
                }
            }
        }
    }

    @Test func aLineIsOneJSONObjectWhateverItHolds() throws {
        let stage = Stage()
        stage.logger().info(
            "participant \"left\"", metadata: ["reason": "line\nbreak \\ \u{1b}[0m", "message": "not the message"])
        let line = try #require(stage.lines.withLock { $0.first })
        #expect(line.hasSuffix("}\n") && line.dropLast().contains("\n") == false)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
        #expect(object["level"] == "info")
        #expect(object["logger"] == "needletail")
        #expect(object["message"] == "participant \"left\"")
        #expect(object["reason"] == "line\nbreak \\ \u{1b}[0m")
        #expect(object["_message"] == "not the message")
        #expect(object["time"]?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
    }

    @Test func eachKindHasItsLimitAndTheRestIsCounted() {
        let stage = Stage()
        let logger = stage.logger()
        for number in 0..<80 { logger.info("participant left", metadata: ["participant_id": "\(number)"]) }
        #expect(stage.messages.count == 50)
        logger.info("meeting ended")
        #expect(stage.messages.count == 51)
        stage.now.withLock { $0 = 0.1 }
        logger.info("participant left")
        #expect(stage.messages.suffix(2) == ["suppressed 30 lines: participant left", "participant left"])
        logger.info("participant left")
        #expect(stage.messages.count == 53)
        stage.now.withLock { $0 = 100 }
        for _ in 0..<80 { logger.info("participant left") }
        #expect(stage.messages.count == 53 + 51, "what comes back is bounded, and one line says what was lost")
    }

    @Test func kindsBeyondTheTableShareOneBucket() {
        let limiter = LogLimiter { 0 }
        for number in 0..<LogLimiter.kinds { _ = limiter.admit("kind \(number)") }
        let admitted = (0..<1_000).count { limiter.admit("new \($0)").isAllowed }
        #expect(admitted == Int(LogLimiter.burst))
    }

    @Test func belowTheLevelNothingIsWritten() {
        let stage = Stage()
        stage.logger().debug("detail")
        #expect(stage.messages.isEmpty)
    }
}
