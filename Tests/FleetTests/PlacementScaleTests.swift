import Testing

@testable import Fleet

/// 100,000 clients on 1,000 PoPs, beside a lower bound of the sum of round trips.
@Suite struct PlacementScaleTests {
    /// Where clients are: towns, so that round trips are a table.
    struct Demand {
        static let clients = 100_000
        static let pops = 1000
        static let towns = 1000

        var sites: [Site]
        var towns: [Position]
        /// The town of each client.
        var clients: [Int]
        /// Of each town: all PoPs, nearest first.
        var choices: [[PlacementChoice]]

        init(seed: Int) {
            var random = Seeded(seed)
            let sites = World.sites(Self.pops, &random)
            let towns = (0..<Self.towns).map { _ in World.position(&random, wider: 1.1).0 }
            self.sites = sites
            self.towns = towns
            clients = (0..<Self.clients).map { _ in Int.random(in: 0..<Self.towns, using: &random) }
            choices = towns.map { town in
                sites.enumerated().map {
                    PlacementChoice(pop: $0.offset, roundTrip: RoundTrip.estimate(town, $0.element.position ?? town))
                }.sorted { ($0.roundTrip, $0.pop) < ($1.roundTrip, $1.pop) }
            }
        }

        /// How many clients have each PoP as their nearest.
        var nearest: [Int] {
            clients.reduce(into: Array(repeating: 0, count: Self.pops)) { $0[choices[$1][0].pop] += 1 }
        }

        func auction(_ places: [Int], step: Double) -> PlacementAuction {
            PlacementAuction(clients: clients.count, places: places, step: step) { client, count in
                Array(choices[clients[client]].prefix(count))
            }
        }

        func roundTrip(_ client: Int, _ pop: Int) -> Double {
            guard let a = sites[pop].position else { return .infinity }
            return RoundTrip.estimate(towns[clients[client]], a)
        }

        func cost(_ auction: PlacementAuction) -> Double {
            auction.seats.enumerated().reduce(0) { $0 + roundTrip($1.offset, $1.element ?? 0) }
        }

        /// Each client at its nearest PoP, as if places had no end.
        var nearestBound: Double { clients.reduce(0) { $0 + choices[$1][0].roundTrip } }

        /// The Lagrangian dual: for any prices that are not negative, no placement under the capacities costs less.
        func dualBound(_ prices: [Double], _ places: [Int]) -> Double {
            let least = choices.map { row in row.reduce(Double.infinity) { min($0, $1.roundTrip + prices[$1.pop]) } }
            return clients.reduce(0) { $0 + least[$1] } - zip(prices, places).reduce(0) { $0 + $1.0 * Double($1.1) }
        }

        /// One at a time, in the order in which they come.
        func online(_ places: [Int], prices: [String: Double] = [:]) -> (cost: Double, elsewhere: Int) {
            var snapshot = PlacementSnapshot(
                zip(sites, places).map { PlacementCandidate(site: $0, load: 0, capacity: Double($1)) }, prices: prices)
            let index = Dictionary(uniqueKeysWithValues: sites.enumerated().map { ($1.name, $0) })
            var (cost, elsewhere) = (0.0, 0)
            for (client, town) in clients.enumerated() {
                let request = PlacementClient(origin: .position(towns[town]), key: UInt64(client))
                guard let decision = Placement.decide(request, in: snapshot), let pop = index[decision.pop] else {
                    return (.infinity, 0)
                }
                snapshot.seat(1, at: decision.pop)
                if pop != choices[town][0].pop { elsewhere += 1 }
                cost += roundTrip(client, pop)
            }
            return (cost, elsewhere)
        }
    }

    static let demand = Demand(seed: 1)

    @Test func whereCapacityBindsLittleTheNearestBoundIsReached() {
        let demand = Self.demand
        var random = Seeded(2)
        // Built where people are: most PoPs have room for two or three times their own, one in ten for less than its own.
        let places = demand.nearest.map { own in
            max(
                20,
                Int(
                    Double(own)
                        * (Bool.random(in: 10, using: &random) ? 0.9 : Double.random(in: 1.5...3, using: &random))))
        }
        let bound = demand.nearestBound
        let batch = demand.cost(demand.auction(places, step: 0.04 * bound / Double(Demand.clients)))
        let online = demand.online(places)
        print(
            "1,000 PoPs, 100,000 clients, capacity binds little, over each client's nearest PoP:",
            "batch \(percent(batch / bound - 1)), online \(percent(online.cost / bound - 1)), \(online.elsewhere) not at their nearest"
        )
        #expect(batch / bound <= 1.05)
        #expect(online.cost / bound <= 1.05)
    }

    @Test func whereCapacityBindsTheDualBoundIsReached() {
        let demand = Self.demand
        // The same everywhere, wherever people are.
        let places = Array(repeating: Demand.clients * 5 / 4 / Demand.pops, count: Demand.pops)
        let auction = demand.auction(places, step: 0.04 * demand.nearestBound / Double(Demand.clients))
        let bound = demand.dualBound(auction.prices, places)
        let batch = demand.cost(auction)
        let online = demand.online(places)
        let prices = Dictionary(uniqueKeysWithValues: zip(demand.sites.map(\.name), auction.prices))
        let priced = demand.online(places, prices: prices)
        print(
            "1,000 PoPs, 100,000 clients, places for 1.25 x, over the dual bound (\(percent(bound / demand.nearestBound)) of the",
            "nearest): batch \(percent(batch / bound - 1)), online \(percent(online.cost / bound - 1)),",
            "online at known prices \(percent(priced.cost / bound - 1))")
        #expect(bound > demand.nearestBound)
        #expect(batch / bound <= 1.05)
    }
}

extension Bool {
    /// True once in `times`.
    static func random(in times: Int, using random: inout Seeded) -> Bool {
        Int.random(in: 0..<times, using: &random) == 0
    }
}
