import Meetings

/// Requests on their way, by the number that the links gave them; what is answered before that number is known waits for it.
struct RequestTags {
    private struct Key: Hashable {
        var meeting: MeetingID
        var request: UInt64
    }

    private enum Answer {
        case done
        case refused(String)
    }

    private var tags: [Key: UInt64] = [:]
    private var early: [Key: Answer] = [:]
    /// Requests whose number is not known yet.
    private var unknown = 0

    mutating func begin() { unknown += 1 }

    mutating func end() {
        unknown -= 1
        if unknown == 0 { early = [:] }
    }

    mutating func end(_ request: UInt64, in meeting: MeetingID, _ tag: UInt64) -> SharedNews? {
        defer { end() }
        let key = Key(meeting: meeting, request: request)
        switch early.removeValue(forKey: key) {
        case nil:
            tags[key] = tag
            return nil
        case .done: return .done(tag: tag)
        case .refused(let reason): return .refused(tag: tag, reason: reason)
        }
    }

    /// - Parameter reason: nil: it is done.
    mutating func take(_ request: UInt64, in meeting: MeetingID, _ reason: String?) -> SharedNews? {
        let key = Key(meeting: meeting, request: request)
        guard let tag = tags.removeValue(forKey: key) else {
            if unknown > 0 { early[key] = reason.map { .refused($0) } ?? .done }
            return nil
        }
        return reason.map { .refused(tag: tag, reason: $0) } ?? .done(tag: tag)
    }
}
