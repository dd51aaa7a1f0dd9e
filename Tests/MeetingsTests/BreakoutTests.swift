import Foundation
import Testing

@testable import Meetings

@Suite struct BreakoutRooms {
    /// A host, a co-host and four guests.
    struct People {
        var stage: Stage
        let host: ParticipantID
        let coHost: ParticipantID
        let guests: [ParticipantID]

        init(guests count: Int = 4) throws {
            stage = try Stage(MeetingPlan())
            host = try stage.enter("Host", hostKey: stage.meeting.hostKey).id
            coHost = try stage.enter("Co-host").id
            var guests: [ParticipantID] = []
            for number in 0..<count { guests.append(try stage.enter("Guest \(number)").id) }
            self.guests = guests
            try stage.directory.setRole(.coHost, of: coHost)
        }

        var meeting: Meeting {
            get throws { try stage.directory.find(stage.meeting.id.rawValue) }
        }

        mutating func open(_ draft: BreakoutDraft) throws {
            let opening = try meeting.opening(draft, at: stage.now)
            try stage.directory.apply(.open(opening), in: stage.meeting.id)
        }

        mutating func apply(_ change: BreakoutChange) throws { try stage.directory.apply(change, in: stage.meeting.id) }

        func refusal(_ change: BreakoutChange, by actor: ParticipantID) -> MeetingError? {
            do throws(MeetingError) {
                try stage.directory.find(stage.meeting.id.rawValue).check(change, by: actor)
                return nil
            } catch { return error }
        }

        func room(_ id: ParticipantID) throws -> String? { try meeting.room(of: id)?.rawValue }
    }

    static func rooms(_ names: [String], _ people: [[ParticipantID]] = []) -> [BreakoutOpening.Room] {
        names.enumerated().map { index, name in
            BreakoutOpening.Room(name: name, participants: people.indices.contains(index) ? people[index] : [])
        }
    }

    @Test func peopleArePlacedByHandAndTheOthersEvenly() throws {
        var people = try People(guests: 6)
        let stranger = try #require(ParticipantID("p_stranger"))
        // Named twice counts once; who is not here is passed over; hosts stay where they are unless they are named.
        let named = [[people.guests[5], stranger], [people.guests[5], people.coHost]]
        try people.open(BreakoutDraft(rooms: Self.rooms(["Ä", "B", "C"], named), isEven: true))
        #expect(try people.room(people.guests[5]) == "r1")
        #expect(try people.room(people.coHost) == "r2")
        #expect(try people.room(people.host) == nil)
        let counts = try Dictionary(grouping: people.guests + [people.coHost]) { try people.room($0) }.mapValues(
            \.count)
        #expect(counts == ["r1": 3, "r2": 2, "r3": 2])
        #expect(try people.meeting.breakouts.rooms.map(\.name) == ["Ä", "B", "C"])
    }

    @Test func closedEverybodyIsInTheMainRoomAndNumbersAreNotGivenAgain() throws {
        var people = try People()
        try people.open(BreakoutDraft(rooms: Self.rooms(["A", "B"]), isEven: true, duration: 60))
        #expect(try people.meeting.breakouts.closesAt == people.stage.now + .seconds(60))
        #expect(throws: MeetingError.breakoutOpen) { try people.open(BreakoutDraft(rooms: Self.rooms(["C"]))) }
        try people.apply(.close)
        #expect(try people.guests.allSatisfy { try people.room($0) == nil })
        #expect(throws: MeetingError.breakoutClosed) { try people.apply(.close) }
        try people.open(BreakoutDraft(rooms: Self.rooms(["C"])))
        #expect(try people.meeting.breakouts.rooms.map(\.id.rawValue) == ["r3"])
        #expect(try people.meeting.breakouts.closesAt == nil)
        let old = try #require(BreakoutRoomID("r1"))
        #expect(people.refusal(.move([BreakoutMove(people.guests[0], to: old)]), by: people.host) == .breakoutNotFound)
    }

