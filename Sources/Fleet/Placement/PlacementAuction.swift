/// A PoP that a client may go to, and the round trip to it in ms.
public struct PlacementChoice: Sendable {
    public var pop: Int
    public var roundTrip: Double

    public init(pop: Int, roundTrip: Double) {
        self.pop = pop
        self.roundTrip = roundTrip
    }
}

/// Places many clients at once, at nearly the least sum of round trips: the people of a drained PoP, a plan, or the prices at which
/// newcomers are then placed one by one.
///
/// The forward auction (Bertsekas 1988; with many places each, Bertsekas and Castañón 1989): a client without a place bids for
/// the PoP that is best for it at its price, by as much as the next best would be worse. A full PoP keeps the highest bids, and
/// the least of them is its price. The sum is at most `step` a client above the optimum.
public struct PlacementAuction: Sendable {
    /// For each client the index of its PoP; nil for those beyond the number of places.
    public private(set) var seats: [Int?]
    /// What a place costs at each PoP, ms: 0 where places are left.
    public private(set) var prices: [Double]

    /// `choices(client, n)` gives the client's n nearest PoPs, nearest first, and fewer only where there are no more. `compared`
    /// is how many are asked for at first; it changes the work, not the outcome. `step` is the error, ms a client.
    public init(
        clients: Int, places: [Int], step: Double, compared: Int = 8,
        choices: (_ client: Int, _ count: Int) -> [PlacementChoice]
    ) {
        let step = max(step, 1e-6)
        seats = Array(repeating: nil, count: clients)
        prices = places.map { $0 > 0 ? 0 : .infinity }
        var halls = places.map { Hall(places: max(0, $0)) }
        let seated = min(clients, places.reduce(0) { $0 + max(0, $1) })
        var ballots = Array(repeating: Ballot(), count: seated)
        var waiting = Array((0..<seated).reversed())
        while let client = waiting.popLast() {
            var offer = best(ballots[client])
            while offer.cost > ballots[client].beyond {
                ballots[client].widen(compared) { choices(client, $0) }
                offer = best(ballots[client])
            }
            guard offer.cost < .infinity else { continue }
            let margin = min(offer.next, ballots[client].beyond) - offer.cost
            let bid = Bid(price: prices[offer.pop] + min(margin, Self.mostMargin) + step, client: client)
            seats[client] = offer.pop
            if let evicted = halls[offer.pop].admit(bid) {
                seats[evicted] = nil
                waiting.append(evicted)
            }
            prices[offer.pop] = halls[offer.pop].price
        }
        for pop in prices.indices where prices[pop] == .infinity { prices[pop] = 0 }
    }

    /// Bounds a bid where there is but one PoP; ms.
    private static let mostMargin = 1000.0

    /// The cheapest of a client's choices, and what the next costs.
    private func best(_ ballot: Ballot) -> (pop: Int, cost: Double, next: Double) {
        var (pop, cost, next) = (-1, Double.infinity, Double.infinity)
        for choice in ballot.choices {
            // Nearest first: neither this nor what follows can be the best or the next.
            if choice.roundTrip >= next { break }
            let offered = choice.roundTrip + prices[choice.pop]
            if offered < cost { (pop, cost, next) = (choice.pop, offered, cost) } else { next = min(next, offered) }
        }
        return (pop, cost, next)
    }
}

/// The PoPs that a client compares.
private struct Ballot {
    var choices: ArraySlice<PlacementChoice> = []
    /// The round trip to the nearest of the others: since prices are not negative, none of them costs less.
    var beyond = -1.0

    mutating func widen(_ atLeast: Int, _ nearest: (Int) -> [PlacementChoice]) {
        let count = max(1, atLeast, choices.count * 2)
        let found = nearest(count + 1)
        choices = found.prefix(count)
        beyond = found.count > count ? found[count].roundTrip : .infinity
    }
}

/// What a client gives for a place.
private struct Bid {
    var price: Double
    var client: Int

    static func < (a: Bid, b: Bid) -> Bool { (a.price, a.client) < (b.price, b.client) }
}

/// The places of one PoP: a binary heap of bids, the least on top.
private struct Hall {
    let places: Int
    var bids: [Bid] = []

    init(places: Int) { self.places = places }

    var price: Double { bids.count < places ? 0 : bids[0].price }

    /// The client that has to go, where all places are taken. A bid is above the price, so it is never the new one.
    mutating func admit(_ bid: Bid) -> Int? {
        if bids.count < places {
            bids.append(bid)
            var child = bids.count - 1
            while child > 0, bids[child] < bids[(child - 1) / 2] {
                bids.swapAt(child, (child - 1) / 2)
                child = (child - 1) / 2
            }
            return nil
        }
        let evicted = bids[0].client
        bids[0] = bid
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < bids.count && bids[child] < bids[least] {
                least = child
            }
            if least == parent { return evicted }
            bids.swapAt(parent, least)
            parent = least
        }
    }
}
