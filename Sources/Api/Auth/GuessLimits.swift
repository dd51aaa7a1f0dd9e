import Meetings

/// Has whoever shows wrong passwords and keys wait, longer with each; right ones cost nothing.
///
/// Counted by meeting, secret and end site. Many people share an address and mistype: the first wrong ones are free, one is
/// forgotten each minute, and so is one for each right one that came from there.
struct GuessLimits {
    struct Subject: Hashable {
        var meeting: MeetingID
        var secret: ShownSecret
        /// Of who guesses, an `EndSite`.
        var site: String
    }

    private struct Record {
        var wrong: Double
        var last: Timestamp
        var closedUntil: Timestamp
        /// The log has its line.
        var wasTold = false
    }

    /// Wrong ones without a wait.
    static let free = 20.0
    /// Seconds after which one is forgotten.
    static let memory = 60.0
    /// Seconds, the longest wait.
    static let longestWait = 300.0

    private let capacity: Int
    private var records: [Subject: Record] = [:]
    /// Wrong ones so far, by secret.
    private(set) var wrong: [ShownSecret: UInt64] = [:]
    /// Guesses that were not looked at.
    private(set) var refused: [ShownSecret: UInt64] = [:]

    /// - Parameter capacity: of the table.
    init(capacity: Int = 10_000) { self.capacity = capacity }

    /// - Throws: `Problem` 429, unlooked at.
    mutating func admit(_ subject: Subject, at now: Timestamp) throws {
        guard let record = records[subject], record.closedUntil > now else { return }
        refused[subject.secret, default: 0] += 1
        let seconds = (record.closedUntil.seconds - now.seconds).rounded(.up)
        throw Problem(
            429, "too_many_guesses", "Too many wrong passwords or keys came from this address.",
            retryAfter: max(1, Int(seconds)))
    }

    mutating func noteRight(_ subject: Subject) { records[subject]?.wrong -= 1 }

    /// - Returns: how many were wrong of late, when that is to be logged: once, as the waits begin.
    mutating func noteWrong(_ subject: Subject, at now: Timestamp) -> Int? {
        wrong[subject.secret, default: 0] += 1
        if records[subject] == nil, records.count >= capacity { forgetIdle(at: now) }
        var record = records[subject] ?? Record(wrong: 0, last: now, closedUntil: now)
        record.wrong = Self.remembered(record, at: now) + 1
        record.last = now
        let beyond = record.wrong - Self.free
        var told: Int?
        if beyond > 0 {
            let wait = beyond < 10 ? min(Self.longestWait, Double(1 << Int(beyond))) : Self.longestWait
            record.closedUntil = now + .milliseconds(Int64(wait * 1_000))
            if !record.wasTold { told = Int(record.wrong.rounded()) }
            record.wasTold = true
        } else if record.wrong <= 1 {
            record.wasTold = false
        }
        records[subject] = record
        return told
    }

    private static func remembered(_ record: Record, at now: Timestamp) -> Double {
        max(0, record.wrong - max(0, now.seconds - record.last.seconds) / memory)
    }

    /// Who is forgotten has no record; when all others are remembered, the table starts anew.
    private mutating func forgetIdle(at now: Timestamp) {
        records = records.filter { Self.remembered($0.value, at: now) > 0 }
        if records.count >= capacity { records.removeAll(keepingCapacity: true) }
    }
}
