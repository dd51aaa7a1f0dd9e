/// What `GET /api/v1/node` answers: load and capacity, as a fleet needs them for placement.
struct NodeJSON: Encodable {
    struct Pop: Encodable {
        var id: Int
        var region: String?
        var latitude: Double?
        var longitude: Double?
    }

    struct Target: Encodable {
        var signalingUrl: String
        var mediaServer: String
    }

    /// Of all workers together.
    struct Places: Encodable {
        var used: Int
        var limit: Int
    }

    struct Rate: Encodable {
        var receive: Double
        var transmit: Double
    }

    struct Load: Encodable {
        /// The mean of the workers, over the last second.
        var busyRatio: Double
        /// The busiest worker, 95th percentile over the window of admission.
        var busyRatioP95: Double
        /// Above it newcomers are refused.
        var busyRatioLimit: Double
        /// What is left until a limit refuses newcomers: 1 of an idle node, 0 of one that refuses.
        var headroom: Double
        var packetsPerSecond: Rate
        var bitsPerSecond: Rate
    }

    var pop: Pop
    var version: String
    /// When the process began to serve.
    var since: String
    /// `serving`, `draining` or `drained`.
    var state: String
    var ready: Bool
    var draining: Bool
    /// Since when newcomers are refused.
    var drainingSince: String?
    var drainDeadline: String?
    /// Seconds until then.
    var drainDeadlineS: Int?
    var drainTarget: Target?
    /// Cores that workers have.
    var cores: Int
    var meetings: Int
    var participants: Int
    var sessions: Places
    var tracks: Places
    var sinks: Places
    /// Of TURN.
    var allocations: Int
    var load: Load
}
