import Foundation
import Meetings

/// The header field Retry-After (RFC 9110 section 10.2.3).
enum RetryAfter {
    /// The moment that it names; nil where it is neither seconds nor an HTTP date.
    static func moment(_ text: String, at now: Timestamp) -> Timestamp? {
        if (1...9).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return Int64(text).map { now + .seconds($0) }
        }
        return date(text)
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// IMF-fixdate, which is the only form that may be written today (RFC 9110 section 5.6.7).
    private static func date(_ text: String) -> Timestamp? {
        let form = /[A-Z][a-z]{2}, ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT/
        guard let parts = text.wholeMatch(of: form)?.output, let month = months.firstIndex(of: String(parts.2)) else {
            return nil
        }
        let fields = DateComponents(
            timeZone: .gmt, year: Int(parts.3), month: month + 1, day: Int(parts.1), hour: Int(parts.4),
            minute: Int(parts.5), second: Int(parts.6))
        guard let date = Calendar(identifier: .gregorian).date(from: fields) else { return nil }
        return Timestamp(milliseconds: Int64(date.timeIntervalSince1970) * 1_000)
    }
}
