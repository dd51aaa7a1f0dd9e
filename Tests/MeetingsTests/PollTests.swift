import Testing

@testable import Meetings

/// A book that an expectation may change.
private final class Shelf {
    private var book = PollBook()

    var polls: [Poll] { book.polls }
    var deleted: [PollID] { book.deleted }
    subscript(_ id: PollID) -> Poll? { book[id] }
    func refusal(of change: PollChange) -> MeetingError? { book.refusal(of: change) }
    @discardableResult func apply(_ change: PollChange) -> Bool { book.apply(change) }
}

@Suite struct Polls {
    /// A host and two guests.
    private struct People {
        var stage: Stage
        let host: ParticipantID
        let bob: ParticipantID
        let cyd: ParticipantID

        init() throws {
            stage = try Stage()
            host = try stage.enter("Host", hostKey: stage.meeting.hostKey).id
            bob = try stage.enter("Bob").id
            cyd = try stage.enter("Cyd").id
        }

        var meeting: Meeting {
            get throws { try stage.directory.find(stage.meeting.id.rawValue) }
        }

        mutating func ask(
            _ question: String = "Tea?", _ options: [String] = ["Yes", "No", "Later"], isMultiple: Bool = false,
            isAnonymous: Bool = false
        ) throws -> PollID {
            let draft = PollDraft(
                question: question, options: options, isMultiple: isMultiple, isAnonymous: isAnonymous)
            let id = PollID(using: &stage.dice)
            let poll = try meeting.poll(draft, by: host, as: id, at: stage.now, within: Limits())
            stage.directory.apply(.open(poll), in: stage.meeting.id)
            return id
        }

        mutating func vote(_ options: [Int], in id: PollID, by voter: ParticipantID) throws {
            stage.directory.apply(try meeting.vote(options, in: id, by: voter).change, in: stage.meeting.id)
        }

        /// The turn of a vote whose voter may have another one on its way.
        func turn(_ id: PollID, of voter: ParticipantID, after last: UInt32) throws -> UInt32 {
            try meeting.vote([0], in: id, by: voter, after: last).turn
        }

        mutating func make(_ change: PollChange) throws {
            try meeting.check(change, by: host)
            stage.directory.apply(change, in: stage.meeting.id)
        }

        func poll(_ id: PollID) throws -> Poll { try #require(try meeting.polls[id]) }
    }

    private static func refusal(_ body: () throws -> Void) -> MeetingError? {
        do {
            try body()
            return nil
        } catch { return error as? MeetingError }
    }

    @Test func hostsAskAndEverybodyVotesOnce() throws {
        var people = try People()
        let id = try people.ask("  Tea? ")
        var poll = try people.poll(id)
        #expect(poll.question == "Tea?" && poll.isOpen && poll.counts == [0, 0, 0] && poll.voters == 0)
        #expect(poll.author == Poll.Author(id: people.host, name: "Host") && poll.createdAt == Stage.start)
        try people.vote([0], in: id, by: people.bob)
        try people.vote([2], in: id, by: people.cyd)
        try people.vote([1], in: id, by: people.bob)
        #expect(try people.turn(id, of: people.bob, after: 0) == 3)
        #expect(try people.turn(id, of: people.bob, after: 7) == 8)
        poll = try people.poll(id)
        #expect(poll.counts == [0, 1, 1] && poll.voters == 2)
        #expect(poll.ballots[people.bob]?.choice.indices == [1] && poll.ballots[people.bob]?.name == "Bob")
        // Who leaves has voted.
        _ = try people.stage.directory.leave(people.bob, at: people.stage.now)
        try people.make(.close(id))
        poll = try people.poll(id)
        #expect(!poll.isOpen && poll.counts == [0, 1, 1] && poll.ballots.count == 2)
        let cyd = people.cyd
        #expect(Self.refusal { try people.vote([0], in: id, by: cyd) } == .pollClosed)
        #expect(Self.refusal { try people.make(.close(id)) } == .pollClosed)
        try people.make(.delete(id))
        #expect(try people.meeting.polls.polls.isEmpty)
        #expect(Self.refusal { try people.vote([0], in: id, by: cyd) } == .pollNotFound)
        #expect(Self.refusal { try people.make(.delete(id)) } == .pollNotFound)
    }

    @Test func guestsAskNothing() throws {
        var people = try People()
        let id = try people.ask()
        let meeting = try people.meeting
        let draft = PollDraft(question: "Tea?", options: ["Yes", "No"])
        let stranger = try #require(ParticipantID("p_stranger"))
        for (actor, refusal) in [(people.bob, MeetingError.forbidden), (stranger, .participantNotFound)] {
            #expect(throws: refusal) { try meeting.poll(draft, by: actor, as: id, at: Stage.start, within: Limits()) }
            #expect(throws: refusal) { try meeting.check(.close(id), by: actor) }
            #expect(throws: refusal) { try meeting.check(.delete(id), by: actor) }
        }
        // A service does.
        #expect(throws: Never.self) { try meeting.check(.close(id), by: nil) }
        #expect(throws: MeetingError.participantNotFound) { try meeting.vote([0], in: id, by: stranger) }
    }

