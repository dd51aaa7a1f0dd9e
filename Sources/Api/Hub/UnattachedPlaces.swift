import Conference
import Meetings

/// The places of those who have neither a socket nor media yet: nobody knows whether there is a person behind them.
///
/// The hub owns it.
struct UnattachedPlaces {
    struct Holder: Hashable {
        var meeting: MeetingID
        /// What limits by address count by.
        var address: String
    }

    private struct Place {
        /// Nil: a service answers for it.
        var holder: Holder?
        var until: Timestamp
    }

    private var places: [ParticipantID: Place] = [:]
    private var tally: Tally<Holder>
    /// All of the node.
    private let limit: Int

    /// - Parameters:
    ///   - limit: of the node.
    ///   - perAddress: of an address in a meeting.
    init(limit: Int, perAddress: Int) {
        self.limit = limit
        tally = Tally(limit: perAddress)
    }

    var count: Int { places.count }

    func contains(_ id: ParticipantID) -> Bool { places[id] != nil }

    /// - Throws: `Problem` 429 or 503, with the time at which the oldest of them is given up.
    func admit(_ holder: Holder?, at now: Timestamp) throws {
        if places.count >= limit {
            throw Problem(
                503, "full", "Too many places wait for their participants.", retryAfter: wait(nil, at: now))
        }
        guard let holder, !tally.hasRoom(for: holder) else { return }
        throw Problem(
            429, "too_many_unattached", "Too many places of this address wait for their participants.",
            retryAfter: wait(holder, at: now))
    }

    mutating func add(_ id: ParticipantID, of holder: Holder?, until: Timestamp) {
        places[id] = Place(holder: holder, until: until)
        if let holder { tally.add(holder) }
    }

    mutating func remove(_ id: ParticipantID) {
        if let holder = places.removeValue(forKey: id)?.holder { tally.remove(holder) }
    }

    private func wait(_ holder: Holder?, at now: Timestamp) -> Int {
        let all = holder == nil ? Array(places.values) : places.values.filter { $0.holder == holder }
        let first = all.map(\.until.seconds).min() ?? now.seconds
        return max(1, Int((first - now.seconds).rounded(.up)))
    }
}
