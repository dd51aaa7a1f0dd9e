import Meetings
import Testing

@testable import Fleet

@Suite struct MeetingExchangeTests {
    typealias Exchange = MeetingExchange<TestMeeting>
    static let home = PoPInstance(name: PoPName("home")!, instance: 1)
    static let branch = PoPInstance(name: PoPName("branch")!, instance: 1)
    static let ids = (0..<100).map { MeetingID("m_\($0)")! }
    static let number = MeetingNumber("123456789")!

    /// Home of the first so many meetings.
    private func home(_ meetings: Int = 1, policy: LinkPolicy = .init()) -> Exchange {
        var exchange = Exchange(pop: Self.home, policy: policy)
        for id in Self.ids.prefix(meetings) {
            exchange.open(id, number: Self.number, at: .zero)
            lead(&exchange, id, 1)
        }
        return exchange
    }

    private func lead(_ exchange: inout Exchange, _ id: MeetingID, _ epoch: UInt64, at now: Duration = .zero) {
        // Once for a Branch to give its Home up, once to search.
        for _ in 0..<2 { exchange.tick(at: now) }
        for case .search(let search) in exchange.takeEvents() where search.meeting == id {
            exchange.answer(search, .lead(epoch: epoch), at: now)
        }
    }

    /// A Branch that is linked and looks for the meeting at `home`, and has said so.
    private func branch(_ meetings: Int = 1) -> Exchange {
        var exchange = Exchange(pop: Self.branch)
        exchange.linkOpened(Self.home, at: .zero)
        for id in Self.ids.prefix(meetings) { exchange.open(id, number: Self.number, at: .zero) }
        exchange.tick(at: .zero)
        for case .search(let search) in exchange.takeEvents() {
            exchange.answer(search, .follow(Self.home.name, epoch: 1), at: .zero)
        }
        return exchange
    }

    private func all(_ exchange: inout Exchange, for peer: PoPInstance) -> [LinkMessage] {
        var messages: [LinkMessage] = []
        while let message = exchange.next(for: peer.name, at: .zero) { messages.append(message) }
        return messages
    }

    /// Until neither has anything more to say.
    private func talk(_ home: inout Exchange, _ branch: inout Exchange) {
        while true {
            let there = all(&home, for: Self.branch)
            for message in there { branch.receive(message, from: Self.home.name, at: .zero) }
            let back = all(&branch, for: Self.home)
            for message in back { home.receive(message, from: Self.branch.name, at: .zero) }
            if there.isEmpty, back.isEmpty { return }
        }
    }

    private func pair(_ meetings: Int = 1) -> (Exchange, Exchange) {
        var (home, branch) = (home(meetings), branch(meetings))
        home.linkOpened(Self.branch, at: .zero)
        talk(&home, &branch)
        return (home, branch)
    }

    private func change(_ number: UInt64, epoch: UInt64 = 1) -> LinkMessage {
        .change(
            Self.ids[0], Revision(epoch: epoch, number: number), RequestOrigin(pop: Self.home, id: number),
            body: Array("x=\(number)".utf8))
    }

    @Test func aBranchHasWhatItsHomeHas() {
        var (home, branch) = pair()
        _ = home.request(.init("a", 1), in: Self.ids[0])
        let request = branch.request(.init("b", 2), in: Self.ids[0])!
        talk(&home, &branch)
        #expect(branch.replica(of: Self.ids[0])?.body.values == ["a": 1, "b": 2])
        #expect(branch.replica(of: Self.ids[0])?.revision == home.replica(of: Self.ids[0])?.revision)
        #expect(branch.takeEvents().contains(.done(Self.ids[0], request: request)))
    }

    @Test func aRefusalComesBackWithItsReason() {
        var (home, branch) = pair()
        let request = branch.request(.init("b", 16), in: Self.ids[0])!
        talk(&home, &branch)
        #expect(branch.takeEvents().contains(.refused(Self.ids[0], request: request, reason: "unlucky")))
        #expect(home.replica(of: Self.ids[0])?.number == 0)
    }

