/// Which PoP serves a newcomer.
///
/// The PoP that it reached is right unless it is full, draining or far hotter than a near one. What a PoP costs is the round
/// trip to it, and a price that rises as it fills up, less what it is worth that the meeting is there already.
public enum Placement {
    /// Nil where no PoP can take the client. `gathered` names the PoPs where the meeting has people.
    ///
    /// One pass over the PoPs; the same client gets the same answer from the same snapshot.
    public static func decide(
        _ client: PlacementClient, in snapshot: PlacementSnapshot, gathered: some Sequence<String> = EmptyCollection()
    ) -> PlacementDecision? {
        var arrival: Int?
        if case .arrived(let name) = client.origin { arrival = snapshot.index(of: name) }
        let gathered = gathered.compactMap { snapshot.index(of: $0) }
        // Longer lists are not ours.
        let tried = client.tried.prefix(PlacementPolicy.mostRedirects).compactMap { snapshot.index(of: $0) }
        let (shortlist, unloaded) = search(Reach(client.origin, in: snapshot), in: snapshot, gathered, tried: tried)

        if let arrival, snapshot.entries[arrival].hasRoom {
            let own = snapshot.entries[arrival].price - (gathered.contains(arrival) ? PlacementPolicy.meetingWorth : 0)
            let best = shortlist.first { $0.index != arrival }
            let stays = !client.tried.isEmpty || best.map { own <= $0.cost + PlacementPolicy.redirectGain } ?? true
            if stays { return decision(arrival, shortlist, arrival: arrival, in: snapshot) }
        }
        guard client.tried.count < PlacementPolicy.mostRedirects else { return nil }
        let targets = shortlist.filter { $0.index != arrival }
        guard let best = targets.first else { return nil }
        let isSentAway = arrival != nil || best.index != unloaded
        let chosen = isSentAway ? spread(targets, key: client.key, in: snapshot) : best.index
        return decision(chosen, targets, arrival: arrival, in: snapshot)
    }

    private static func decision(
        _ chosen: Int, _ shortlist: [Option], arrival: Int?, in snapshot: PlacementSnapshot
    ) -> PlacementDecision {
        let others = shortlist.lazy.filter { $0.index != chosen && $0.index != arrival }
        return PlacementDecision(
            pop: snapshot.sites[chosen].name, isRedirect: arrival != nil && arrival != chosen,
            alternates: others.prefix(PlacementPolicy.shortlist - 1).map { snapshot.sites[$0.index].name })
    }

    /// One PoP that has room.
    private struct Option {
        var index: Int
        /// ms.
        var cost: Double
        var roundTrip: Double
    }

    /// Where the distances begin.
    private struct Reach {
        var x = 0.0, y = 0.0, z = 0.0
        var hasPosition = false
        var region = -1
        /// The PoP that the client reached.
        var arrival = -1

        init(_ origin: PlacementClient.Origin, in snapshot: PlacementSnapshot) {
            switch origin {
            case .position(let position):
                (x, y, z, hasPosition) = (position.x, position.y, position.z, true)
            case .arrived(let name):
                guard let index = snapshot.index(of: name) else { return }
                let entry = snapshot.entries[index]
                (x, y, z, hasPosition) = (entry.x, entry.y, entry.z, entry.hasPosition)
                (region, arrival) = (entry.region, index)
            }
        }
    }

    /// The cheapest PoPs with room, best first, and the one that would be best if none had any load.
    private static func search(
        _ reach: Reach, in snapshot: PlacementSnapshot, _ gathered: [Int], tried: [Int]
    ) -> (shortlist: [Option], unloaded: Int) {
        var shortlist: [Option] = []
        shortlist.reserveCapacity(PlacementPolicy.shortlist + 1)
        var worst = Double.infinity
        var (unloaded, least) = (-1, Double.infinity)
        snapshot.entries.withUnsafeBufferPointer { entries in
            for index in 0..<entries.count {
                let entry = entries[index]
                // The arcsine is taken only where the chord alone does not tell that the PoP is too far.
                var chord = -1.0
                var bound = 0.0
                if reach.hasPosition && entry.hasPosition {
                    let (dx, dy) = (reach.x - entry.x, reach.y - entry.y)
                    let dz = reach.z - entry.z
                    chord = (dx * dx + dy * dy + dz * dz).squareRoot()
                    bound = RoundTrip.atLeast(chord: chord)
                    if bound - PlacementPolicy.meetingWorth > worst && bound > least { continue }
                }
                let roundTrip = roundTrip(reach, index, entry, chord: chord)
                let unpriced = roundTrip + entry.demandPrice
                if unpriced < least { (unloaded, least) = (index, unpriced) }
                guard entry.hasRoom, index == reach.arrival || !tried.contains(index) else { continue }
                var cost = roundTrip + entry.price
                if gathered.contains(index) { cost -= PlacementPolicy.meetingWorth }
                guard cost < worst || shortlist.count < PlacementPolicy.shortlist else { continue }
                insert(Option(index: index, cost: cost, roundTrip: roundTrip), into: &shortlist)
                if shortlist.count == PlacementPolicy.shortlist { worst = shortlist[shortlist.count - 1].cost }
            }
        }
        return (shortlist, unloaded)
    }

    private static func roundTrip(
        _ reach: Reach, _ index: Int, _ entry: PlacementSnapshot.Entry, chord: Double
    ) -> Double {
        if index == reach.arrival { return 0 }
        if chord >= 0 { return RoundTrip.estimate(chord: chord) }
        return RoundTrip.byRegion(reach.region >= 0 && reach.region == entry.region)
    }

    /// Behind those that cost as much: entries are sorted by name, so ties do not depend on the order of reports.
    private static func insert(_ option: Option, into shortlist: inout [Option]) {
        let place = shortlist.firstIndex { $0.cost > option.cost } ?? shortlist.count
        shortlist.insert(option, at: place)
        if shortlist.count > PlacementPolicy.shortlist { shortlist.removeLast() }
    }

    /// Weighted rendezvous hashing: of those that are about as good as the best, each is taken by a share of the clients that is
    /// its share of their headroom. A storm that reads one snapshot does not fall on one PoP.
    private static func spread(_ targets: [Option], key: UInt64, in snapshot: PlacementSnapshot) -> Int {
        let best = targets[0]
        let limit = best.cost + max(PlacementPolicy.spreadFloor, PlacementPolicy.spreadShare * best.roundTrip)
        var (chosen, least) = (best.index, Double.infinity)
        for target in targets where target.cost <= limit {
            let entry = snapshot.entries[target.index]
            let score = StableHash.draw(StableHash.of(key, entry.nameHash), weight: entry.headroom)
            if score < least { (chosen, least) = (target.index, score) }
        }
        return chosen
    }
}
