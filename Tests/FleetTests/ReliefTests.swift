import Testing

@testable import Fleet

@Suite struct ReliefTests {
    typealias Move = ReliefPlan.Move

    static func plan(_ name: String, _ pops: [PlacementCandidate], wasRelieving: Bool = false) -> ReliefPlan {
        Relief.plan(for: name, in: PlacementSnapshot(pops), wasRelieving: wasRelieving)
    }

    static func pop(_ name: String, _ east: Double, _ load: Double, of capacity: Double = 1000) -> PlacementCandidate {
        PlacementTests.pop(name, east: east, load: load, of: capacity)
    }

    @Test func itBeginsAboveOneLimitAndEndsBelowAnother() {
        let idle = Self.pop("b", 3, 0)
        #expect(Self.plan("a", [Self.pop("a", 0, 1000), idle]) == ReliefPlan(isRelieving: false, moves: []))
        #expect(
            Self.plan("a", [Self.pop("a", 0, 1001), idle])
                == ReliefPlan(isRelieving: true, moves: [Move(pop: "b", people: 50)]))
        #expect(Self.plan("a", [Self.pop("a", 0, 1000), idle], wasRelieving: true).people == 10)
        #expect(Self.plan("a", [Self.pop("a", 0, 950), idle], wasRelieving: true).isRelieving == false)
        #expect(Self.plan("unknown", [idle]).people == 0)
    }

    @Test func nobodyIsMovedToWhereItIsWarmOrNewcomersWouldNotBeSent() {
        let hot = Self.pop("a", 0, 1001)
        #expect(
            Self.plan("a", [hot, Self.pop("b", 3, 800), Self.pop("c", 70, 0)])
                == ReliefPlan(isRelieving: true, moves: []))
        let two = [hot, Self.pop("b", 3, 796), Self.pop("c", 6, 0)]
        #expect(Self.plan("a", two).moves == [Move(pop: "b", people: 4), Move(pop: "c", people: 46)])
        // At 98% a newcomer goes 31 ms far at most, 22 degrees.
        let cooler = Self.pop("a", 0, 980)
        #expect(Self.plan("a", [cooler, Self.pop("b", 21, 0)], wasRelieving: true).people == 10)
        #expect(
            Self.plan("a", [cooler, Self.pop("b", 23, 0)], wasRelieving: true)
                == ReliefPlan(isRelieving: false, moves: []))
    }

    @Test func allThatMovePeopleMayChooseTheSameTarget() {
        let hot = (0..<8).map { Self.pop("hot\($0)", Double($0), 1001) }
        let target = Self.pop("target", 4, 760)
        let sum = hot.reduce(0) { $0 + Self.plan($1.site.name, hot + [target]).people }
        #expect(sum == 40)
    }

    @Test func aDrainingPoPIsEmptyIn20StepsWhateverTheDistance() {
        var source = Self.pop("a", 0, 990)
        source.isDraining = true
        var others = [Self.pop("b", 3, 700), Self.pop("c", 120, 100)]
        var steps = 0
        while source.load > 0 && steps < 30 {
            let plan = Self.plan("a", [source] + others)
            for move in plan.moves {
                let index = move.pop == "b" ? 0 : 1
                others[index].load += Double(move.people)
                source.load -= Double(move.people)
            }
            steps += 1
        }
        #expect(steps == 20 && source.load == 0)
        // Each to 80% first, then the nearer to 95%.
        #expect(others.map(\.load) == [950, 840])
        // Where all are warm, they go as far as still is well.
        let warm = Self.plan(
            "a",
            [
                {
                    var pop = source
                    pop.load = 500
                    return pop
                }(), Self.pop("b", 3, 940),
            ])
        #expect(warm.moves == [Move(pop: "b", people: 10)])
    }

    @Test func whoWasMovedRestsAndMeetingsAreKeptTogether() {
        let people = [
            MovablePerson(key: 5), MovablePerson(key: 1, movedAt: 1000), MovablePerson(key: 9, gathered: ["b"]),
            MovablePerson(key: 2, movedAt: 300), MovablePerson(key: 7),
        ]
        let plan = ReliefPlan(isRelieving: true, moves: [Move(pop: "b", people: 2), Move(pop: "c", people: 9)])
        let chosen = Relief.choose(from: people, for: plan, isDraining: false, now: 1000)
        #expect(chosen.map(\.person) == [2, 3, 0, 4] && chosen.map(\.pop) == ["b", "b", "c", "c"])
        let drained = Relief.choose(from: people, for: plan, isDraining: true, now: 1000)
        #expect(drained.map(\.person) == [2, 3, 0, 4, 1])
        #expect(Relief.choose(from: [], for: plan, isDraining: true, now: 0).isEmpty)
    }
}
