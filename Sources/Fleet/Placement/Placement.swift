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
        var (unloaded, least) = (-1, Double.infinity)
        // Beyond this, squared, a PoP can be neither: most are left out without a root or an arcsine.
        var farSquared = Double.infinity
        snapshot.entries.withUnsafeBufferPointer { entries in
            for index in 0..<entries.count {
                let entry = entries[index]
                var squared = -1.0
                if reach.hasPosition && entry.hasPosition {
                    let (dx, dy, dz) = (reach.x - entry.x, reach.y - entry.y, reach.z - entry.z)
                    squared = dx * dx + dy * dy + dz * dz
                    if squared > farSquared { continue }
                }
                let roundTrip = roundTrip(reach, index, entry, squared: squared)
                if roundTrip + entry.demandPrice < least { (unloaded, least) = (index, roundTrip + entry.demandPrice) }
                guard entry.hasRoom, index == reach.arrival || !tried.contains(index) else { continue }
                var cost = roundTrip + entry.price
                if gathered.contains(index) { cost -= PlacementPolicy.meetingWorth }
                insert(Option(index: index, cost: cost, roundTrip: roundTrip), into: &shortlist)
                guard shortlist.count == PlacementPolicy.shortlist else { continue }
                let worst = shortlist[PlacementPolicy.shortlist - 1].cost
                let far = RoundTrip.longestChord(within: max(least, worst + PlacementPolicy.meetingWorth))
                farSquared = far * far
            }
        }
        return (shortlist, unloaded)
    }

    private static func roundTrip(
        _ reach: Reach, _ index: Int, _ entry: PlacementSnapshot.Entry, squared: Double
    ) -> Double {
        if index == reach.arrival { return 0 }
        if squared >= 0 { return RoundTrip.estimate(chord: squared.squareRoot()) }
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
