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
        /// Nil: of a host, or a service answers for it.
        var holder: Holder?
        var until: Timestamp
    }

    private var places: [ParticipantID: Place] = [:]
    private var tally: Tally<Holder>
    /// Those with a holder, and how many of them the node may have.
    private var held = 0
    private let limit: Int
    /// With the others, whom nobody else's may keep out.
    private var total: Int { limit * 4 }

    /// - Parameters:
    ///   - limit: of the node.
    ///   - perAddress: of an address in a meeting.
    init(limit: Int, perAddress: Int) {
        self.limit = limit
        tally = Tally(limit: perAddress)
    }

    var count: Int { places.count }

    func contains(_ id: ParticipantID) -> Bool { places[id] != nil }

    /// Whether it is somebody's for whom no service answers, and no host's.
    func isHeld(_ id: ParticipantID) -> Bool { places[id]?.holder != nil }

    /// - Throws: `Problem` 429 or 503, with the time at which the oldest of them is given up.
    func admit(_ holder: Holder?, at now: Timestamp) throws {
        if holder == nil ? places.count >= total : held >= limit {
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
        guard let holder else { return }
        tally.add(holder)
        held += 1
    }

    mutating func remove(_ id: ParticipantID) {
        guard let holder = places.removeValue(forKey: id)?.holder else { return }
        tally.remove(holder)
        held -= 1
    }

    private func wait(_ holder: Holder?, at now: Timestamp) -> Int {
        let first =
            places.values.filter { $0.holder != nil && (holder == nil || $0.holder == holder) }.map(\.until.seconds)
            .min() ?? now.seconds
        return max(1, Int((first - now.seconds).rounded(.up)))
    }
}
