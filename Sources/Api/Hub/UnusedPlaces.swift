import Meetings

/// By end site, the places that were given up before any media came: few of people who look in and go, many of who takes
/// places again and again to keep others out.
///
/// `MedialessPlaces` owns it.
struct UnusedPlaces {
    private struct Record {
        var count: Double
        var last: Timestamp
    }

    /// An end site may have so many.
    private static let free = 20.0
    /// Seconds after which one is forgotten.
    private static let memory = 60.0

    private let capacity: Int
    private var records: [String: Record] = [:]

    /// - Parameter capacity: of the table.
    init(capacity: Int = 10_000) { self.capacity = capacity }

    /// Whether it has had its share of such places.
    func isSpent(_ site: String, at now: Timestamp) -> Bool {
        records[site].map { Self.remembered($0, at: now) > Self.free } ?? false
    }

    mutating func note(_ site: String, at now: Timestamp) {
        if records[site] == nil, records.count >= capacity { forget(at: now) }
        let count = records[site].map { Self.remembered($0, at: now) } ?? 0
        records[site] = Record(count: count + 1, last: now)
    }

    private static func remembered(_ record: Record, at now: Timestamp) -> Double {
        max(0, record.count - max(0, now.seconds - record.last.seconds) / memory)
    }

    /// Those without any are forgotten, then those who have their share left; when all others are beyond it, the table starts
    /// anew.
    private mutating func forget(at now: Timestamp) {
        records = records.filter { Self.remembered($0.value, at: now) > 0 }
        if records.count >= capacity { records = records.filter { Self.remembered($0.value, at: now) > Self.free } }
        if records.count >= capacity { records.removeAll(keepingCapacity: true) }
    }
}
