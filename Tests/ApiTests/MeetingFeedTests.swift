import Conference
import Foundation
import Logging
import Meetings
import NIOCore
import Testing

@testable import Api

struct MeetingFeedTests {
    private let feed = MeetingFeed()

    private func person(_ arrival: Int) -> (SignalingLine, NotingSocket) {
        var catalog = MeetingCatalog()
        var generator = SystemRandomNumberGenerator()
        let now = Timestamp(milliseconds: 1_800_000_000_000)
        let plan = MeetingPlan(topic: "Standup")
        guard let meeting = try? catalog.create(plan, owner: "user-1", at: now, using: &generator),
            let participant = (1...arrival).compactMap({ number in
                try? catalog.join(
                    meeting.id, JoinRequest(displayName: "\(number)"), at: now, using: &generator
                ) { _, _ in [] }
            }).last
        else { fatalError("a fresh catalog takes a meeting and \(arrival) people") }
        let line = SignalingLine(participant, resume: "")
        let socket = NotingSocket()
        line.socket = socket
        return (line, socket)
    }

    private func flush() {
        var batch = SignalingBatch()
        feed.flush(into: &batch)
        batch.send()
    }

    private func frame(_ text: String) -> ByteBuffer { TextFrame.wrap(Array(text.utf8)) }

    @Test func whatWasGatheredIsOneWrite() {
        let (ada, adasSocket) = person(1)
        let (bob, bobsSocket) = person(2)
        for line in [bob, ada] { feed.add(line) }
        #expect(feed.lines.map(\.arrival) == [1, 2])
        feed.append(frame("before"), for: .everybody)
        feed.beginListening(ada)
        feed.append(frame("one"), for: .everybody)
        feed.beginListening(bob)
        feed.append(frame("two"), for: .everybodyBut(ada.id))
        feed.append(frame("three"), for: .everybody)
        flush()
        #expect(adasSocket.take() == ["one three "])
        #expect(bobsSocket.take() == ["two three "])
        flush()
        #expect(adasSocket.take().isEmpty && bobsSocket.take().isEmpty)
    }

    @Test func whatIsGatheredIsCountedUntilItIsSent() {
        let (ada, _) = person(1)
        feed.add(ada)
        feed.beginListening(ada)
        let whole = ByteBuffer(repeating: 1, count: 1_000)
        feed.append(whole, for: .everybody)
        feed.append(whole, for: ada)
        #expect(feed.gathered == 2_000)
        flush()
        #expect(feed.gathered == 0)
    }

    /// What is too much to be gathered is sent at once, though the clock stands still.
    @Test func aMeetingGathersSoMuchAndNoMore() async throws {
        var configuration = ApiNode.configuration
        configuration.gatherTime = .seconds(60)
        try await ApiNode.run(configuration) { node async throws in
            let meeting = try await node.meeting()
            let ada = try await node.enter(meeting, "Ada")
            let id = try #require(ParticipantID(ada.id))
            // About 60 KiB each.
            let slots = (0..<1_000).map { SlotAssignment(mid: "\($0)", participant: id, source: .video) }
            for _ in 0..<5 { node.media.tell(.slots(id, slots)) }
            #expect(try await ada.socket.next()["type"] == "slots")
        }
    }

    @Test func aMessageOfItsOwnDoesNotOvertakeEvents() {
        let (ada, adasSocket) = person(1)
        feed.add(ada)
        feed.beginListening(ada)
        feed.append(frame("joined"), for: .everybody)
        feed.append(frame("slots"), for: ada)
        feed.append(frame("more"), for: ada)
        feed.append(frame("left"), for: .everybody)
        flush()
        #expect(adasSocket.take() == ["joined slots more left "])
        feed.append(frame("alone"), for: ada)
        flush()
        #expect(adasSocket.take() == ["alone "])
    }

    @Test func whoIsGoneOrNotYetWelcomeHearsNothing() {
        let (ada, adasSocket) = person(1)
        let (bob, bobsSocket) = person(2)
        for line in [ada, bob] { feed.add(line) }
        feed.beginListening(ada)
        feed.remove(ada)
        feed.append(frame("event"), for: .everybody)
        flush()
        #expect(adasSocket.take().isEmpty && bobsSocket.take().isEmpty)
    }

    @Test(arguments: [0, 125, 126, 65_535, 65_536])
    func aFrameHasTheShortestLength(_ count: Int) {
        let frame = TextFrame.wrap(Array(repeating: 0x20, count: count))
        let header = count < 126 ? 2 : count < 65_536 ? 4 : 10
        #expect(frame.readableBytes == header + count)
        #expect(frame.getInteger(at: 0, as: UInt8.self) == 0x81)
        switch header {
        case 2: #expect(frame.getInteger(at: 1, as: UInt8.self) == UInt8(count))
        case 4: #expect(frame.getInteger(at: 2, as: UInt16.self) == UInt16(count))
        default: #expect(frame.getInteger(at: 2, as: UInt64.self) == UInt64(count))
        }
    }

