import Meetings
import Testing

@testable import Fleet

@Suite struct LinkRosterTests {
    /// Two PoPs, and what is between them.
    struct Pair {
        var rosters: [LinkRoster]
        var random = Seeded(1)
        /// Of each connection the ids at both, and who dialled.
        var wires: [(ids: [LinkRoster.ConnectionID], isClosed: Bool)] = []
        var events: [[LinkRoster.Event]] = [[], []]

        init(instances: [UInt64] = [1, 2], names: [String] = ["a", "b"]) {
            rosters = (0..<2).map { index in
                LinkRoster(hello: LinkConnectionTests.hello(names[index], instance: instances[index]))
            }
        }

        mutating func want(_ index: Int, at now: Duration) {
            rosters[index].want(rosters[1 - index].hello.pop.name, at: now)
        }

        /// Does what both want; bytes are carried when `carries`.
        mutating func step(at now: Duration, carries: Bool = true) {
            for index in 0..<2 {
                rosters[index].tick(at: now, using: &random)
                perform(index, at: now)
            }
            for _ in 0..<4 where carries { carry(at: now) }
            for index in 0..<2 { events[index] += rosters[index].takeEvents() }
        }

        private mutating func perform(_ index: Int, at now: Duration) {
            for action in rosters[index].takeActions() {
                switch action {
                case .dial(_, let id):
                    guard let accepted = rosters[1 - index].accept(certified: nil, at: now) else { continue }
                    rosters[index].connected(id, at: now)
                    wires.append((index == 0 ? [id, accepted] : [accepted, id], false))
                case .close(let id, let last):
                    guard let wire = wires.firstIndex(where: { $0.ids[index] == id && !$0.isClosed }) else { continue }
                    rosters[1 - index].receive(last, on: wires[wire].ids[1 - index], at: now, using: &random)
                    rosters[1 - index].closed(wires[wire].ids[1 - index], at: now, using: &random)
                    wires[wire].isClosed = true
                }
            }
        }

        private mutating func carry(at now: Duration) {
            for wire in wires.indices where !wires[wire].isClosed {
                for index in 0..<2 {
                    let bytes = rosters[index].takeOutput(wires[wire].ids[index])
                    rosters[1 - index].receive(bytes, on: wires[wire].ids[1 - index], at: now, using: &random)
                }
            }
            for index in 0..<2 { perform(index, at: now) }
        }

        var openWires: Int { wires.count { !$0.isClosed } }

        /// Both ends of one connection.
        var isLinked: Bool {
            let ids = (0..<2).map { rosters[$0].connection(to: rosters[1 - $0].hello.pop.name) }
            return wires.contains { !$0.isClosed && $0.ids[0] == ids[0] && $0.ids[1] == ids[1] }
        }
    }

    @Test func whereBothDialOneLinkIsLeft() {
        var pair = Pair()
        pair.want(0, at: .zero)
        pair.want(1, at: .zero)
        pair.step(at: .zero, carries: false)
        #expect(pair.openWires == 2)
        pair.step(at: .milliseconds(50))
        #expect(pair.openWires == 1 && pair.isLinked)
        // The first by name dialled it.
        let wire = pair.wires.first { !$0.isClosed }!
        #expect(pair.rosters[0].connections[wire.ids[0]]?.isDialled == true)
        let opened = pair.events[0].count
        for tick in 1...200 { pair.step(at: .milliseconds(50 + tick * 100)) }
        #expect(pair.isLinked && pair.wires.count == 2 && pair.events[0].count == opened)
    }

    @Test func whoDialsAgainKnowsNothingOfTheOlderConnection() {
        var pair = Pair()
        pair.want(0, at: .zero)
        pair.step(at: .zero)
        let first = pair.wires[0].ids
        pair.rosters[0].closed(first[0], at: .milliseconds(100), using: &pair.random)
        for tick in 2...5 { pair.step(at: .milliseconds(tick * 100)) }
        #expect(pair.isLinked && pair.rosters[1].connections.count == 1)
    }

    @Test func anotherProcessOfTheNameWaitsUntilTheFirstIsGone() {
        var pair = Pair()
        pair.want(0, at: .zero)
        pair.step(at: .zero)
        var (other, random) = (LinkRoster(hello: LinkConnectionTests.hello("a", instance: 9)), Seeded(2))
        other.want(PoPName("b")!, at: .zero)
        other.tick(at: .milliseconds(10), using: &random)
        let id = pair.rosters[1].accept(certified: nil, at: .milliseconds(10))!
        pair.rosters[1].receive(other.hello.frame.bytes, on: id, at: .milliseconds(10), using: &random)
        #expect(pair.rosters[1].takeEvents() == [.refused(PoPName("a")!, .secondInstance)])
        #expect(pair.isLinked)
    }

    @Test func attemptsAreFewerAndFewerAndNotAtOnce() {
        var (roster, random) = (LinkRoster(hello: LinkConnectionTests.hello("a")), Seeded(3))
        roster.want(PoPName("b")!, at: .zero)
        var dials: [Duration] = []
        for tick in 0..<6_000 {
            let now = Duration.milliseconds(tick * 10)
            roster.tick(at: now, using: &random)
            for case .dial(_, let id) in roster.takeActions() {
                dials.append(now)
                roster.closed(id, at: now, using: &random)
            }
        }
        let waits = zip(dials.dropFirst(), dials).map { $0 - $1 }
        #expect(waits[0] <= .milliseconds(110) && waits.allSatisfy { $0 <= .seconds(5) + .milliseconds(10) })
        #expect(waits.suffix(5).allSatisfy { $0 >= .milliseconds(2_500) } && Set(waits.suffix(5)).count > 1)
        #expect((15...30).contains(dials.count), "\(dials.count)")
    }

    @Test func whoOnlyAnOperatorCanMendIsLeftAlone() {
        var pair = Pair(names: ["a", "b"])
        pair.rosters[1] = LinkRoster(
            hello: LinkHello(fleet: "g", pop: PoPInstance(name: PoPName("b")!, instance: 2)))
        pair.want(0, at: .zero)
        for tick in 0..<140 { pair.step(at: .milliseconds(tick * 100)) }
        #expect(pair.wires.count == 1)
        #expect(pair.events[0].contains(.refused(PoPName("b")!, .otherFleet("g"))))
    }

    @Test func connectionsHaveALimit() {
        var policy = LinkPolicy()
        policy.mostConnections = 2
        var roster = LinkRoster(hello: LinkConnectionTests.hello("a"), policy: policy)
        #expect((0..<3).map { _ in roster.accept(certified: nil, at: .zero) != nil } == [true, true, false])
        var random = Seeded(4)
        roster.tick(at: .seconds(3), using: &random)
        #expect(roster.takeEvents() == [.refused(nil, .silent), .refused(nil, .silent)])
    }

    @Test func aSilentPeerIsDialledAgain() {
        var pair = Pair()
        pair.want(0, at: .zero)
        pair.step(at: .zero)
        #expect(pair.isLinked)
        for tick in 1...30 { pair.step(at: .milliseconds(tick * 100), carries: false) }
        #expect(pair.events[0].contains(.closed(PoPName("b")!, .silent)))
        for tick in 31...40 { pair.step(at: .milliseconds(tick * 100)) }
        #expect(pair.isLinked)
    }
}
