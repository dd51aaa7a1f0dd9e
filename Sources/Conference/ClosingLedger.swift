import Mailbox

/// The places whose entries a worker was told to close and has not confirmed.
struct ClosingLedger {
    /// What a Session takes with it.
    struct Belongings {
        var tracks: [TrackHandle]
        var slots: [SlotHandle]
        /// Nanoseconds; since then it is closing.
        var since: UInt64
    }

    private(set) var sessions: [SessionHandle: Belongings] = [:]
    /// Replicas and Tracks of Lanes, and when they were told to close.
    private(set) var tracks: [TrackHandle: UInt64] = [:]
    /// Likewise what goes to other PoPs.
    private(set) var lanes: [LaneHandle: UInt64] = [:]
    private(set) var crossings: [CrossingHandle: UInt64] = [:]

    var isEmpty: Bool { sessions.isEmpty && tracks.isEmpty && lanes.isEmpty && crossings.isEmpty }

    mutating func add(_ session: SessionHandle, _ belongings: Belongings) { sessions[session] = belongings }
    mutating func add(_ track: TrackHandle, since: UInt64) { tracks[track] = since }
    mutating func add(_ lane: LaneHandle, since: UInt64) { lanes[lane] = since }
    mutating func add(_ crossing: CrossingHandle, since: UInt64) { crossings[crossing] = since }

    /// The worker confirmed it, or will not.
    mutating func take(_ session: SessionHandle) -> Belongings? { sessions.removeValue(forKey: session) }
    mutating func remove(_ track: TrackHandle) { tracks[track] = nil }
    mutating func remove(_ lane: LaneHandle) { lanes[lane] = nil }
    mutating func remove(_ crossing: CrossingHandle) { crossings[crossing] = nil }
}