    @Test func hostsMoveAnybodyAndOthersThemselvesWhereTheyMayChoose() throws {
        var people = try People()
        let (guest, other) = (people.guests[0], people.guests[1])
        try people.open(BreakoutDraft(rooms: Self.rooms(["A", "B"])))
        let (one, two) = (try #require(BreakoutRoomID("r1")), try #require(BreakoutRoomID("r2")))
        func go(_ who: ParticipantID, _ room: BreakoutRoomID?) -> BreakoutChange {
            .move([BreakoutMove(who, to: room)])
        }
        #expect(people.refusal(go(guest, one), by: people.coHost) == nil)
        #expect(people.refusal(go(people.host, two), by: people.host) == nil)
        #expect(people.refusal(go(guest, one), by: guest) == .breakoutChoiceForbidden)
        #expect(people.refusal(go(other, one), by: guest) == .forbidden)
        for change in [BreakoutChange.close, .voice(guest), .closeAt(people.stage.now)] {
            #expect(people.refusal(change, by: guest) == .forbidden)
        }
        try people.apply(.close)
        try people.open(BreakoutDraft(rooms: Self.rooms(["A"]), mayChoose: true))
        let three = try #require(BreakoutRoomID("r3"))
        #expect(people.refusal(go(guest, three), by: guest) == nil)
        #expect(people.refusal(go(guest, nil), by: guest) == nil)
        #expect(
            people.refusal(.move([BreakoutMove(guest, to: three), BreakoutMove(other, to: three)]), by: guest)
                == .forbidden)
        #expect(people.refusal(go(guest, one), by: guest) == .breakoutNotFound)
        let stranger = try #require(ParticipantID("p_stranger"))
        #expect(
            try people.meeting.known([BreakoutMove(guest, to: three), BreakoutMove(stranger, to: three)]).count == 1)
        #expect(throws: MeetingError.participantNotFound) {
            try people.meeting.known([BreakoutMove(stranger, to: three)])
        }
    }

    @Test func aCoHostSendsNoHostAndStreamsStayWhereTheyAre() throws {
        var people = try People()
        let one = try #require(BreakoutRoomID("r1"))
        let opening = try people.meeting.opening(
            BreakoutDraft(rooms: Self.rooms(["A"], [[people.host]]), isEven: true), but: [people.guests[1]],
            at: people.stage.now)
        #expect(opening.rooms[0].participants.contains(people.guests[0]))
        #expect(!opening.rooms[0].participants.contains(people.guests[1]))
        #expect(people.refusal(.open(opening), by: people.coHost) == .forbidden)
        #expect(people.refusal(.open(opening), by: people.host) == nil)
        try people.apply(.open(opening))
        let move = BreakoutChange.move([BreakoutMove(people.host, to: one)])
        #expect(people.refusal(move, by: people.coHost) == .forbidden)
        #expect(people.refusal(move, by: people.host) == nil)
    }

    @Test(arguments: [
        BreakoutDraft(rooms: []), BreakoutDraft(rooms: rooms((0...50).map { "Room \($0)" })),
        BreakoutDraft(rooms: rooms([" "])), BreakoutDraft(rooms: rooms([String(repeating: "n", count: 65)])),
        BreakoutDraft(rooms: rooms(["A"]), duration: 59), BreakoutDraft(rooms: rooms(["A"]), duration: 86_401),
    ])
    func outOfBoundsNothingOpens(_ draft: BreakoutDraft) throws {
        var people = try People(guests: 1)
        let error = #expect(throws: MeetingError.self) { try people.open(draft) }
        #expect(error?.code == "invalid_field")
        #expect(try !people.meeting.breakouts.isOpen)
    }

    @Test func whoLeavesIsInNoRoomAndSpeaksToNone() throws {
        var people = try People()
        try people.open(BreakoutDraft(rooms: Self.rooms(["A"]), isEven: true))
        try people.apply(.voice(people.host))
        #expect(try people.meeting.dueBreakoutChange(at: people.stage.now) == nil)
        try people.stage.directory.setRole(.host, of: people.coHost)
        try people.stage.directory.setRole(.participant, of: people.host)
        #expect(try people.meeting.dueBreakoutChange(at: people.stage.now) == .voice(nil))
        for id in [people.host, people.guests[0]] { _ = try people.stage.directory.leave(id, at: people.stage.now) }
        #expect(try people.meeting.breakouts.voice == nil)
        #expect(try people.meeting.breakouts.places[people.guests[0]] == nil)
        try people.apply(.closeAt(people.stage.now + .seconds(10)))
        #expect(try people.meeting.dueBreakoutChange(at: people.stage.now + .seconds(9)) == nil)
        #expect(try people.meeting.dueBreakoutChange(at: people.stage.now + .seconds(10)) == .close)
    }

    @Test func eachRoomMayShareAScreen() throws {
        var people = try People()
        let guests = people.guests
        try people.open(BreakoutDraft(rooms: Self.rooms(["A", "B"], [[guests[0], guests[1]], [guests[2]]])))
        let sharing = MediaState(audio: false, video: false, screen: true, handRaised: false)
        try people.stage.directory.setMedia(sharing, of: guests[0])
        try people.stage.directory.setMedia(sharing, of: guests[2])
        try people.stage.directory.setMedia(sharing, of: guests[3])
        #expect(throws: MeetingError.screenShareTaken) { try people.stage.directory.setMedia(sharing, of: guests[1]) }
    }

    @Test func aRoomsChatIsForThoseInIt() throws {
        var people = try People()
        let guests = people.guests
        func write(_ draft: ChatDraft, _ sender: ParticipantID) throws -> ChatMessage {
            let id = try #require(ChatMessageID("c_\(sender)"))
            return try people.meeting.message(draft, from: sender, as: id, at: people.stage.now, within: Limits())
        }
        #expect(throws: MeetingError.breakoutClosed) { try write(ChatDraft("Hello", isForRoom: true), guests[0]) }
        try people.open(BreakoutDraft(rooms: Self.rooms(["A", "B"], [[guests[0], guests[1]], [guests[2]]])))
        let message = try write(ChatDraft("Hello", isForRoom: true), guests[0])
        #expect(message.room?.rawValue == "r1")
        func reads(_ id: ParticipantID) throws -> Bool { try message.isReadable(by: people.meeting.reader(id)) }
        #expect(try reads(guests[0]) && reads(guests[1]))
        #expect(try !reads(guests[2]) && !reads(guests[3]) && !reads(people.host))
        #expect(!message.isReadable(by: .everybody))
        try people.apply(.move([BreakoutMove(people.host, to: message.room), BreakoutMove(guests[1], to: nil)]))
        #expect(try reads(people.host) && !reads(guests[1]))
        // To one, and to all, as ever.
        #expect(try write(ChatDraft("You", to: guests[2], isForRoom: true), guests[0]).room == nil)
        #expect(try write(ChatDraft("All"), guests[0]).isReadable(by: .everybody))
    }

    @Test func whatPoPsTellEachOtherIsWhatItWas() throws {
        var people = try People()
        try people.open(BreakoutDraft(rooms: Self.rooms(["A", "B"]), isEven: true, mayChoose: true, duration: 600))
        try people.apply(.voice(people.host))
        try people.apply(.notice(.init(sender: people.host, senderName: "Host", text: "Five minutes")))
        let breakouts = try people.meeting.breakouts
        let decoded = try JSONDecoder().decode(Breakouts.self, from: JSONEncoder().encode(breakouts))
        #expect(decoded == breakouts)
        let room = try #require(BreakoutRoomID("r2"))
        let changes: [BreakoutChange] = [
            .open(
                BreakoutOpening(rooms: Self.rooms(["A"], [people.guests]), mayChoose: true, closesAt: people.stage.now)),
            .move([BreakoutMove(people.host, to: room), BreakoutMove(people.coHost, to: nil)]), .voice(people.host),
            .voice(nil), .notice(.init(sender: people.host, senderName: "Host", text: "Hello")),
            .closeAt(people.stage.now), .close,
        ]
        for change in changes {
            #expect(try JSONDecoder().decode(BreakoutChange.self, from: JSONEncoder().encode(change)) == change)
        }
    }

    @Test(arguments: [
        #"{"rooms":[{"id":"r2","name":"A"}],"places":[],"choose":false,"notices":0,"last_number":1}"#,
        #"{"rooms":[{"id":"r1","name":"A"},{"id":"r1","name":"B"}],"places":[],"choose":false,"notices":0,"last_number":1}"#,
        #"{"rooms":[{"id":"r1","name":""}],"places":[],"choose":false,"notices":0,"last_number":1}"#,
        #"{"rooms":[{"id":"r1","name":"A"}],"places":[{"participant":"p_1","room":"r2"}],"choose":false,"notices":0,"last_number":2}"#,
        #"{"rooms":[{"id":"r01","name":"A"}],"places":[],"choose":false,"notices":0,"last_number":1}"#,
    ])
    func whatNoPoPWouldSayIsNotTaken(_ text: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Breakouts.self, from: Data(text.utf8)) }
    }

    @Test(arguments: [
        "{}", #"{"close":false}"#, #"{"open":{"rooms":[],"mayChoose":false}}"#,
        #"{"move":[{"participant":"","room":"r1"}]}"#,
    ])
    func whatIsNoChangeIsNotTaken(_ text: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(BreakoutChange.self, from: Data(text.utf8)) }
    }
}
