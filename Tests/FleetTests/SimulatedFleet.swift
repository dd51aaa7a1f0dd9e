@testable import Fleet

/// PoPs and people on virtual time: anycast, reports that are seconds old, deciders that know only those and themselves.
struct SimulatedFleet {
    struct PoP {
        var site: Site
        var capacity: Double
        var people: Set<Int> = []
        var diedAt: Int?
        var drainedAt: Int?
        /// What it knows: reports, and what it decided itself since it read them.
        var view = PlacementSnapshot([])
        var isRelieving = false

        var isAlive: Bool { diedAt == nil }
        var isDraining: Bool { drainedAt != nil }
        var load: Double { Double(people.count) }
    }

    struct Person {
        var position: Position
        var key: UInt64
        /// Index of its PoP; nil when it has left.
        var pop: Int?
        var movedAt: Double?
        var cameFrom: Int?
    }

    struct Tally {
        var joins = 0, redirects = 0, needless = 0, refused = 0, fellBack = 0
        var moves = 0, drained = 0
        /// Breaches of what must never be.
        var breaches: [String] = []
    }

    /// Seconds between the reports of a PoP, and between its steps.
    static let interval = 5
    /// Mean seconds that somebody stays.
    static let stay = 600.0

    var random: Seeded
    var now = 0
    var pops: [PoP]
    var reports: [PlacementCandidate] = []
    var people: [Person] = []
    var leaving: [Int: [Int]] = [:]
    var tally = Tally()
    let indices: [String: Int]

    init(seed: Int, pops count: Int) {
        var random = Seeded(seed)
        pops = World.sites(count, &random).map {
            PoP(site: $0, capacity: Double(Int.random(in: 150...450, using: &random)))
        }
        self.random = random
        indices = Dictionary(uniqueKeysWithValues: pops.enumerated().map { ($1.site.name, $0) })
        reports = pops.map { PlacementCandidate(site: $0.site, load: 0, capacity: $0.capacity) }
        for index in pops.indices { refresh(index) }
    }

    /// One second; `joins` positions come.
    mutating func step(_ joins: [Position]) {
        now += 1
        for person in leaving.removeValue(forKey: now) ?? [] { leave(person) }
        for index in pops.indices where (now + index) % Self.interval == 0 && pops[index].isAlive {
            reports[index] = report(of: index)
            refresh(index)
            relieve(index)
        }
        for position in joins {
            people.append(Person(position: position, key: random.next()))
            let seconds = Int((Self.stay * StableHash.draw(random.next(), weight: 1)).rounded(.up))
            leaving[now + max(1, seconds), default: []].append(people.count - 1)
            tally.joins += 1
            join(people.count - 1)
        }
        for pop in pops where pop.load > pop.capacity && pop.isAlive {
            breach("\(pop.site.name) has more than its capacity")
        }
    }

    private func report(of index: Int) -> PlacementCandidate {
        let pop = pops[index]
        return PlacementCandidate(
            site: pop.site, load: pop.load, capacity: pop.capacity, isDraining: pop.isDraining, heardAt: Double(now))
    }

    /// It reads the reports of the others; its own load it knows.
    private mutating func refresh(_ index: Int) {
        var known = reports
        known[index] = report(of: index)
        pops[index].view = PlacementSnapshot(known, now: Double(now))
    }

    private mutating func breach(_ text: String) {
        if tally.breaches.count < 10 { tally.breaches.append("\(now) s: \(text)") }
    }

    /// The nearest living PoP; once in 20 the network chooses the second.
    private mutating func anycast(_ position: Position) -> Int? {
        var (first, second) = (-1, -1)
        var (nearest, next) = (Double.infinity, Double.infinity)
        for index in pops.indices where pops[index].isAlive {
            let chord = pops[index].site.position.map { $0.chord(to: position) } ?? 2
            if chord < nearest {
                (first, second, nearest, next) = (index, first, chord, nearest)
            } else if chord < next {
                (second, next) = (index, chord)
            }
        }
        if second >= 0, Bool.random(in: 20, using: &random) { return second }
        return first < 0 ? nil : first
    }

    private mutating func join(_ person: Int) {
        var tried: [String] = []
        guard var at = anycast(people[person].position) else { return }
        while true {
            let client = PlacementClient(
                origin: .arrived(at: pops[at].site.name), key: people[person].key, tried: tried)
            guard let decision = Placement.decide(client, in: pops[at].view), let target = indices[decision.pop] else {
                break
            }
            judge(decision, by: at, target)
            if !decision.isRedirect { return sit(person, at: target) }
            pops[at].view.seat(1, at: decision.pop)
            tally.redirects += 1
            if tried.isEmpty, isCool(at) { tally.needless += 1 }
            tried.append(pops[at].site.name)
            // Where that one died and is not yet known to be dead, the client tries the alternates.
            if !pops[target].isAlive { tally.fellBack += 1 }
            let living = ([decision.pop] + decision.alternates).compactMap { indices[$0] }.first { pops[$0].isAlive }
            guard let next = living ?? anycast(people[person].position) else { break }
            at = next
        }
        tally.refused += 1
    }

