import Meetings

/// Requests to Homes that are on their way, by tag; each is answered once.
///
/// Owned by the hub.
struct SharedRequests {
    enum Subject {
        case participant(ParticipantID, MeetingShare)
        case nobody
        /// Somebody waits for the answer: nil, or why not.
        case decision(CheckedContinuation<String?, Never>)
    }

    private var subjects: [UInt64: Subject] = [:]
    private var last: UInt64 = 0

    mutating func add(_ subject: Subject) -> UInt64 {
        last += 1
        subjects[last] = subject
        return last
    }

    mutating func take(_ tag: UInt64) -> Subject? { subjects.removeValue(forKey: tag) }
}
