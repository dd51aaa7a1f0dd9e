import Fleet
import Meetings
import Testing

@testable import Api

@Suite(.timeLimit(.minutes(1))) struct SharedPollTests {
    /// Ada is the host, at the second PoP; the first is the Home.
    private static func fleet() async throws -> (SharedFleet, Meeting, [SharedPerson]) {
        let fleet = SharedFleet(3)
        await fleet.linkAll()
        let hub: MeetingHub = fleet.nodes[0].hub
        let meeting = try await fleet.run {
            try await hub.create(MeetingPlan(topic: "Standup"), owner: "user-1", password: nil)
        }
        var people = [try await fleet.join("Ada", meeting, at: 1, hostKey: meeting.hostKey)]
        people.append(try await fleet.join("Bob", meeting, at: 0))
        people.append(try await fleet.join("Cyd", meeting, at: 2))
        for person in people { _ = person.hears() }
        return (fleet, meeting, people)
    }

    private static func ask(
        _ fleet: SharedFleet, _ host: SharedPerson, _ question: String = "Tea?", isAnonymous: Bool = false
    ) async throws -> PollID {
        let hub: MeetingHub = fleet.nodes[host.pop].hub
        let (id, socket) = (host.id, host.socket)
        let draft = PollDraft(question: question, options: ["Yes", "No"], isAnonymous: isAnonymous)
        try await fleet.run { try await hub.createPoll(draft, by: id, socket, from: "192.0.2.1") }
        return try #require(await polls(fleet, host.meeting, at: host.pop).polls.last?.id)
    }

    private static func vote(_ fleet: SharedFleet, _ person: SharedPerson, _ option: Int, in poll: PollID) async throws
    {
        let hub: MeetingHub = fleet.nodes[person.pop].hub
        let (id, socket) = (person.id, person.socket)
        try await fleet.run { try await hub.vote([option], in: poll, by: id, socket) }
    }

    private static func close(_ fleet: SharedFleet, _ person: SharedPerson, _ poll: PollID) async throws {
        let hub: MeetingHub = fleet.nodes[person.pop].hub
        let (id, socket) = (person.id, person.socket)
        try await fleet.run { try await hub.closePoll(poll, by: id, socket, from: "192.0.2.1") }
    }

    private static func polls(_ fleet: SharedFleet, _ meeting: MeetingID, at index: Int) async -> PollBook {
        let hub: MeetingHub = fleet.nodes[index].hub
        return await hub.catalog.meetings[meeting]?.polls ?? PollBook()
    }

    @Test func peopleOfAllPoPsVoteAndSeeHowItStands() async throws {
        let (fleet, meeting, people) = try await Self.fleet()
        let id = try await Self.ask(fleet, people[0])
        for person in people { #expect(person.hears("\"type\":\"poll\"", "Tea?")) }
        try await Self.vote(fleet, people[1], 0, in: id)
        try await Self.vote(fleet, people[2], 1, in: id)
        try await Self.vote(fleet, people[1], 1, in: id)
        for person in people {
            #expect(person.hears("\"counts\":[0,2]", "\"voters\":2"))
            #expect(person.told.contains { $0.contains("poll_ballots") } == (person.id == people[0].id))
        }
        let late = try await fleet.join("Dan", meeting, at: 2)
        #expect(late.hears("\"polls\"", "\"counts\":[0,2]"))
        try await Self.close(fleet, people[0], id)
        for person in people { #expect(person.hears("\"type\":\"poll\"", "\"is_open\":false")) }
        for (person, error) in [(people[2], MeetingError.pollClosed)] {
            await #expect(throws: error) { try await Self.vote(fleet, person, 0, in: id) }
        }
        let books = [
            await Self.polls(fleet, meeting.id, at: 0), await Self.polls(fleet, meeting.id, at: 1),
            await Self.polls(fleet, meeting.id, at: 2),
        ]
        #expect(books[0] == books[1] && books[1] == books[2] && books[0][id]?.ballots.count == 2)
        await #expect(throws: MeetingError.forbidden) { _ = try await Self.ask(fleet, people[2]) }
    }

    /// Both ask their own PoP before either hears of the other's vote.
    @Test func votesAtTwoPoPsAtOnceAreBothCounted() async throws {
        let (fleet, meeting, people) = try await Self.fleet()
        let id = try await Self.ask(fleet, people[0])
        let calls = people.map { person in
            let hub: MeetingHub = fleet.nodes[person.pop].hub
            let (voter, socket, option) = (person.id, person.socket, person.pop == 0 ? 0 : 1)
            return Task { try await hub.vote([option], in: id, by: voter, socket) }
        }
        for _ in 0..<64 { await Task.yield() }
        try await fleet.run { for call in calls { try await call.value } }
        for index in 0..<3 {
            let poll = await Self.polls(fleet, meeting.id, at: index)[id]
            #expect(poll?.counts == [1, 2] && poll?.voters == 3)
        }
    }

    @Test func theHomeRefusesWhatAnotherPoPCouldNotKnow() async throws {
        let (fleet, _, people) = try await Self.fleet()
        let id = try await Self.ask(fleet, people[0])
        var shared = SharedMeeting()
        let poll = try #require(await Self.polls(fleet, people[0].meeting, at: 0)[id])
        shared.apply(.poll(.open(poll)))
        let vote = SharedChange.poll(.vote(id, people[1].id, Ballot(PollChoice(bits: 1), name: "Bob", turn: 1)))
        #expect(shared.refusal(of: vote) == nil)
        shared.apply(.poll(.close(id)))
        #expect(shared.refusal(of: vote) == "poll_closed")
        shared.apply(.poll(.delete(id)))
        #expect(shared.refusal(of: vote) == "poll_not_found")
        #expect(shared.refusal(of: .poll(.open(poll))) == "poll_not_found")
    }

    @Test func aNewHomeHasThemAndAPartitionLosesNoVote() async throws {
        let (fleet, meeting, people) = try await Self.fleet()
        let id = try await Self.ask(fleet, people[0])
        try await Self.vote(fleet, people[1], 0, in: id)
        fleet.store.setUp(false)
        await fleet.cut(0, 2)
        await fleet.cut(1, 2)
        await fleet.pass(.seconds(3))
        try await Self.vote(fleet, people[0], 0, in: id)
        try await Self.vote(fleet, people[2], 1, in: id)
        fleet.store.setUp(true)
        await fleet.linkAll()
        await fleet.pass(.seconds(20))
        for index in 0..<3 {
            let poll = await Self.polls(fleet, meeting.id, at: index)[id]
            #expect(poll?.counts == [2, 1] && poll?.voters == 3, "\(index)")
        }
        await fleet.restart(0)
        for index in 1...2 { await fleet.link(0, index) }
        await fleet.pass(.seconds(20))
        try await Self.vote(fleet, people[2], 0, in: id)
        #expect(await Self.polls(fleet, meeting.id, at: 1)[id]?.counts == [3, 0])
    }

    @Test func ofAnAnonymousPollNoPoPKeepsWhoChoseWhat() async throws {
        let (fleet, meeting, people) = try await Self.fleet()
        let id = try await Self.ask(fleet, people[0], isAnonymous: true)
        for person in people { try await Self.vote(fleet, person, person.pop == 0 ? 0 : 1, in: id) }
        #expect(await Self.polls(fleet, meeting.id, at: 2)[id]?.ballots.count == 3)
        for person in people { #expect(!person.hears("poll_ballots")) }
        try await Self.close(fleet, people[0], id)
        for index in 0..<3 {
            let poll = await Self.polls(fleet, meeting.id, at: index)[id]
            #expect(poll?.counts == [1, 2] && poll?.ballots.isEmpty == true)
            let state = try #require(fleet.nodes[index].exchange.replica(of: meeting.id)?.body)
            #expect(!String(decoding: SharedMeeting.pollsAlone(of: state), as: UTF8.self).contains("p_"))
        }
    }

    @Test func aStateWithManyVotesFitsIntoAFrame() throws {
        var shared = SharedMeeting()
        var polls: [Poll] = []
        for number in 0..<PollBook.openLimit {
            let draft = PollDraft(
                question: String(repeating: "\"", count: 200),
                options: (0..<10).map { "\($0)" + String(repeating: "\"", count: 99) }, isMultiple: true)
            polls.append(
                try #require(
                    Poll(
                        id: PollID("q_" + String(repeating: "q", count: 19) + "\(number)")!, draft, author: nil,
                        createdAt: Timestamp(milliseconds: 1_800_000_000_000), isOpen: true,
                        counts: Array(repeating: 0, count: 10), voters: 0)))
            shared.apply(.poll(.open(polls[number])))
        }
        for number in 0..<PollBook.ballotLimit {
            let voter = ParticipantID("p_" + String(100_000 + number % 1_024) + String(repeating: "p", count: 14))!
            let ballot = Ballot(PollChoice(bits: 1_023), name: String(repeating: "\"", count: 48), turn: 12)
            shared.apply(.poll(.vote(polls[number / 1_024].id, voter, ballot)))
        }
        #expect(shared.polls.polls.allSatisfy { $0.voters == 1_024 && $0.counts == Array(repeating: 1_024, count: 10) })
        #expect(shared.bytes.count < LinkPolicy.frameLimit / 4, "\(shared.bytes.count)")
        #expect(SharedMeeting(bytes: shared.bytes) == shared)
    }

    @Test func changesAreReadAsTheyAreSaidAndNothingElseIs() throws {
        let poll = try #require(
            Poll(
                id: PollID("q_1")!, PollDraft(question: "Tea?", options: ["Yes", "No"], isMultiple: true),
                author: Poll.Author(id: ParticipantID("p_1")!, name: "Ada"),
                createdAt: Timestamp(milliseconds: 1_800_000_000_000), isOpen: true, counts: [0, 0], voters: 0))
        let ballot = Ballot(PollChoice(bits: 3), name: "Bob", turn: 7)
        for change in [.open(poll), .vote(poll.id, ParticipantID("p_2")!, ballot), .close(poll.id), .delete(poll.id)]
            as [PollChange]
        {
            #expect(SharedChange(bytes: SharedChange.poll(change).bytes) == .poll(change))
        }
        let open = #""id":"q_1","created_at":{"milliseconds":1},"question":"Tea?""#
        for bad in [
            #"{"poll":{}}"#, #"{"poll":{"close":"q 1"}}"#, #"{"poll":{"vote":"q_1"}}"#,
            #"{"poll":{"vote":"q_1","voter":"p_1","choice":65536,"turn":1}}"#,
            #"{"poll":{"vote":"q_1","voter":"p_1","choice":1,"turn":-1}}"#,
            #"{"poll":{"open":{\#(open),"options":["Yes"]}}}"#,
            #"{"poll":{"open":{\#(open),"options":["Yes","No"],"closed":true}}}"#,
            #"{"poll":{"open":{\#(open),"options":["Yes","No"],"counts":[1,0],"voters":1}}}"#,
        ] { #expect(SharedChange(bytes: Array(bad.utf8)) == nil, "\(bad)") }
        let state = #"{"locked":false,"participants":[],"arrivals":0,"polls":"#
        for bad in [
            #"{"polls":[],"voters":["p_1"],"names":[]}"#, #"{"polls":[],"voters":[],"names":[""]}"#,
            #"{"polls":[{\#(open),"options":["a","b"],"counts":[1,0],"voters":1,"ballots":[0,1]}],"voters":["p_1"],"names":[""]}"#,
            #"{"polls":[{\#(open),"options":["a","b"],"counts":[1,0],"voters":1,"ballots":[1,1,1]}],"voters":["p_1"],"names":[""]}"#,
            #"{"polls":[{\#(open),"options":["a","b"],"counts":[1,0],"voters":1,"ballots":[0,9,1]}],"voters":["p_1"],"names":[""]}"#,
        ] { #expect(SharedMeeting(bytes: Array((state + bad + "}").utf8)) == nil, "\(bad)") }
        let good =
            #"{"polls":[{\#(open),"options":["a","b"],"counts":[1,0],"voters":1,"ballots":[0,1,1]}],"voters":["p_1"],"names":[""]}}"#
        #expect(SharedMeeting(bytes: Array((state + good).utf8))?.polls.polls.first?.voters == 1)
    }
}

extension SharedMeeting {
    /// What PoPs tell each other of a meeting's polls.
    fileprivate static func pollsAlone(of meeting: SharedMeeting) -> [UInt8] {
        JSON.encodeExactly(SharedPolls(PollBook(meeting.polls.polls.map(\.withoutAuthor))))
    }
}

extension Poll {
    fileprivate var withoutAuthor: Poll {
        let draft = PollDraft(
            question: question, options: options, isMultiple: isMultiple, isAnonymous: isAnonymous)
        return Poll(
            id: id, draft, author: nil, createdAt: createdAt, isOpen: isOpen, counts: counts, voters: voters,
            ballots: ballots) ?? self
    }
}
