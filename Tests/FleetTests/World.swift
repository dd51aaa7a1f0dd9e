@testable import Fleet

/// A repeatable generator (SplitMix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: Int) { state = UInt64(bitPattern: Int64(seed)) }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return StableHash.mixed(state)
    }

    /// About normal: mean 0, variance 1.
    mutating func normal() -> Double {
        (0..<12).reduce(-6) { sum, _ in sum + Double.random(in: 0..<1, using: &self) }
    }
}

/// Places as people and PoPs are: in clusters of unequal size on several continents.
struct World {
    struct Cluster {
        var latitude, longitude, spread, weight: Double
    }

    /// Rough centres of the regions where people are.
    static let clusters = [
        Cluster(latitude: 50, longitude: 10, spread: 7, weight: 5),
        Cluster(latitude: 40, longitude: -78, spread: 6, weight: 4),
        Cluster(latitude: 37, longitude: -120, spread: 4, weight: 2),
        Cluster(latitude: 22, longitude: 78, spread: 7, weight: 4),
        Cluster(latitude: 34, longitude: 115, spread: 9, weight: 4),
        Cluster(latitude: 36, longitude: 138, spread: 3, weight: 2),
        Cluster(latitude: -20, longitude: -47, spread: 7, weight: 2),
        Cluster(latitude: -33, longitude: 148, spread: 5, weight: 1),
        Cluster(latitude: 5, longitude: 10, spread: 9, weight: 1),
        Cluster(latitude: 3, longitude: 104, spread: 5, weight: 2),
    ]

    static func position(_ random: inout Seeded, in only: Int? = nil, wider: Double = 1) -> (Position, region: Int) {
        let total = clusters.reduce(0) { $0 + $1.weight }
        var region = only ?? 0
        if only == nil {
            var draw = Double.random(in: 0..<total, using: &random)
            while draw >= clusters[region].weight, region + 1 < clusters.count {
                draw -= clusters[region].weight
                region += 1
            }
        }
        let cluster = clusters[region]
        while true {
            let latitude = cluster.latitude + random.normal() * cluster.spread * wider
            let longitude = cluster.longitude + random.normal() * cluster.spread * wider
            if let position = Position(latitude: latitude, longitude: longitude) { return (position, region) }
        }
    }

    static func name(_ index: Int) -> String { "pop\(String(10_000 + index).dropFirst())" }

    static func sites(_ count: Int, _ random: inout Seeded) -> [Site] {
        (0..<count).map { index in
            let (position, region) = position(&random)
            return Site(name: name(index), region: "region\(region)", position: position)
        }
    }
}

/// The least sum of round trips under capacities, exactly: successive shortest paths by Bellman and Ford.
///
/// The graph is reduced to the PoPs: from one to another leads the cheapest change of a client that sits there.
enum LeastCost {
    static func solve(_ costs: [[Double]], capacities: [Int]) -> Double {
        let pops = capacities.count
        var seats: [Int] = []
        var load = Array(repeating: 0, count: pops)
        for (client, row) in costs.enumerated() {
            seats.append(-1)
            // The cheapest way to let this client in, ending at a PoP with a place left.
            var distance = row
            var cameFrom = Array(repeating: -1, count: pops)
            var mover = Array(repeating: client, count: pops)
            var changed = true
            while changed {
                changed = false
                for other in 0..<client {
                    let from = seats[other]
                    for to in 0..<pops where to != from {
                        let by = distance[from] + costs[other][to] - costs[other][from]
                        if by < distance[to] - 1e-9 {
                            (distance[to], cameFrom[to], mover[to], changed) = (by, from, other, true)
                        }
                    }
                }
            }
            guard var pop = (0..<pops).filter({ load[$0] < capacities[$0] }).min(by: { distance[$0] < distance[$1] })
            else { return .infinity }
            load[pop] += 1
            while pop >= 0 {
                seats[mover[pop]] = pop
                pop = cameFrom[pop]
            }
        }
        return seats.enumerated().reduce(0) { $0 + costs[$1.offset][$1.element] }
    }
}
