import Testing

@testable import Fleet

/// A fleet on virtual time, from a seed.
@Suite struct FleetSimulationTests {
    /// People who come in this second: as many as keep the fleet at `share` of its capacity.
    static func joins(_ fleet: inout SimulatedFleet, share: Double, in region: Int? = nil, times: Double = 1)
        -> [Position]
    {
        let capacity = fleet.pops.reduce(0) { $0 + $1.capacity }
        var rate = times * share * capacity / SimulatedFleet.stay
        if let region {
            rate *= World.clusters[region].weight / World.clusters.reduce(0) { $0 + $1.weight }
        }
        let whole = Int(rate) + (Double.random(in: 0..<1, using: &fleet.random) < rate - rate.rounded(.down) ? 1 : 0)
        return (0..<whole).map { _ in World.position(&fleet.random, in: region).0 }
    }

    static func run(_ fleet: inout SimulatedFleet, seconds: Int, share: Double, storm region: Int? = nil) {
        for _ in 0..<seconds {
            var joins = joins(&fleet, share: share)
            if let region { joins += Self.joins(&fleet, share: share, in: region, times: 9) }
            fleet.step(joins)
        }
    }

    @Test(arguments: 0..<4) func aFleetThatLosesPoPsAndGetsThemBackSettles(seed: Int) {
        var fleet = SimulatedFleet(seed: seed, pops: 30)
        Self.run(&fleet, seconds: 600, share: 0.5)
        for round in 0..<4 {
            let (dying, draining) = (seed * 7 + round * 5, seed * 3 + round * 11 + 1)
            fleet.kill(dying % 30)
            Self.run(&fleet, seconds: 60, share: 0.5, storm: (seed + round) % World.clusters.count)
            if draining % 30 != dying % 30 { fleet.drain(draining % 30) }
            Self.run(&fleet, seconds: 160, share: 0.5)
            if draining % 30 != dying % 30 {
                #expect(fleet.pops[draining % 30].people.isEmpty, "seed \(seed), round \(round)")
            }
            fleet.start(dying % 30)
            Self.run(&fleet, seconds: 90, share: 0.5)
            fleet.start(draining % 30)
            Self.run(&fleet, seconds: 120, share: 0.5)
        }
        Self.run(&fleet, seconds: 900, share: 0.5)
        let before = fleet.tally
        var (least, most) = (fleet.pops.map(\.load), fleet.pops.map(\.load))
        for _ in 0..<300 {
            Self.run(&fleet, seconds: 1, share: 0.5)
            for (index, pop) in fleet.pops.enumerated() {
                (least[index], most[index]) = (min(least[index], pop.load), max(most[index], pop.load))
            }
        }
        let tally = fleet.tally
        print(
            "seed \(seed): \(tally.joins) joins, \(tally.redirects) redirects, \(tally.fellBack) to one not yet known to be dead,",
            "\(tally.refused) refused, \(tally.moves) moved off hot PoPs, \(tally.drained) off drained ones; at the end",
            "\(percent(fleet.gap())) over the optimum")
        #expect(tally.breaches.isEmpty, "seed \(seed): \(tally.breaches)")
        #expect(tally.refused == 0 && tally.needless == 0)
        #expect(tally.moves == before.moves)
        for index in fleet.pops.indices {
            // People come and go at random: some 8 standard deviations.
            #expect(most[index] - least[index] <= 8 * most[index].squareRoot() + 5, "seed \(seed), pop \(index)")
        }
    }

    @Test(arguments: [0, 3, 4, 6, 7]) func aJoinStormMovesNobodyWhoNeedNotMove(region: Int) {
        var fleet = SimulatedFleet(seed: region, pops: 40)
        Self.run(&fleet, seconds: 900, share: 0.4)
        let before = fleet.tally
        Self.run(&fleet, seconds: 60, share: 0.4, storm: region)
        let hottest = fleet.pops.map { $0.load / $0.capacity }.max() ?? 0
        Self.run(&fleet, seconds: 300, share: 0.4)
        let tally = fleet.tally
        print(
            "storm of 10 x into region \(region): \(tally.joins - before.joins) joins, hottest \(percent(hottest)),",
            "\(tally.redirects - before.redirects) redirected, \(tally.needless) of them needlessly,",
            "\(tally.moves - before.moves) moved, \(tally.refused) refused")
        #expect(tally.moves == 0 && tally.needless == 0 && tally.refused == 0)
        #expect(tally.breaches.isEmpty, "\(tally.breaches)")
    }

    @Test(arguments: 0..<6) func aPoPThatLosesCapacityIsRelievedOnceAndStaysSo(seed: Int) {
        var fleet = SimulatedFleet(seed: seed, pops: 30)
        Self.run(&fleet, seconds: 900, share: 0.5)
        // The fullest loses workers: it has a tenth more people than it can serve.
        let index = fleet.pops.indices.max { fleet.pops[$0].load < fleet.pops[$1].load } ?? 0
        fleet.pops[index].capacity = (fleet.pops[index].load / 1.1).rounded(.down)
        let excess = fleet.pops[index].load - fleet.pops[index].capacity
        var seconds = 0
        while fleet.pops[index].load > fleet.pops[index].capacity && seconds < 300 {
            fleet.step([])
            seconds += 1
        }
        fleet.tally.breaches = []
        Self.run(&fleet, seconds: 1200, share: 0.5)
        print(
            "seed \(seed): \(Int(excess)) too many, gone after \(seconds) s; \(fleet.tally.moves) moved, \(fleet.tally.refused) refused"
        )
        #expect(seconds <= 60)
        #expect(fleet.tally.moves > 0 && Double(fleet.tally.moves) <= excess + 0.1 * fleet.pops[index].capacity)
        #expect(fleet.tally.breaches.isEmpty, "\(fleet.tally.breaches)")
        #expect(fleet.pops.allSatisfy { !$0.isRelieving })
    }
}
