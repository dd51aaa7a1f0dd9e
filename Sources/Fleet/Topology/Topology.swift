/// How the PoPs of one meeting feed one another: directly, or through relays where one would have to feed more than 16.
///
/// Every PoP computes the same trees from the same members, one for each PoP where somebody publishes, and a PoP that comes
/// or goes changes few of the others' feeders.
public enum Topology {
    /// PoPs that one feeds at most. One publisher's Layer leaves a PoP as often, before anybody there watches it.
    public static let fanOut = 16

    /// The tree of what is published at `source`; nil where that is not a member. The order of `members` does not matter.
    ///
    /// `meeting` spreads the work of relays over the PoPs: other meetings get others.
    public static func tree(of members: [Site], from source: String, meeting: String) -> FeedTree? {
        var unique: [Site] = []
        for site in members.sorted(by: Site.precedes) where unique.last?.name != site.name { unique.append(site) }
        guard let root = unique.first(where: { $0.name == source }) else { return nil }
        var tree = FeedTree(source: source)
        let key = StableHash.of(StableHash.of(meeting), StableHash.of(source))
        feed(unique.filter { $0.name != source }, from: root, key: key, into: &tree)
        tree.sort()
        return tree
    }

    /// PoPs that a tree of this depth holds, its source not counted: 16, 272, 4,368, 69,904.
    static func capacity(depth: Int) -> Int {
        (0..<depth).reduce(0) { below, _ in fanOut + fanOut * below }
    }

    /// `sites` are sorted by name. The tree is no deeper than it must be for their number.
    private static func feed(_ sites: [Site], from feeder: Site, key: UInt64, into tree: inout FeedTree) {
        guard sites.count > fanOut else {
            for site in sites { tree.feed(site.name, from: feeder.name) }
            return
        }
        var below = 1
        while capacity(depth: below + 1) < sites.count { below += 1 }
        let relays = relays(of: sites, key: key)
        let chosen = Set(relays.map(\.name))
        let rest = sites.filter { !chosen.contains($0.name) }
        let groups = nearest(rest, to: relays, room: capacity(depth: below))
        for (relay, group) in zip(relays, groups) {
            tree.feed(relay.name, from: feeder.name)
            feed(group, from: relay, key: key, into: &tree)
        }
    }

    /// 16 of the sites, of each region in proportion to its sites (Sainte-Laguë, in which one site more moves at most one relay),
    /// and within a region by rendezvous hashing.
    private static func relays(of sites: [Site], key: UInt64) -> [Site] {
        let regions = Dictionary(grouping: sites) { region(of: $0) }.sorted { $0.key < $1.key }.map { region in
            region.value.map { (site: $0, draw: StableHash.of(key, StableHash.of($0.name))) }
                .sorted { ($0.draw, $0.site.name) < ($1.draw, $1.site.name) }.map(\.site)
        }
        var seats = Array(repeating: 0, count: regions.count)
        for _ in 0..<min(fanOut, sites.count) {
            // The greatest of sites / (2 seats + 1), compared without a division; the first of equals.
            var best: Int?
            for region in regions.indices where seats[region] < regions[region].count {
                guard let leader = best else {
                    best = region
                    continue
                }
                let (ours, theirs) = (
                    regions[region].count * (2 * seats[leader] + 1), regions[leader].count * (2 * seats[region] + 1)
                )
                if ours > theirs { best = region }
            }
            if let best { seats[best] += 1 }
        }
        return zip(regions, seats).flatMap { $0.prefix($1) }.sorted { $0.name < $1.name }
    }

    /// The operator's region; without one, a part of the Earth of 30 by 45 degrees.
    private static func region(of site: Site) -> String {
        guard site.region.isEmpty, let position = site.position else { return site.region }
        return "\(Int((position.latitude / 30).rounded(.down))) \(Int((position.longitude / 45).rounded(.down)))"
    }

    /// For each relay those that it feeds: pairs are joined from the nearest on while the relay has room. The outcome is the one
    /// in which no two would rather have each other, so that a site that comes or goes moves only those whose room it takes.
    private static func nearest(_ sites: [Site], to relays: [Site], room: Int) -> [[Site]] {
        struct Pair {
            /// Whole µs: the last bits of a distance may differ between machines.
            var distance: Int
            var site: Int
            var relay: Int
        }
        var pairs: [Pair] = []
        pairs.reserveCapacity(sites.count * relays.count)
        for (site, from) in sites.enumerated() {
            for (relay, to) in relays.enumerated() {
                let distance = Int((RoundTrip.estimate(from, to) * 1000).rounded())
                pairs.append(Pair(distance: distance, site: site, relay: relay))
            }
        }
        pairs.sort { ($0.distance, $0.site, $0.relay) < ($1.distance, $1.site, $1.relay) }
        var groups = Array(repeating: [Int](), count: relays.count)
        var isFed = Array(repeating: false, count: sites.count)
        for pair in pairs where !isFed[pair.site] && groups[pair.relay].count < room {
            isFed[pair.site] = true
            groups[pair.relay].append(pair.site)
        }
        return groups.map { $0.sorted().map { sites[$0] } }
    }
}
