import Meetings

/// Meetings that were ended for all, so that one which went on behind a partition ends too when its Home is heard of again.
///
/// A meeting's id is never given again, so its epoch says nothing.
struct EndedMeetings: Sendable {
    private var times: [MeetingID: Duration] = [:]
    private var order = Fifo<MeetingID>()
    private let limit: Int
    private let memory: Duration

    init(limit: Int, memory: Duration) {
        self.limit = limit
        self.memory = memory
    }

    var count: Int { times.count }

    /// The oldest is given up beyond the limit.
    mutating func insert(_ id: MeetingID, at now: Duration) {
        guard times.updateValue(now, forKey: id) == nil else { return }
        order.append(id)
        if order.count > limit, let oldest = order.popFirst() { times[oldest] = nil }
    }

    func contains(_ id: MeetingID, at now: Duration) -> Bool { times[id].map { now - $0 < memory } ?? false }
}