    @Test func moreRequestsThanTheLimitAreRefusedAtOnce() {
        var branch = branch()
        let ids = (0..<1_000).map { _ in branch.request(.init("a", 1), in: Self.ids[0]) }
        #expect(ids.count { $0 != nil } == LinkPolicy().pendingRequests && ids.last! == nil)
        #expect(branch.request(.init(String(repeating: "a", count: 65 << 10), 1), in: Self.ids[0]) == nil)
    }

    @Test func aRepeatedRequestIsMadeOnce() {
        var (home, branch) = pair()
        _ = branch.request(.init("b", 2), in: Self.ids[0])
        let request = all(&branch, for: Self.home)[0]
        for _ in 0..<3 { home.receive(request, from: Self.branch.name, at: .zero) }
        #expect(home.replica(of: Self.ids[0])?.number == 1)
        #expect(all(&home, for: Self.branch).count { if case .done = $0 { true } else { false } } == 3)
    }

    @Test func duplicatesAreIgnoredAndAGapAsksForWhatIsMissing() {
        var (_, branch) = pair()
        for number in [1, 1, 2, 4, 5] as [UInt64] { branch.receive(change(number), from: Self.home.name, at: .zero) }
        #expect(branch.replica(of: Self.ids[0])?.number == 2)
        #expect(branch.counters.duplicates == 1 && branch.counters.gaps == 1)
        #expect(all(&branch, for: Self.home) == [.subscribe(Self.ids[0], last: Revision(epoch: 1, number: 2))])
    }

    @Test func thePastIsRefusedAndTheFutureAsksForTheState() {
        var (home, branch) = pair()
        lead(&home, Self.ids[0], 1)
        branch.receive(change(1, epoch: 2), from: Self.home.name, at: .zero)
        #expect(all(&branch, for: Self.home) == [.subscribe(Self.ids[0], last: nil)])
        let state = LinkMessage.state(Self.ids[0], Revision(epoch: 2, number: 7), RequestOrigins(), body: [])
        branch.receive(state, from: Self.home.name, at: .zero)
        branch.receive(change(8, epoch: 1), from: Self.home.name, at: .zero)
        #expect(branch.replica(of: Self.ids[0])?.number == 7 && branch.counters.past == 1)
    }

    @Test func whoIsNotTheHomeChangesNothing() {
        var (home, branch) = pair()
        let stranger = PoPInstance(name: PoPName("stranger")!, instance: 1)
        branch.linkOpened(stranger, at: .zero)
        home.linkOpened(stranger, at: .zero)
        let id = Self.ids[0]
        let lies: [LinkMessage] = [
            change(1), .state(id, Revision(epoch: 9, number: 1), RequestOrigins(), body: Array("x=1".utf8)),
            .resumed(id, Revision(epoch: 1, number: 0)), .done(id, id: 1, Revision(epoch: 1, number: 0)),
            .refused(id, id: 1, reason: ""), .request(id, epoch: 1, id: 1, body: Array("x=1".utf8)),
            .acknowledge(Self.ids[1], Revision(epoch: 1, number: 1)),
        ]
        for lie in lies {
            branch.receive(lie, from: stranger.name, at: .zero)
            home.receive(lie, from: stranger.name, at: .zero)
        }
        #expect(branch.replica(of: id)?.number == 0 && home.replica(of: id)?.number == 0)
        #expect(branch.isSynced(id) && home.isHome(of: id))
        #expect(branch.counters.foreign == lies.count && home.counters.foreign == lies.count)
    }

    @Test func aBranchThatIsSlowTakesTheStateAndNothingGrows() {
        var (home, branch) = pair()
        for value in 1...2_000 { _ = home.request(.init("a", value * 17), in: Self.ids[0]) }
        #expect(home.meetings[Self.ids[0]]!.log.count <= LinkPolicy().logChanges)
        let messages = all(&home, for: Self.branch)
        #expect(messages.count == 1)
        for message in messages { branch.receive(message, from: Self.home.name, at: .zero) }
        #expect(branch.replica(of: Self.ids[0])?.body.values["a"] == 34_000)
        #expect(home.counters.states == 2)
    }

