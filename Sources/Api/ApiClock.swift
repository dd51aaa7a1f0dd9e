import FoundationEssentials
import Meetings

/// The time as the API knows it, so that tests can bring their own.
public protocol ApiClock: Sendable {
    /// The time of all durations and deadlines: UTC as it was taken to be at the start, and never set since.
    var now: Timestamp { get }
    /// UTC as the machine has it now, which may be set at any moment: for what others date, as tokens and certificates.
    var utc: Timestamp { get }
    /// - Throws: `CancellationError`.
    func sleep(for duration: Duration) async throws
}

extension ApiClock {
    public var utc: Timestamp { now }

    /// A moment of `now` as people read it (RFC 3339), by the clock that they have now.
    func text(of moment: Timestamp) -> String { (moment + (utc - now)).rfc3339 }
}

/// The machine's clocks.
public struct SystemClock: ApiClock {
    private static let start = (utc: Timestamp(Date()), instant: ContinuousClock.now)

    public init() {}

    public var now: Timestamp {
        let start = Self.start
        return start.utc + (ContinuousClock.now - start.instant)
    }

    public var utc: Timestamp { Timestamp(Date()) }

    public func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
}

extension Timestamp {
    init(_ date: Date) {
        // Beyond this range no calendar helps, and the conversion would trap.
        let seconds = min(max(date.timeIntervalSince1970, -1e11), 1e11)
        self.init(milliseconds: Int64((seconds * 1_000).rounded()))
    }

    /// Nil unless `text` is a date and time with an offset (RFC 3339 section 5.6).
    init?(rfc3339 text: String) {
        guard text.utf8.count <= 40, Self.exists(text) else { return nil }
        let plain = Date.ISO8601FormatStyle()
        let fractional = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        guard let date = (try? plain.parse(text)) ?? (try? fractional.parse(text)) else { return nil }
        self.init(date)
    }

    /// Foundation takes the 30th of February for the 2nd of March.
    private static func exists(_ text: String) -> Bool {
        func number(_ match: Substring) -> Int { Int(match) ?? .max }
        let form =
            /([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?(Z|[+-]([0-9]{2}):([0-9]{2}))/
        guard let parts = text.wholeMatch(of: form)?.output else { return false }
        let offset = (number(parts.9 ?? "0"), number(parts.10 ?? "0"))
        return CalendarDate.exists(year: number(parts.1), month: number(parts.2), day: number(parts.3))
            && number(parts.4) < 24 && number(parts.5) < 60 && number(parts.6) < 60 && offset.0 < 24 && offset.1 < 60
    }

    /// In UTC, to the second.
    var rfc3339: String {
        Date(timeIntervalSince1970: Double(milliseconds / 1_000)).formatted(Date.ISO8601FormatStyle())
    }

    /// Since 1970, as JWTs count (RFC 7519 section 2, NumericDate).
    var seconds: Double { Double(milliseconds) / 1_000 }
}
