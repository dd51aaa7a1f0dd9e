import Meetings

/// What `GET /api/v1/node` answers.
struct NodeJson: Encodable {
    struct DrainJson: Encodable {
        var signalingUrl: String
        var mediaServer: String
    }

    /// `serving`, `draining` or `drained`.
    var state: String
    var draining: Bool
    /// Since when newcomers are refused.
    var drainingSince: String?
    var drainDeadline: String?
    /// Seconds until then.
    var drainDeadlineS: Int?
    var drainTarget: DrainJson?
    var meetings: Int
    var participants: Int

    init(drain: Drain.State, hub: HubReading, now: Timestamp) {
        state = drain.phase.rawValue
        draining = drain.phase != .serving
        drainingSince = drain.since?.rfc3339
        drainDeadline = drain.deadline?.rfc3339
        drainDeadlineS = drain.secondsLeft(at: now)
        drainTarget = drain.target.map { DrainJson(signalingUrl: $0.signalingURL, mediaServer: $0.mediaServer) }
        meetings = hub.meetings
        participants = hub.participants
    }
}
