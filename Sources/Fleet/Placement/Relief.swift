/// How many people a PoP moves away in a step, and where to.
public struct ReliefPlan: Equatable, Sendable {
    public struct Move: Equatable, Sendable {
        public var pop: String
        public var people: Int
    }

    /// What the next step is to be told: a PoP that has begun goes on until it is well below the limit, or nobody gains by it.
    public var isRelieving: Bool
    /// Nearest first.
    public var moves: [Move]

    public var people: Int { moves.reduce(0) { $0 + $1.people } }
}

/// Somebody who may be moved.
public struct MovablePerson: Sendable {
    /// A hash of what does not change while the person is in the fleet.
    public var key: UInt64
    /// When it was moved last, seconds.
    public var movedAt: Double?
    /// PoPs where others of its meeting are.
    public var gathered: [String]

    public init(key: UInt64, movedAt: Double? = nil, gathered: [String] = []) {
        self.key = key
        self.movedAt = movedAt
        self.gathered = gathered
    }
}

/// Moving people off a PoP that has more than its capacity or is drained. Each PoP decides for itself, once a step.
///
/// Nothing oscillates: a PoP begins above one limit and stops below another, a step moves little, who was moved rests, people go
/// only where newcomers would be sent too, and targets are filled only to where they cost nothing, even if all choose the same.
public enum Relief {
    public static func plan(for name: String, in snapshot: PlacementSnapshot, wasRelieving: Bool) -> ReliefPlan {
        let still = ReliefPlan(isRelieving: false, moves: [])
        guard let index = snapshot.index(of: name) else { return still }
        let entry = snapshot.entries[index]
        // Neither open nor moving: dead, not ready, or its report cannot be.
        guard entry.isOpen || entry.isMoving else { return still }
        if !entry.isOpen {
            let budget = min(entry.load, (PlacementPolicy.urgentBudget * entry.capacity).rounded(.up))
            return ReliefPlan(
                isRelieving: false,
                moves: moves(
                    Int(budget), from: index, in: snapshot, [PlacementPolicy.reliefLimit, PlacementPolicy.drainLimit]))
        }
        let limit = wasRelieving ? PlacementPolicy.reliefStop : PlacementPolicy.reliefStart
        guard entry.utilisation > limit else { return still }
        let excess = (entry.load - PlacementPolicy.reliefStop * entry.capacity).rounded(.up)
        let share = entry.utilisation > 1 ? PlacementPolicy.urgentBudget : PlacementPolicy.reliefBudget
        let budget = min(excess, (share * entry.capacity).rounded(.up))
        // Only where a newcomer would be sent too: else newcomers would take the places of those who were moved.
        let reach = entry.price - PlacementPolicy.redirectGain
        let moves = moves(Int(budget), from: index, in: snapshot, [PlacementPolicy.reliefLimit], reach: reach)
        return ReliefPlan(isRelieving: entry.utilisation > 1 || !moves.isEmpty, moves: moves)
    }

    /// Nearest first; each up to the first limit, then to the next.
    private static func moves(
        _ people: Int, from index: Int, in snapshot: PlacementSnapshot, _ limits: [Double], reach: Double = .infinity
    ) -> [ReliefPlan.Move] {
        let movers = Double(max(1, snapshot.entries.count { $0.isMoving }))
        let targets = snapshot.entries.indices.filter { $0 != index && snapshot.entries[$0].hasRoom }
            .map { (index: $0, roundTrip: snapshot.roundTrip(index, $0)) }
            .filter { $0.roundTrip + snapshot.entries[$0.index].price <= reach }
            .sorted { ($0.roundTrip, $0.index) < ($1.roundTrip, $1.index) }
        var left = people
        var taken: [Int: Int] = [:]
        var order: [Int] = []
        for limit in limits {
            for target in targets where left > 0 {
                let entry = snapshot.entries[target.index]
                let room = ((limit * entry.capacity - entry.load) / movers).rounded(.down)
                let more = min(left, Int(max(0, room)) - taken[target.index, default: 0])
                guard more > 0 else { continue }
                if taken[target.index] == nil { order.append(target.index) }
                taken[target.index, default: 0] += more
                left -= more
            }
        }
        return order.map { ReliefPlan.Move(pop: snapshot.sites[$0].name, people: taken[$0] ?? 0) }
    }

    /// Who goes where: indices into `people`. Those whose meeting is at the target first, then by their keys. For a hot PoP
    /// (`isDraining` false) nobody who was moved lately; from a draining one they go last.
    public static func choose(
        from people: [MovablePerson], for plan: ReliefPlan, isDraining: Bool, now: Double
    ) -> [(person: Int, pop: String)] {
        func rests(_ person: Int) -> Bool {
            people[person].movedAt.map { now - $0 < PlacementPolicy.reliefRest } ?? false
        }
        var left = people.indices.filter { isDraining || !rests($0) }
            .sorted { (rests($0) ? 1 : 0, people[$0].key, $0) < (rests($1) ? 1 : 0, people[$1].key, $1) }
        var chosen: [(person: Int, pop: String)] = []
        for move in plan.moves {
            let here =
                left.filter { people[$0].gathered.contains(move.pop) }
                + left.filter { !people[$0].gathered.contains(move.pop) }
            let goes = here.prefix(max(0, move.people))
            chosen += goes.map { (person: $0, pop: move.pop) }
            let gone = Set(goes)
            left.removeAll { gone.contains($0) }
        }
        return chosen
    }
}
