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
    /// Replicas, and when they were told to close.
    private(set) var tracks: [TrackHandle: UInt64] = [:]

    var isEmpty: Bool { sessions.isEmpty && tracks.isEmpty }

    mutating func add(_ session: SessionHandle, _ belongings: Belongings) { sessions[session] = belongings }
    mutating func add(_ track: TrackHandle, since: UInt64) { tracks[track] = since }

    /// The worker confirmed it, or will not.
    mutating func take(_ session: SessionHandle) -> Belongings? { sessions.removeValue(forKey: session) }
    mutating func remove(_ track: TrackHandle) { tracks[track] = nil }
}