    @Test func withoutAcknowledgementsOnlyTheWindowIsSent() {
        var (home, _) = pair()
        for value in 1...100 { _ = home.request(.init("a", value * 17), in: Self.ids[0]) }
        #expect(all(&home, for: Self.branch).count == LinkPolicy().window)
        home.receive(
            .acknowledge(Self.ids[0], Revision(epoch: 1, number: 10)), from: Self.branch.name, at: .zero)
        #expect(all(&home, for: Self.branch).count == 10)
        // The rest is kept, what was acknowledged only as the tail.
        #expect(home.meetings[Self.ids[0]]!.log.count == 90)
    }

    @Test func noMeetingWaitsForTheFloodOfAnother() {
        var (home, _) = pair(20)
        // The first and the last flood.
        for _ in 0..<30 { _ = home.request(.init("a", 17), in: Self.ids[0]) }
        for id in Self.ids[1..<19] { _ = home.request(.init("b", 17), in: id) }
        for _ in 0..<30 { _ = home.request(.init("a", 17), in: Self.ids[19]) }
        let order = all(&home, for: Self.branch).map { message in
            if case .change(let id, _, _, _) = message { id } else { Self.ids[99] }
        }
        #expect(order.count == 78)
        // Every other meeting has its change among the first 20, one of each flood with them.
        #expect(Set(order.prefix(20)) == Set(Self.ids.prefix(20)))
    }

    @Test func whoAsksForMoreThanItMayIsParted() {
        var (home, _) = pair()
        for id in 1...200 as ClosedRange<UInt64> {
            home.receive(
                .request(Self.ids[0], epoch: 1, id: id, body: Array("f=17".utf8)), from: Self.branch.name, at: .zero)
        }
        #expect(home.takeEvents().contains(.flood(Self.branch.name)))
        for index in 0..<2_000 {
            home.receive(.subscribe(MeetingID("none\(index)")!, last: nil), from: Self.branch.name, at: .zero)
        }
        #expect(all(&home, for: Self.branch).count <= LinkPolicy().replies + LinkPolicy().notices + 200)
    }

    @Test func aLinkThatIsLostForAMomentCostsOnlyTheChanges() {
        var (home, branch) = pair()
        _ = home.request(.init("a", 1), in: Self.ids[0])
        talk(&home, &branch)
        home.linkClosed(Self.branch.name, at: .zero)
        branch.linkClosed(Self.home.name, at: .zero)
        for value in 2...9 { _ = home.request(.init("a", value), in: Self.ids[0]) }
        home.linkOpened(Self.branch, at: .zero)
        branch.linkOpened(Self.home, at: .zero)
        talk(&home, &branch)
        #expect(branch.replica(of: Self.ids[0])?.body.values == ["a": 9])
        #expect(home.counters.states == 1)
    }