    @Test func theHubSendsTogetherWhatComesTogether() async throws {
        let clock = ManualClock()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let media = FakeMedia()
        let hub = MeetingHub(
            limits: Limits(), media: media, gatherTime: .milliseconds(50), clock: clock, logger: logger)
        let meeting = try await hub.create(MeetingPlan(topic: "Standup"), owner: "user-1", password: nil)
        let ada = try await hub.admit(
            meeting.id, JoinRequest(displayName: "Ada"), Arrival(way: .socket, address: "local"))
        let socket = NotingSocket()
        try await hub.attach(
            ada.id, in: meeting.id, SocketJoin(token: "", isFresh: true), socket)
        await clock.advance(by: .milliseconds(25))
        func told() async -> [Int] {
            while await !hub.isQuiet(meeting.id) { await Task.yield() }
            return socket.take().map { $0.components(separatedBy: "active_speaker").count - 1 }
        }
        _ = await told()
        clock.advanceUnheard(by: .seconds(1))
        // After a quiet time.
        for loudest in [[ada.id], []] { await hub.take([.activeSpeakers(MeetingRoom(meeting.id), loudest)]) }
        #expect(socket.take().isEmpty)
        await clock.advance(by: .milliseconds(25))
        #expect(await told() == [2])
        // 50 ms behind that.
        for loudest in [[ada.id], [], [ada.id]] { await hub.take([.activeSpeakers(MeetingRoom(meeting.id), loudest)]) }
        await clock.advance(by: .milliseconds(49))
        #expect(socket.take().isEmpty)
        await clock.advance(by: .milliseconds(1))
        #expect(await told() == [3])
    }

    @Test func theLastWordsOfARoomAreForThoseWhoWereInIt() async throws {
        let clock = ManualClock()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let hub = MeetingHub(
            limits: Limits(), media: FakeMedia(), gatherTime: .milliseconds(50), clock: clock, logger: logger)
        let meeting = try await hub.create(MeetingPlan(topic: "Workshop"), owner: "user-1", password: nil)
        var people: [(id: ParticipantID, socket: NotingSocket)] = []
        for name in ["Ada", "Bob", "Cyd"] {
            let request = JoinRequest(displayName: name, hostKey: name == "Ada" ? meeting.hostKey : nil)
            let person = try await hub.admit(meeting.id, request, Arrival(way: .socket, address: name))
            people.append((person.id, NotingSocket()))
            try await hub.attach(
                person.id, in: meeting.id, SocketJoin(token: "", isFresh: true), people[people.count - 1].socket)
        }
        let (ada, bob, cyd) = (people[0], people[1], people[2])
        let draft = BreakoutDraft(rooms: [.init(name: "One", participants: [bob.id])])
        try await hub.openBreakouts(draft, by: ada.id, ada.socket, from: "")
        await clock.advance(by: .seconds(1))
        while await !hub.isQuiet(meeting.id) { await Task.yield() }
        for person in people { _ = person.socket.take() }
        try await hub.say(ChatDraft("the last words", isForRoom: true), by: bob.id, bob.socket)
        try await hub.closeBreakouts(after: 0, by: ada.id, ada.socket, from: "")
        try await hub.say(ChatDraft("welcome back"), by: ada.id, ada.socket)
        await clock.advance(by: .seconds(1))
        while await !hub.isQuiet(meeting.id) { await Task.yield() }
        let told = people.map { $0.socket.take().joined() }
        #expect(told.map { $0.contains("the last words") } == [false, true, false])
        #expect(told.allSatisfy { $0.contains("welcome back") && $0.contains("breakout_moved") }, "\(cyd.id)")
    }

    /// Of those who are told, one is looked at.
    @Test(arguments: [false, true]) func inALargeMeetingAChatWaitsForCompany(_ isLarge: Bool) async throws {
        let clock = ManualClock()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let hub = MeetingHub(
            limits: Limits(), media: FakeMedia(), gatherTime: .milliseconds(50), clock: clock, logger: logger)
        let plan = MeetingPlan(topic: "Town hall", settings: MeetingSettings(maxParticipants: 200))
        let meeting = try await hub.create(plan, owner: "user-1", password: nil)
        var people: [(id: ParticipantID, socket: NotingSocket)] = []
        for number in 1...(isLarge ? MeetingHub.largeFeed : 3) {
            let request = JoinRequest(displayName: "\(number)")
            let person = try await hub.admit(meeting.id, request, Arrival(way: .socket, address: "\(number)"))
            people.append((person.id, NotingSocket()))
            try await hub.attach(
                person.id, in: meeting.id, SocketJoin(token: "", isFresh: true), people[people.count - 1].socket)
        }
        await clock.advance(by: .seconds(1))
        func told() async -> [String] {
            while await !hub.isQuiet(meeting.id) { await Task.yield() }
            return people[0].socket.take()
        }
        _ = await told()
        // After a quiet time.
        clock.advanceUnheard(by: .seconds(1))
        try await hub.say(ChatDraft("one"), by: people[1].id, people[1].socket)
        await clock.advance(by: .milliseconds(isLarge ? 124 : 24))
        #expect(people[0].socket.take().isEmpty)
        try await hub.say(ChatDraft("two"), by: people[2].id, people[2].socket)
        await clock.advance(by: .milliseconds(1))
        let texts = await told()
        #expect(texts.count == 1 && texts[0].contains("one") && texts[0].contains("two"))
        // What may not wait takes a chat with it.
        clock.advanceUnheard(by: .seconds(1))
        try await hub.say(ChatDraft("three"), by: people[1].id, people[1].socket)
        await hub.take([.activeSpeakers(MeetingRoom(meeting.id), [people[1].id])])
        while clock.sleeping < (isLarge ? 2 : 1) { await Task.yield() }
        await clock.advance(by: .milliseconds(25))
        #expect(await told().map { $0.contains("three") && $0.contains("active_speaker") } == [true])
        await clock.wake(after: .seconds(1))
        #expect(people[0].socket.take().isEmpty)
    }
}

extension MeetingHub {
    /// Nothing waits to be sent to the meeting.
    func isQuiet(_ meeting: MeetingID) -> Bool { feeds[meeting]?.isIdle ?? true }
}