    @Test(arguments: [
        ("", ["a", "b"], "question"), (" \u{7} ", ["a", "b"], "question"),
        (String(repeating: "x", count: 201), ["a", "b"], "question"), ("a\nb", ["a", "b"], "question"),
        ("q", [], "options"), ("q", ["a"], "options"), ("q", (0...10).map { "\($0)" }, "options"),
        ("q", ["a", " "], "options"), ("q", ["a", String(repeating: "x", count: 101)], "options"),
        ("q", ["a", " a "], "options"), ("q", ["a", "b\u{202e}"], "options"),
    ])
    func whatIsNoPollIsRefused(_ question: String, _ options: [String], _ field: String) throws {
        var people = try People()
        let refusal = Self.refusal { _ = try people.ask(question, options) }
        guard case .invalid(let name, _) = refusal else {
            Issue.record("\(String(describing: refusal))")
            return
        }
        #expect(name == field)
    }

    @Test(arguments: [
        [], [3], [-1], [.max], [.min], [0, 1], [0, 0], Array(repeating: 0, count: 10_000),
    ])
    func whatIsNoVoteIsRefused(_ options: [Int]) throws {
        var people = try People()
        let id = try people.ask()
        let bob = people.bob
        guard case .invalid("options", _) = Self.refusal({ try people.vote(options, in: id, by: bob) }) else {
            Issue.record("taken")
            return
        }
        #expect(try people.poll(id).voters == 0)
        let several = try people.ask(isMultiple: true)
        let isTaken = Self.refusal { try people.vote(options, in: several, by: bob) } == nil
        #expect(isTaken == (options == [0, 1]))
        #expect(try people.poll(several).counts == (isTaken ? [1, 1, 0] : [0, 0, 0]))
    }

    @Test func ofAnAnonymousPollNobodyKnowsAnythingWhenItIsOver() throws {
        var people = try People()
        let id = try people.ask(isMultiple: true, isAnonymous: true)
        try people.vote([0, 2], in: id, by: people.bob)
        try people.vote([2], in: id, by: people.bob)
        try people.vote([2], in: id, by: people.cyd)
        let open = try people.poll(id)
        #expect(open.counts == [0, 0, 2] && open.voters == 2 && open.ballots.values.allSatisfy { $0.name.isEmpty })
        // What is written down has none of it at any time.
        #expect(open.kept.ballots.isEmpty && open.kept.counts == [0, 0, 2] && open.kept.isOpen)
        try people.make(.close(id))
        let closed = try people.poll(id)
        #expect(closed.ballots.isEmpty && closed.counts == [0, 0, 2] && closed.voters == 2)
        // Nor has a meeting that comes back, whose polls are closed.
        let other = try people.ask(isAnonymous: true)
        try people.vote([0], in: other, by: people.bob)
        let meeting = try people.meeting
        var catalog = MeetingCatalog()
        let back = try catalog.restore(meeting.record, isLocked: false, polls: meeting.polls, at: Stage.start)
        #expect(back.polls.polls.count == 2 && back.polls.polls.allSatisfy { !$0.isOpen && $0.ballots.isEmpty })
        #expect(back.polls[other]?.counts == [1, 0, 0])
    }

    @Test func aMeetingHasSoManyPollsAndNoMore() throws {
        var people = try People()
        for number in 0..<PollBook.limit {
            let id = try people.ask("\(number)?")
            if number >= PollBook.openLimit - 1 { try people.make(.close(id)) }
        }
        #expect(Self.refusal { _ = try people.ask() } == .tooManyPolls)
        let closed = try people.meeting.polls.polls.filter { !$0.isOpen }
        try people.make(.delete(closed[0].id))
        _ = try people.ask()
        // There is room for another, but five are open.
        try people.make(.delete(closed[1].id))
        #expect(Self.refusal { _ = try people.ask() } == .tooManyPolls)
        #expect(try people.meeting.polls.polls.count == PollBook.limit - 1)
        // Long ones are fewer.
        var others = try People()
        var count = 0
        while Self.refusal({
            let id = try others.ask(
                String(repeating: "\u{1f375}", count: 200),
                (0..<10).map { "\($0)" + String(repeating: "\u{1f375}", count: 99) })
            try others.make(.close(id))
        }) == nil { count += 1 }
        #expect(count == PollBook.textLimit / (4 * 200 + 10 * (1 + 4 * 99) + 4))
    }

