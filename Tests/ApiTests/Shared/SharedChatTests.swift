import Fleet
import Meetings
import Testing

@testable import Api

@Suite(.timeLimit(.minutes(1))) struct SharedChats {
    private static func say(
        _ fleet: SharedFleet, _ person: SharedPerson, _ text: String, to recipient: ParticipantID? = nil
    ) async throws -> ChatMessageID {
        let hub: MeetingHub = fleet.nodes[person.pop].hub
        let (id, socket) = (person.id, person.socket)
        return try await fleet.run { try await hub.say(ChatDraft(text, to: recipient), by: id, socket).id }
    }

    private static func texts(_ fleet: SharedFleet, _ meeting: Meeting, at index: Int) async -> [String] {
        let hub: MeetingHub = fleet.nodes[index].hub
        return await hub.catalog.meetings[meeting.id]?.chat.messages.map(\.text) ?? []
    }

    private static func fleet() async throws -> (SharedFleet, Meeting, [SharedPerson]) {
        let fleet = SharedFleet(3)
        await fleet.linkAll()
        let hub: MeetingHub = fleet.nodes[0].hub
        let meeting = try await fleet.run {
            try await hub.create(MeetingPlan(topic: "Standup"), owner: "user-1", password: nil)
        }
        var people: [SharedPerson] = []
        for (index, name) in ["Ada", "Bob", "Cyd"].enumerated() {
            people.append(try await fleet.join(name, meeting, at: index))
        }
        for person in people { _ = person.hears() }
        return (fleet, meeting, people)
    }

    @Test func allPoPsHearItInOneOrder() async throws {
        let (fleet, meeting, people) = try await Self.fleet()
        for (number, person) in (people + people).enumerated() {
            _ = try await Self.say(fleet, person, "text \(number)")
            for other in people { #expect(other.hears("\"chat\"", "\"text \(number)\""), "\(number)") }
        }
        _ = try await Self.say(fleet, people[1], "psst", to: people[2].id)
        for person in people { #expect(person.told.count { $0.contains("\"chat\"") } == 6) }
        #expect(people[2].hears("psst") && people[1].hears("psst") && !people[0].hears("psst"))
        for index in 0..<3 {
            #expect(await Self.texts(fleet, meeting, at: index) == (0..<6).map { "text \($0)" } + ["psst"])
        }
        let late = try await fleet.join("Dan", meeting, at: 2)
        let hub: MeetingHub = fleet.nodes[2].hub
        #expect(late.hears("\"joined\"", "\"last_chat\""))
        let page = try await hub.history(of: meeting.id, .newest, for: .participant(late.id), search: nil, limit: 50)
        #expect(page.messages.map(\.text) == (0..<6).map { "text \($0)" })
    }

    @Test func aChangeReachesAllAndANewHomeKeepsIt() async throws {
        let (fleet, meeting, people) = try await Self.fleet()
        let id = try await Self.say(fleet, people[1], "Helo")
        let hub: MeetingHub = fleet.nodes[1].hub
        let (bob, socket) = (people[1].id, people[1].socket)
        try await fleet.run { try await hub.edit(id, to: "Hello", by: bob, socket) }
        for person in people { #expect(person.hears("\"Hello\"", "edited_at")) }
        await fleet.restart(0)
        for index in 1...2 { await fleet.link(0, index) }
        await fleet.pass(.seconds(20))
        _ = try await Self.say(fleet, people[2], "Still here")
        #expect(people[1].hears("Still here"))
        #expect(await Self.texts(fleet, meeting, at: 2) == ["Hello", "Still here"])
    }

    @Test func afterAPartitionBothSidesWordsAreThere() async throws {
        let (fleet, meeting, people) = try await Self.fleet()
        _ = try await Self.say(fleet, people[0], "before")
        // Without the Registry each side goes on by itself.
        fleet.store.setUp(false)
        await fleet.cut(0, 2)
        await fleet.cut(1, 2)
        await fleet.pass(.seconds(3))
        for person in people { _ = person.hears() }
        _ = try await Self.say(fleet, people[0], "of one side")
        _ = try await Self.say(fleet, people[2], "of the other")
        fleet.store.setUp(true)
        await fleet.linkAll()
        await fleet.pass(.seconds(20))
        #expect(people[0].hears("of the other") && people[2].hears("of one side"))
        let texts = await Self.texts(fleet, meeting, at: 0)
        #expect(texts.first == "before" && Set(texts) == ["before", "of one side", "of the other"] && texts.count == 3)
        for index in 1...2 { #expect(await Self.texts(fleet, meeting, at: index) == texts) }
    }

    @Test func aStateWithALongChatFitsIntoAFrame() throws {
        var shared = SharedMeeting()
        for number in 0..<ChatLog.limit {
            let text = String(repeating: "\"\n", count: ChatLog.textLimit / ChatLog.limit / 2)
            shared.apply(
                .chat(
                    ChatMessage(
                        id: ChatMessageID(String(repeating: "c", count: 22) + "\(number)")!,
                        sender: ParticipantID(String(repeating: "p", count: 22))!,
                        senderName: String(repeating: "é", count: 64),
                        recipient: ParticipantID(String(repeating: "p", count: 22))!,
                        replyTo: ChatMessageID(String(repeating: "c", count: 22))!,
                        sentAt: Timestamp(milliseconds: 1_800_000_000_000), text: text)))
        }
        // The rest is for 1,000 people.
        #expect(shared.bytes.count < LinkPolicy.frameLimit * 3 / 8, "\(shared.bytes.count)")
        #expect(SharedMeeting(bytes: shared.bytes) == shared)
        #expect(SharedChange(bytes: SharedChange.chat(shared.chat.messages[0]).bytes) == .chat(shared.chat.messages[0]))
        for bad in [
            #"{"chat":{"id":"c 1","sender":"p_1","sender_name":"A","text":"x","sent_at":1,"revision":0,"number":1}}"#,
            #"{"chat":{"id":"c_1","sender":"p_1","sender_name":"A","text":"x","sent_at":1,"revision":-1,"number":1}}"#,
            #"{"chat":{"id":"c_1","sender":"p_1","sender_name":"A","sent_at":1,"revision":0,"number":1}}"#,
            #"{"chat":{"id":"c_1"}}"#, #"{"chat":[]}"#,
        ] { #expect(SharedChange(bytes: Array(bad.utf8)) == nil, "\(bad)") }
    }
}
