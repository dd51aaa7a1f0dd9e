import Meetings

/// The places of those who have a socket and never had media: they stay while nobody wants their place.
///
/// The hub owns it.
struct MedialessPlaces {
    private struct Place {
        var meeting: MeetingID
        /// What limits by address count by. Nil: of a host, who stays.
        var address: String?
        var since: Timestamp
        /// Counts up in the order of coming.
        var order: Int
        /// It waits to be let in, and has no place of the meeting.
        var isWaiting = false
    }

    /// How long media may take to connect.
    static let connectTime: Duration = .seconds(30)
    /// Places of one address that are its own for that long, however few there are in all.
    private static let fewest = 4

    private var places: [ParticipantID: Place] = [:]
    private var unused = UnusedPlaces()
    private var arrivals = 0

    var count: Int { places.count }

    mutating func add(_ id: ParticipantID, in meeting: MeetingID, of address: String?, at now: Timestamp) {
        arrivals += 1
        places[id] = Place(meeting: meeting, address: address, since: now, order: arrivals)
    }

    /// It waits to be let in from now on.
    mutating func noteWaiting(_ id: ParticipantID) { places[id]?.isWaiting = true }

    /// It was let in: the time for its media begins.
    mutating func noteAdmitted(_ id: ParticipantID, at now: Timestamp) {
        places[id]?.isWaiting = false
        places[id]?.since = now
    }

    /// It has media, or its meeting is over.
    mutating func remove(_ id: ParticipantID) { places[id] = nil }

    /// It went without ever having had media.
    mutating func giveUp(_ id: ParticipantID, at now: Timestamp) {
        guard let place = places.removeValue(forKey: id), let address = place.address else { return }
        unused.note(EndSite.of(address), at: now)
    }

    /// Who gives way to a newcomer of `address`: who has been without media for long; at once where its address has more
    /// than a quarter of the places and more than the newcomer's, or where its end site has given up many of late and the
    /// newcomer's has not. Of several it is the first of the address that has most.
    ///
    /// - Parameters:
    ///   - meeting: nil: of the node.
    ///   - total: the places of the meeting or the node.
    func yielding(
        to address: String, in meeting: MeetingID? = nil, of total: Int, at now: Timestamp
    ) -> ParticipantID? {
        var counts: [String: Int] = [:]
        var candidates: [(id: ParticipantID, address: String, place: Place)] = []
        for (id, place) in places where meeting == nil || place.meeting == meeting && !place.isWaiting {
            guard let holder = place.address else { continue }
            counts[holder, default: 0] += 1
            candidates.append((id, holder, place))
        }
        let own = max(Self.fewest, total / 4, counts[address] ?? 0)
        let hurried = hurried(counts.keys, by: address, at: now)
        return
            candidates
            .filter {
                $0.place.since + Self.connectTime <= now || counts[$0.address, default: 0] > own
                    || hurried.contains($0.address)
            }
            .min {
                (-counts[$0.address, default: 0], $0.place.order) < (-counts[$1.address, default: 0], $1.place.order)
            }?.id
    }

    /// Addresses that have no time to connect, as their end sites have used it up for nothing.
    private func hurried(
        _ addresses: some Sequence<String>, by newcomer: String, at now: Timestamp
    ) -> Set<String> {
        guard !unused.isSpent(EndSite.of(newcomer), at: now) else { return [] }
        return Set(addresses.filter { unused.isSpent(EndSite.of($0), at: now) })
    }
}