    private func isCool(_ index: Int) -> Bool {
        !pops[index].isDraining && pops[index].load < PlacementPolicy.priceKnee * pops[index].capacity
    }

    /// Nobody is sent where the decider could know better, told by what is true and how long it takes to be known: a report and
    /// the next reading of it, and for a dead PoP 15 s of silence.
    private mutating func judge(_ decision: PlacementDecision, by decider: Int, _ target: Int) {
        let pop = pops[target]
        let isKnown = target == decider ? 0 : 2 * Self.interval
        if let since = pop.diedAt, now - since > 15 + Self.interval { breach("\(decision.pop) is dead") }
        if let since = pop.drainedAt, now - since > isKnown { breach("\(decision.pop) is draining") }
        if target == decider && pop.load + 1 > pop.capacity { breach("\(decision.pop) is full") }
        if let load = pops[decider].view.load(of: decision.pop), load + 1 > pop.capacity {
            breach("\(decision.pop) is full, and \(pops[decider].site.name) knows it")
        }
    }

    private mutating func sit(_ person: Int, at pop: Int) {
        pops[pop].view.seat(1, at: pops[pop].site.name)
        people[person].pop = pop
        pops[pop].people.insert(person)
    }

    private mutating func leave(_ person: Int) {
        guard let pop = people[person].pop else { return }
        people[person].pop = nil
        pops[pop].people.remove(person)
        pops[pop].view.seat(-1, at: pops[pop].site.name)
    }

    private mutating func relieve(_ index: Int) {
        let name = pops[index].site.name
        let plan = Relief.plan(for: name, in: pops[index].view, wasRelieving: pops[index].isRelieving)
        pops[index].isRelieving = plan.isRelieving
        guard plan.people > 0 else { return }
        let here = pops[index].people.sorted()
        let movable = here.map { MovablePerson(key: people[$0].key, movedAt: people[$0].movedAt) }
        let isDraining = pops[index].isDraining
        for move in Relief.choose(from: movable, for: plan, isDraining: isDraining, now: Double(now)) {
            guard let target = indices[move.pop], pops[target].isAlive, pops[target].load < pops[target].capacity
            else { continue }
            let person = here[move.person]
            if let last = people[person].movedAt, Double(now) - last < PlacementPolicy.reliefRest {
                if !isDraining { breach("a person was moved twice within the rest") }
                if people[person].cameFrom == target { breach("a person was moved back") }
            }
            pops[index].people.remove(person)
            sit(person, at: target)
            pops[index].view.seat(-1, at: name)
            pops[index].view.seat(1, at: move.pop)
            (people[person].movedAt, people[person].cameFrom) = (Double(now), index)
            if isDraining { tally.drained += 1 } else { tally.moves += 1 }
        }
    }

    /// It is gone at once; its people come anew.
    mutating func kill(_ index: Int) {
        pops[index].diedAt = now
        let orphans = pops[index].people.sorted()
        pops[index].people = []
        for person in orphans {
            people[person].pop = nil
            join(person)
        }
    }

    mutating func drain(_ index: Int) {
        pops[index].drainedAt = now
        refresh(index)
    }

    /// A PoP that died or was drained is back.
    mutating func start(_ index: Int) {
        pops[index].diedAt = nil
        pops[index].drainedAt = nil
        reports[index] = report(of: index)
        refresh(index)
    }

    /// What the people cost who are here, over the least possible for them.
    func gap() -> Double {
        let here = people.indices.filter { people[$0].pop != nil }
        let open = pops.indices.filter { pops[$0].isAlive && !pops[$0].isDraining }
        func roundTrip(_ person: Int, _ pop: Int) -> Double {
            pops[pop].site.position.map { RoundTrip.estimate(people[person].position, $0) } ?? 0
        }
        let auction = PlacementAuction(clients: here.count, places: open.map { Int(pops[$0].capacity) }, step: 0.02) {
            person, count in
            let all = open.enumerated().map {
                PlacementChoice(pop: $0.offset, roundTrip: roundTrip(here[person], $0.element))
            }
            return Array(all.sorted { $0.roundTrip < $1.roundTrip }.prefix(count))
        }
        let least = here.enumerated().reduce(0) { $0 + roundTrip($1.element, open[auction.seats[$1.offset] ?? 0]) }
        return here.reduce(0) { $0 + roundTrip($1, people[$1].pop ?? 0) } / least - 1
    }
}