    @Test func twoSidesOfAPartitionMerge() {
        var (home, branch) = pair()
        let id = Self.ids[0]
        home.linkClosed(Self.branch.name, at: .zero)
        branch.linkClosed(Self.home.name, at: .zero)
        // The old Home goes on, and its clients are told that it is done.
        for value in 1...5 { _ = home.request(.init("left", value), in: id) }
        lead(&branch, id, 2, at: .seconds(1))
        _ = branch.request(.init("right", 1), in: id)
        home.linkOpened(Self.branch, at: .seconds(2))
        branch.linkOpened(Self.home, at: .seconds(2))
        talk(&home, &branch)
        #expect(!home.isHome(of: id) && branch.isHome(of: id))
        for side in [home, branch] { #expect(side.replica(of: id)?.body.values == ["left": 5, "right": 1]) }
        #expect(home.replica(of: id)?.revision == branch.replica(of: id)?.revision)
        #expect(home.counters.stepsDown == 1 && home.counters.offered == 1)
    }

    @Test func ofEqualEpochsTheFirstByNameStays() {
        let (a, b) = (Home(pop: PoPName("a")!, epoch: 3), Home(pop: PoPName("b")!, epoch: 3))
        #expect(a.outranks(b) && !b.outranks(a) && !a.outranks(a))
        #expect(Home(pop: PoPName("b")!, epoch: 4).outranks(a))
    }

    @Test func theWindowKnowsWhichRequestsWereMade() {
        var window = RequestWindow()
        for id in [5, 7, 100] as [UInt64] { window.insert(id) }
        #expect([5, 7, 100, 36].allSatisfy { window.contains($0) })
        #expect([37, 99, 101].allSatisfy { !window.contains($0) })
        window.insert(99)
        #expect(window.contains(99) && window.highest == 100)
    }

    @Test func ofEndedMeetingsTheLatestAreKeptForAWhile() {
        var ended = EndedMeetings(limit: 16, memory: .seconds(60))
        let ids = (1...100).map { MeetingID("m_\($0)")! }
        for id in ids { ended.insert(id, at: .seconds(1)) }
        ended.insert(ids[99], at: .seconds(2))
        #expect(ended.count == 16)
        #expect(ended.contains(ids[84], at: .seconds(60)) && !ended.contains(ids[83], at: .seconds(1)))
        #expect(!ended.contains(ids[84], at: .seconds(61)))
    }

    @Test func ofOwnChangesTheLastOfEachKeyIsKeptAndNoMoreThanTheLimit() {
        var own = OwnChanges<TestMeeting.Change>(limit: 16)
        own.insert(1, .init("host", 1))
        for id in 2...100 as ClosedRange<UInt64> { own.insert(id, .init("host", Int(id))) }
        #expect(own.count == 1)
        for id in 101...400 as ClosedRange<UInt64> { own.insert(id, .init("gone\(id)", 0)) }
        #expect(own.count <= 16 && own.lost > 200)
        let pop = Self.home
        #expect(own.missing(in: RequestOrigins(), of: pop).first?.change.key == "host")
    }

    @Test func ofWhatPeopleSaidTheLatestAreKept() {
        var own = OwnChanges<TestMeeting.Change>(limit: 4_096)
        own.insert(1, .init("host", 1))
        for id in 2...1_001 as ClosedRange<UInt64> { own.insert(id, .init("chat\(id)", 1)) }
        let kept = own.missing(in: RequestOrigins(), of: Self.home)
        #expect((225...257).contains(kept.count), "\(kept.count)")
        #expect(
            kept.first?.change.key == "host" && kept.dropFirst().map(\.id) == Array(1_003 - UInt64(kept.count)...1_001))
        // What a Home refused makes room.
        for entry in kept { own.remove(entry.id, entry.change.key) }
        for id in 2_001...2_256 as ClosedRange<UInt64> { own.insert(id, .init("chat\(id)", 1)) }
        #expect(own.count == 256)
    }

    /// Neither for a merge nor for a Branch that is behind.
    @Test func whatNobodyIsToKnowAnyMoreIsKeptByNobody() {
        var (home, branch) = pair()
        func kept(_ exchange: Exchange) -> [String] {
            guard let meeting = exchange.meetings[Self.ids[0]] else { return ["no meeting"] }
            let own = meeting.own.missing(in: RequestOrigins(), of: Self.home).map(\.change.key)
            let log = (0...meeting.replica.number).compactMap { meeting.log.entry($0)?.body }
            return (own + log.map { String(decoding: $0, as: UTF8.self) }).filter { $0.contains("secret") }
        }
        _ = home.request(.init("secret1", 1), in: Self.ids[0])
        _ = branch.request(.init("secret2", 1), in: Self.ids[0])
        talk(&home, &branch)
        #expect(kept(home).count == 3 && kept(branch) == ["secret2"])
        _ = branch.request(.init("shut", 1), in: Self.ids[0])
        talk(&home, &branch)
        #expect(branch.replica(of: Self.ids[0])?.body == home.replica(of: Self.ids[0])?.body)
        #expect(kept(home) == [] && kept(branch) == [])
        #expect(branch.replica(of: Self.ids[0])?.body.values["shut"] == 1)
        // One that was away takes the state, and forgets as well.
        var other = self.branch()
        other.linkClosed(Self.home.name, at: .zero)
        _ = other.meetings[Self.ids[0]]?.own.insert(1, .init("secret3", 1))
        #expect(kept(other) == ["secret3"])
        other = other.linked(to: Self.home)
        talk(&home, &other)
        #expect(kept(other) == [])
    }
}

extension MeetingExchange {
    fileprivate func linked(to peer: PoPInstance) -> MeetingExchange {
        var exchange = self
        exchange.linkOpened(peer, at: .zero)
        return exchange
    }
}
