import Testing

@testable import Fleet

@Suite struct TopologyTests {
    /// What must hold of every tree.
    static func check(_ tree: FeedTree, _ sites: [Site], atMost depth: Int) {
        let others = Set(sites.map(\.name)).subtracting([tree.source])
        #expect(Set(tree.upstream.keys) == others)
        var fed: [String] = []
        for (feeder, pops) in tree.downstreams {
            #expect(pops.count <= 16 && pops == pops.sorted())
            #expect(pops.allSatisfy { tree.upstream[$0] == feeder })
            fed += pops
        }
        #expect(fed.count == others.count && Set(fed) == others)
        for pop in others {
            // Nil where there is a cycle: its PoPs would never lead to the source.
            let found = Self.depth(of: pop, in: tree)
            #expect(found != nil && (found ?? 0) <= depth, "\(pop) is \(found ?? -1) deep")
        }
    }

    static func depth(of pop: String, in tree: FeedTree) -> Int? {
        var (pop, depth) = (pop, 0)
        while pop != tree.source {
            guard let next = tree.upstream[pop], depth <= tree.upstream.count else { return nil }
            (pop, depth) = (next, depth + 1)
        }
        return depth
    }

    static func tree(_ sites: [Site], _ source: Int = 0, meeting: String = "m_1") throws -> FeedTree {
        try #require(Topology.tree(of: sites, from: sites[source].name, meeting: meeting))
    }

    @Test(arguments: 0..<20) func treesHaveTheirForm(seed: Int) throws {
        var random = Seeded(seed)
        let sizes = [1, 2, 16, 17, 18, 33, 272, 273] + (0..<6).map { _ in Int.random(in: 3...273, using: &random) }
        for size in sizes {
            var sites = World.sites(size, &random)
            if seed % 3 == 1 { sites = sites.map { Site(name: $0.name, position: $0.position) } }
            if seed % 3 == 2 {
                sites = sites.map { Site(name: $0.name, region: Bool.random(in: 4, using: &random) ? "" : $0.region) }
            }
            let source = Int.random(in: 0..<size, using: &random)
            let tree = try Self.tree(sites, source)
            Self.check(tree, sites, atMost: size <= 17 ? 1 : 2)
            #expect(try Self.tree(sites, source) == tree)
            #expect(Topology.tree(of: sites.shuffled(using: &random), from: sites[source].name, meeting: "m_1") == tree)
        }
    }

    @Test func moreThan272PoPsMakeItDeeperByOneAtATime() throws {
        #expect((1...4).map { Topology.capacity(depth: $0) } == [16, 272, 4368, 69_904])
        var random = Seeded(5)
        for (size, depth) in [(274, 3), (1000, 3), (4369, 3), (4370, 4)] {
            let sites = World.sites(size, &random)
            Self.check(try Self.tree(sites, size / 2), sites, atMost: depth)
        }
    }

    @Test func namesThatComeTwiceCountOnceAndAStrangerHasNoTree() throws {
        let sites = (0..<40).map { Site(name: World.name($0)) }
        let moved = Site(name: World.name(3), position: Position(latitude: 1, longitude: 1))
        let tree = try Self.tree(sites)
        let (first, last) = (
            try Self.tree(sites + [moved]), Topology.tree(of: [moved] + sites, from: sites[0].name, meeting: "m_1")
        )
        #expect(first == last)
        #expect(tree.upstream.count == 39 && first.upstream.count == 39)
        #expect(Topology.tree(of: sites, from: "stranger", meeting: "m_1") == nil)
        #expect(Topology.tree(of: [], from: "stranger", meeting: "m_1") == nil)
    }

    /// PoPs in both whose feeder is another.
    static func changes(_ a: FeedTree, _ b: FeedTree) -> Int {
        a.upstream.count { b.upstream[$0.key] != nil && b.upstream[$0.key] != $0.value }
    }

    @Test func aPoPThatComesOrGoesMovesFewOfTheOthers() throws {
        for size in [10, 18, 30, 60, 120, 200, 260] {
            var (sum, most, none, count) = (0, 0, 0, 0)
            for seed in 0..<10 {
                var random = Seeded(seed)
                let sites = World.sites(size, &random)
                let whole = try Self.tree(sites)
                for _ in 0..<8 {
                    let gone = Int.random(in: 1..<size, using: &random)
                    var fewer = sites
                    fewer.remove(at: gone)
                    let changed = Self.changes(try Self.tree(fewer), whole)
                    (sum, most, none, count) = (
                        sum + changed, max(most, changed), none + (changed == 0 ? 1 : 0), count + 1
                    )
                }
            }
            let mean = Double(sum) / Double(count)
            print(
                "one of \(size) PoPs comes or goes: \(Int((mean * 10).rounded()) / 10).\(Int((mean * 10).rounded()) % 10) others",
                "change their feeder in the mean, \(most) at most, none in \(percent(Double(none) / Double(count)))")
            // A relay has 16 at most, and another relay may have to take its place and lose as many.
            #expect(most <= 3 * Topology.fanOut)
            #expect(mean <= 0.1 * Double(size) || mean <= 2)
        }
    }

    @Test func relaysAreNearThoseThatTheyFeed() throws {
        for isNamed in [true, false] {
            var (fed, random16, direct, path, count) = (0.0, 0.0, 0.0, 0.0, 0.0)
            for seed in 0..<20 {
                var random = Seeded(seed)
                let sites = World.sites(100, &random).map { isNamed ? $0 : Site(name: $0.name, position: $0.position) }
                let byName = Dictionary(uniqueKeysWithValues: sites.map { ($0.name, $0) })
                let tree = try Self.tree(sites)
                let relays = (tree.downstreams[tree.source] ?? []).compactMap { byName[$0] }
                for site in sites where Self.depth(of: site.name, in: tree) == 2 {
                    let relay = try #require(byName[tree.upstream[site.name] ?? ""])
                    fed += RoundTrip.estimate(site, relay)
                    random16 += RoundTrip.estimate(site, relays[Int.random(in: 0..<16, using: &random)])
                    direct += RoundTrip.estimate(site, sites[0])
                    path += RoundTrip.estimate(sites[0], relay) + RoundTrip.estimate(relay, site)
                    count += 1
                }
            }
            print(
                "100 PoPs, regions \(isNamed ? "named" : "unknown"): a relay is \(Int(fed / count)) ms from those it feeds, any",
                "relay \(Int(random16 / count)), the source \(Int(direct / count)); by the relay \(Int(path / count))")
            #expect(fed < 0.15 * random16)
            #expect(path < 1.25 * direct)
        }
    }

    @Test func otherMeetingsAndSourcesHaveOtherRelays() throws {
        var random = Seeded(11)
        let sites = World.sites(100, &random)
        var work: [String: Int] = [:]
        for meeting in 0..<50 {
            let tree = try Self.tree(sites, meeting, meeting: "m_\(meeting % 7)")
            for (relay, pops) in tree.downstreams where relay != tree.source { work[relay, default: 0] += pops.count }
        }
        let most = work.values.max() ?? 0
        print(
            "50 trees of 100 PoPs: \(work.count) are relays in some, the busiest feeds \(most) times, of \(work.values.reduce(0, +))"
        )
        #expect(work.count > 90)
        #expect(most < 6 * work.values.reduce(0, +) / 100)
    }
}
