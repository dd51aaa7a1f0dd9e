import FoundationEssentials
import Meetings

/// The time as the API knows it, so that tests can bring their own.
public protocol ApiClock: Sendable {
    /// UTC.
    var now: Timestamp { get }
    /// - Throws: `CancellationError`.
    func sleep(for duration: Duration) async throws
}

/// The machine's clock.
public struct SystemClock: ApiClock {
    public init() {}

    public var now: Timestamp { Timestamp(Date()) }

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
        guard text.utf8.count <= 40 else { return nil }
        let plain = Date.ISO8601FormatStyle()
        let fractional = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        guard let date = (try? plain.parse(text)) ?? (try? fractional.parse(text)) else { return nil }
        self.init(date)
    }

    /// In UTC, to the second.
    var rfc3339: String {
        Date(timeIntervalSince1970: Double(milliseconds / 1_000)).formatted(Date.ISO8601FormatStyle())
    }

    /// Since 1970, as JWTs count (RFC 7519 section 2, NumericDate).
    var seconds: Double { Double(milliseconds) / 1_000 }
}