    /// Of somebody called so.
    private static func vote(_ number: Int, in id: PollID, name: String = "", turn: UInt32 = 1) -> PollChange {
        .vote(id, ParticipantID("p_\(number)")!, Ballot(PollChoice(bits: 1), name: name, turn: turn))
    }

    @Test func votesHaveALimitAndTheOldestClosedOnesGoFirst() throws {
        let book = Shelf()
        var dice = Dice(state: 7)
        var ids: [PollID] = []
        for _ in 0..<3 {
            let poll = try Poll(
                id: PollID(using: &dice), PollDraft(question: "?", options: ["a", "b"]), author: nil,
                createdAt: Stage.start, within: Limits())
            book.apply(.open(poll))
            ids.append(poll.id)
        }
        let name = String(repeating: "x", count: 64)
        for number in 0..<2_000 { #expect(book.apply(Self.vote(number, in: ids[0], name: name))) }
        let named = book[ids[0]]?.ballots.values.count { !$0.name.isEmpty } ?? 0
        #expect(named == PollBook.nameLimit / 64)
        book.apply(.close(ids[0]))
        for number in 0..<4_000 { book.apply(Self.vote(number, in: ids[1])) }
        #expect(book[ids[0]]?.ballots.isEmpty == true && book[ids[0]]?.counts == [2_000, 0])
        // Names have their room again.
        book.apply(Self.vote(0, in: ids[1], name: name, turn: 2))
        #expect(book[ids[1]]?.ballots[ParticipantID("p_0")!]?.name == name)
        for number in 0..<PollBook.ballotLimit - 4_000 { book.apply(Self.vote(number, in: ids[2])) }
        let one = Self.vote(9_000, in: ids[2])
        #expect(book.refusal(of: one) == .pollFull)
        #expect(!book.apply(one))
        // Who has voted may change it.
        #expect(book.apply(Self.vote(1, in: ids[2], turn: 2)))
        #expect(book.polls.reduce(0) { $0 + $1.ballots.count } == PollBook.ballotLimit)
    }

    @Test func inWhateverOrderTheyComeThePersonsLastVoteHolds() throws {
        let book = Shelf()
        var dice = Dice(state: 7)
        let poll = try Poll(
            id: PollID(using: &dice), PollDraft(question: "?", options: ["a", "b"]), author: nil,
            createdAt: Stage.start, within: Limits())
        book.apply(.open(poll))
        let bob = try #require(ParticipantID("p_bob"))
        let late = Ballot(PollChoice(bits: 2), name: "Bob", turn: 2)
        #expect(book.apply(.vote(poll.id, bob, late)))
        #expect(!book.apply(.vote(poll.id, bob, Ballot(PollChoice(bits: 1), name: "Bob", turn: 1))))
        #expect(!book.apply(.vote(poll.id, bob, late)))
        #expect(!book.apply(.open(poll)))
        #expect(book[poll.id]?.counts == [0, 1] && book[poll.id]?.voters == 1)
        // What was deleted does not come back.
        #expect(book.apply(.delete(poll.id)) && !book.apply(.open(poll)))
        for _ in 0..<PollBook.deletedLimit {
            let other = try Poll(
                id: PollID(using: &dice), PollDraft(question: "?", options: ["a", "b"]), author: nil,
                createdAt: Stage.start, within: Limits())
            book.apply(.open(other))
            book.apply(.delete(other.id))
        }
        #expect(book.deleted.count == PollBook.deletedLimit)
    }

    @Test func whatNobodyCanHaveSaidIsNoPoll() throws {
        let id = try #require(PollID("q_1"))
        let draft = PollDraft(question: "Tea?", options: ["Yes", "No"])
        let bob = try #require(ParticipantID("p_bob"))
        func make(
            _ draft: PollDraft, counts: [Int] = [1, 0], voters: Int = 1, bits: UInt16 = 1
        ) -> Poll? {
            Poll(
                id: id, draft, author: nil, createdAt: Stage.start, isOpen: true, counts: counts, voters: voters,
                ballots: [bob: Ballot(PollChoice(bits: bits), name: "Bob", turn: 1)])
        }
        #expect(make(draft) != nil)
        for counts in [[1], [1, 0, 0], [2, 0], [-1, 0], []] { #expect(make(draft, counts: counts) == nil) }
        for voters in [0, -1, .max] { #expect(make(draft, voters: voters) == nil) }
        for bits in [0, 3, 4, .max] as [UInt16] { #expect(make(draft, bits: bits) == nil) }
        #expect(make(PollDraft(question: " Tea?", options: ["Yes", "No"])) == nil)
        #expect(make(PollDraft(question: "Tea?", options: ["Yes", "No "])) == nil)
    }
}
