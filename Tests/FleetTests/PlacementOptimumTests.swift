import Testing

@testable import Fleet

/// What placement costs, beside the least possible: the sum of estimated round trips under capacities, without last miles.
@Suite struct PlacementOptimumTests {
    struct Case {
        var sites: [Site]
        var capacity: Int
        var clients: [Position]
        /// Others of the same demand, from which prices are learnt.
        var earlier: [Position]

        init(seed: Int, slack: Double, people: Int = 60) {
            var random = Seeded(seed)
            let region = seed % World.clusters.count
            sites = (0..<6).map {
                Site(name: World.name($0), position: World.position(&random, in: region, wider: 1.5).0)
            }
            capacity = Int((Double(people) * slack / 6).rounded(.up))
            clients = (0..<people).map { _ in World.position(&random, in: region, wider: 1.2).0 }
            earlier = (0..<people * 10).map { _ in World.position(&random, in: region, wider: 1.2).0 }
        }

        func costs(_ clients: [Position]) -> [[Double]] {
            clients.map { client in sites.map { RoundTrip.estimate(client, $0.position ?? client) } }
        }
    }

    static func auction(_ costs: [[Double]], _ capacities: [Int], step: Double) -> PlacementAuction {
        PlacementAuction(clients: costs.count, places: capacities, step: step, compared: 3) { client, count in
            let all = costs[client].enumerated().map { PlacementChoice(pop: $0.offset, roundTrip: $0.element) }
            return Array(all.sorted { $0.roundTrip < $1.roundTrip }.prefix(count))
        }
    }

    /// One at a time, the snapshot being as old as the last `interval` clients, but for what was decided here.
    static func online(_ test: Case, costs: [[Double]], prices: [String: Double] = [:]) -> Double {
        var snapshot = PlacementSnapshot(
            test.sites.map { PlacementCandidate(site: $0, load: 0, capacity: Double(test.capacity)) }, prices: prices)
        var sum = 0.0
        for (client, position) in test.clients.enumerated() {
            let request = PlacementClient(origin: .position(position), key: UInt64(client))
            guard let decision = Placement.decide(request, in: snapshot) else { return .infinity }
            snapshot.seat(1, at: decision.pop)
            sum += costs[client][test.sites.firstIndex { $0.name == decision.pop } ?? 0]
        }
        return sum
    }

    struct Gaps {
        var sum = 0.0
        var most = 0.0
        var count = 0.0

        mutating func add(_ cost: Double, over least: Double) {
            sum += cost / least - 1
            most = max(most, cost / least - 1)
            count += 1
        }

        var text: String { "mean \(percent(sum / count)), worst \(percent(most))" }
    }

    @Test func smallCasesAreWithinFivePercentOfTheOptimum() {
        for slack in [1.05, 1.25, 1.5, 2, 3] {
            var (batch, online, priced) = (Gaps(), Gaps(), Gaps())
            for seed in 0..<100 {
                let test = Case(seed: seed, slack: slack)
                let costs = test.costs(test.clients)
                let capacities = Array(repeating: test.capacity, count: 6)
                let least = LeastCost.solve(costs, capacities: capacities)
                let auction = Self.auction(costs, capacities, step: 0.02 * least / Double(costs.count))
                #expect(!auction.seats.contains(nil))
                let cost = auction.seats.enumerated().reduce(0) { $0 + costs[$1.offset][$1.element ?? 0] }
                batch.add(cost, over: least)
                online.add(Self.online(test, costs: costs), over: least)
                let learnt = Self.auction(test.costs(test.earlier), capacities.map { $0 * 10 }, step: 0.1)
                let prices = Dictionary(uniqueKeysWithValues: zip(test.sites.map(\.name), learnt.prices))
                priced.add(Self.online(test, costs: costs, prices: prices), over: least)
            }
            print(
                "6 PoPs, 60 clients, places for \(slack) x: batch \(batch.text); online \(online.text);",
                "online at learnt prices \(priced.text)")
            #expect(batch.most <= 0.05)
        }
    }
}

func percent(_ share: Double) -> String {
    let tenths = Int((share * 1000).rounded())
    return "\(tenths / 10).\(abs(tenths % 10))%"
}
