import Conference
import Fleet
import Meetings
import Testing

@testable import Api

/// A webinar whose host, panel and attendees are at different PoPs.
@Suite(.timeLimit(.minutes(1))) struct SharedWebinars {
    private struct Scene {
        let fleet = SharedFleet(3)
        let meeting: Meeting
        let host: SharedPerson
        let bob: SharedPerson
        let cyd: SharedPerson

        /// The host is where the meeting is not at home.
        init() async throws {
            await fleet.linkAll()
            let hub: MeetingHub = fleet.nodes[0].hub
            let plan = MeetingPlan(topic: "Launch", settings: MeetingSettings(webinar: true))
            meeting = try await fleet.run { try await hub.create(plan, owner: "user-1", password: nil) }
            host = try await fleet.join("Ada", meeting, at: 1, hostKey: meeting.hostKey)
            bob = try await fleet.join("Bob", meeting, at: 2)
            cyd = try await fleet.join("Cyd", meeting, at: 0)
            for person in [host, bob, cyd] { _ = person.hears() }
        }

        func seat(_ person: SharedPerson, as role: Role) async throws {
            let hub: MeetingHub = fleet.nodes[host.pop].hub
            let (id, socket, target) = (host.id, host.socket, person.id)
            try await fleet.run { try await hub.seat(target, as: role, by: id, socket, from: "192.0.2.1") }
        }

        func ask(_ text: String, by person: SharedPerson) async throws {
            let hub: MeetingHub = fleet.nodes[person.pop].hub
            let (id, socket) = (person.id, person.socket)
            try await fleet.run { try await hub.ask(text, anonymously: false, by: id, socket) }
        }

        func send(_ change: ClientMessage.MediaStateChange, by person: SharedPerson) async throws {
            let hub: MeetingHub = fleet.nodes[person.pop].hub
            let (id, socket) = (person.id, person.socket)
            try await fleet.run { try await hub.setMedia(change, of: id, socket) }
        }
    }

    @Test func attendeesOfOtherPoPsAreForHostsAloneAndGiveNothing() async throws {
        let scene = try await Scene()
        let dan = try await scene.fleet.join("Dan", scene.meeting, at: 2)
        #expect(scene.host.hears("participant_joined", "Dan"))
        for other in [scene.bob, scene.cyd] { #expect(!other.hears("Dan")) }
        #expect(scene.fleet.nodes[0].remotes[dan.id] == nil)
        await #expect(throws: MeetingError.attendeeMedia) {
            try await scene.send(.init(audio: true), by: scene.bob)
        }
    }

    @Test func whoIsBroughtOnThePanelIsSeenAtAllPoPsAndLeavesItAgain() async throws {
        let scene = try await Scene()
        try await scene.seat(scene.bob, as: .panelist)
        #expect(scene.bob.hears("participant_update", scene.bob.id.rawValue, "\"panelist\""))
        #expect(scene.host.hears("participant_update", scene.bob.id.rawValue, "\"panelist\""))
        #expect(scene.cyd.hears("participant_joined", "Bob"))
        try await scene.send(.init(audio: true, video: true), by: scene.bob)
        #expect(scene.fleet.nodes[0].remotes[scene.bob.id]?.state == PublishedMedia(audio: true, video: true))
        try await scene.seat(scene.bob, as: .attendee)
        #expect(scene.bob.hears("media_state", "turned_off"))
        #expect(scene.cyd.hears("participant_left", scene.bob.id.rawValue, "demoted"))
        let silent = PublishedMedia(isSilenced: true)
        // Nobody takes anything of one who only watches.
        for pop in 0...1 { #expect(scene.fleet.nodes[pop].remotes[scene.bob.id] == nil) }
        #expect(scene.fleet.nodes[2].media.states(of: scene.bob.id).last == silent)
    }

    @Test func questionsGoToThePanelOfAllPoPsAndAnswersToEverybody() async throws {
        let scene = try await Scene()
        try await scene.ask("Why?", by: scene.cyd)
        #expect(scene.host.hears("\"type\":\"question\"", "Why?", "\"Cyd\""))
        #expect(scene.cyd.hears("\"type\":\"question\"", "\"own\":true"))
        #expect(!scene.bob.hears("Why?"))
        let hub: MeetingHub = scene.fleet.nodes[1].hub
        let book = await hub.catalog.meetings[scene.meeting.id]?.questions
        let id = try #require(book?.questions.first?.id)
        let (host, socket) = (scene.host.id, scene.host.socket)
        try await scene.fleet.run { try await hub.settle(id, .answered, answer: "So.", by: host, socket) }
        #expect(scene.bob.hears("\"type\":\"question\"", "So."))
        let late = try await scene.fleet.join("Dan", scene.meeting, at: 2)
        #expect(late.hears("\"questions\"", "So."))
        for pop in 0..<3 {
            let hub: MeetingHub = scene.fleet.nodes[pop].hub
            let state = await hub.catalog.meetings[scene.meeting.id]?.questions[id]?.state
            #expect(state == .answered)
        }
    }

    @Test func aQuestionOfAnotherPoPIsCheckedAsOnesOwn() {
        let asked = Question(
            id: QuestionID("a_1")!, asker: ParticipantID("p_1")!, askerName: nil, text: "Why?",
            askedAt: Timestamp(milliseconds: 1_800_000_000_000))
        let change = SharedChange.question(asked)
        #expect(SharedChange(bytes: change.bytes) == change)
        let text = String(decoding: change.bytes, as: UTF8.self)
        for (from, to) in [
            ("\"Why?\"", "\"\(String(repeating: "w", count: 2_001))\""), ("\"Why?\"", "\"\""),
            ("\"open\"", "\"answered\""), ("\"open\"", "\"lost\""), ("\"a_1\"", "\"\""),
        ] {
            #expect(text.contains(from))
            #expect(SharedChange(bytes: Array(text.replacing(from, with: to).utf8)) == nil)
        }
        // A meeting of before has none.
        var meeting = SharedMeeting()
        #expect(SharedMeeting(bytes: meeting.bytes) == meeting)
        meeting.apply(change)
        #expect(SharedMeeting(bytes: meeting.bytes)?.questions.questions == [asked])
    }

    /// With the chat and the polls there is place left for a meeting's people.
    @Test func theQuestionsOfAWebinarAreAtMostAFifthOfAFrame() {
        var meeting = SharedMeeting()
        let empty = meeting.bytes.count
        let words = String(repeating: "\"/\\", count: 40)
        for number in 0..<QuestionBook.limit {
            let asked = Question(
                id: QuestionID("a_\(String(repeating: "0", count: 20))\(number)")!,
                asker: ParticipantID("p_\(String(repeating: "0", count: 20))\(number)")!,
                askerName: String(repeating: "w", count: 64), text: words,
                askedAt: Timestamp(milliseconds: 1_800_000_000_000), state: .answered,
                answer: Question.Answer(
                    text: words, author: "Ada", answeredAt: Timestamp(milliseconds: 1_800_000_000_000)), revision: 1)
            meeting.apply(.question(asked))
        }
        #expect(meeting.questions.questions.count > 100)
        let size = meeting.bytes.count - empty
        #expect(size < LinkPolicy.frameLimit / 5 && size > LinkPolicy.frameLimit / 20)
        #expect(SharedMeeting(bytes: meeting.bytes) == meeting)
    }

    @Test func aMeetingBecomesAWebinarWhileNobodyIsInIt() async throws {
        let scene = try await Scene()
        var record = scene.meeting.record
        record.plan.settings.webinar = false
        let hub: MeetingHub = scene.fleet.nodes[1].hub
        let copy = await hub.look.copies[scene.meeting.id]
        #expect(copy?.refusal(of: .record(record)) == MeetingError.inProgress.code)
        #expect(SharedMeeting().refusal(of: .record(record)) == nil)
    }
}
