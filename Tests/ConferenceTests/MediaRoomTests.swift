import Mailbox
import Meetings
import Testing

@testable import Conference

@Suite struct MediaRooms {
    private let ann = ParticipantID.named(0)
    private let bob = ParticipantID.named(1)
    private let cyd = ParticipantID.named(2)
    private let dan = ParticipantID.named(3)

    private func breakouts(_ people: [[ParticipantID]], voice: ParticipantID? = nil) -> Breakouts {
        var breakouts = Breakouts()
        let rooms = people.enumerated().map { BreakoutOpening.Room(name: "Room \($0)", participants: $1) }
        breakouts.apply(.open(BreakoutOpening(rooms: rooms)))
        if let voice { breakouts.apply(.voice(voice)) }
        return breakouts
    }

    /// Whom each of the four sees and hears.
    private func company(_ fixture: MediaFixture) async -> [Set<Int>] {
        var company: [Set<Int>] = []
        let people = [ann, bob, cyd, dan]
        for person in people {
            let seen = Set(await fixture.told(person, .video).compactMap { $0 })
            let heard = Set(await fixture.told(person, .audio).compactMap { $0 })
            #expect(seen == heard, "\(person)")
            #expect(Set(await fixture.shown(to: person).values) == seen, "\(person)")
            company.append(Set(people.indices.filter { seen.contains(people[$0]) }))
        }
        return company
    }

    @Test(arguments: [1, 3]) func peopleSeeAndHearTheirRoomAloneAndNoSessionIsOpenedAnew(_ workers: Int) async throws {
        let fixture = try MediaFixture(workers: workers)
        for person in [ann, bob, cyd, dan] { try await fixture.enter(person) }
        #expect(await company(fixture) == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
        let before = await fixture.director.session(of: ann)
        await fixture.director.arrange(breakouts([[bob, cyd], [dan]]), in: .test, number: 1)
        await fixture.rest()
        #expect(await company(fixture) == [[], [2], [1], []])
        // The host comes to see them, and goes on to the next.
        await fixture.director.arrange(breakouts([[ann, bob, cyd], [dan]]), in: .test, number: 2)
        await fixture.rest()
        #expect(await company(fixture) == [[1, 2], [0, 2], [0, 1], []])
        await fixture.director.arrange(breakouts([[bob, cyd], [ann, dan]]), in: .test, number: 4)
        // What comes late says nothing new.
        await fixture.director.arrange(breakouts([[ann, bob], [cyd, dan]]), in: .test, number: 3)
        await fixture.rest()
        #expect(await company(fixture) == [[3], [2], [1], [0]])
        await fixture.director.arrange(Breakouts(), in: .test, number: 5)
        await fixture.rest()
        #expect(await company(fixture) == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
        #expect(await fixture.director.session(of: ann) == before)
        #expect(fixture.faults.isEmpty, "\(fixture.faults)")
    }

    @Test func aViewOfPeopleInAnotherRoomHidesNobody() async throws {
        let fixture = try MediaFixture(workers: 1)
        for person in [ann, bob, cyd, dan] { try await fixture.enter(person) }
        await fixture.director.setView(ann, MediaView(visible: [bob]))
        await fixture.rest()
        #expect(await fixture.told(ann, .video).compactMap { $0 } == [bob])
        await fixture.director.arrange(breakouts([[ann, cyd, dan]]), in: .test, number: 1)
        await fixture.rest()
        #expect(await Set(fixture.told(ann, .video).compactMap { $0 }) == [cyd, dan])
        await fixture.director.setView(ann, MediaView(visible: [dan]))
        await fixture.rest()
        #expect(await fixture.told(ann, .video).compactMap { $0 } == [dan])
    }

    @Test func whoComesBackIsWhereItWas() async throws {
        let fixture = try MediaFixture(workers: 2)
        for person in [ann, bob, cyd] { try await fixture.enter(person) }
        await fixture.director.arrange(breakouts([[bob, cyd], [dan]]), in: .test, number: 1)
        await fixture.rest()
        // Another offer, and one who is put into a room before its media is here.
        try await fixture.enter(bob)
        try await fixture.enter(dan)
        #expect(await company(fixture) == [[], [2], [1], []])
        await fixture.director.disconnect(cyd)
        await fixture.rest()
        #expect(await fixture.told(bob, .video).compactMap { $0 }.isEmpty)
        #expect(fixture.faults.isEmpty, "\(fixture.faults)")
    }

    @Test func aHostsVoiceIsHeardInAllRoomsUntilItIsSilenced() async throws {
        let fixture = try MediaFixture(workers: 2)
        let people = (0..<12).map { ParticipantID.named($0) }
        for person in people { try await fixture.enter(person) }
        let rooms = [Array(people[1...5]), Array(people[6...10])]
        await fixture.director.arrange(breakouts(rooms, voice: ann), in: .test, number: 1)
        await fixture.rest()
        func hearing() async -> [ParticipantID] {
            var hearing: [ParticipantID] = []
            for person in people where await fixture.told(person, .audio).contains(ann) { hearing.append(person) }
            return hearing
        }
        #expect(await hearing() == Array(people[1...11]))
        #expect(await fixture.told(people[2], .video).contains(ann) == false)
        // Its own room's voices have the other places.
        #expect(await fixture.told(people[2], .audio).compactMap { $0 }.count == 3)
        await fixture.director.setMediaState(ann, PublishedMedia(video: true, isSilenced: true))
        await fixture.rest()
        #expect(await hearing().isEmpty)
        await fixture.director.setMediaState(ann, .camera)
        await fixture.rest()
        #expect(await hearing() == Array(people[1...11]))
        await fixture.director.disconnect(ann)
        await fixture.rest()
        #expect(await hearing().isEmpty)
        try await fixture.enter(ann)
        #expect(await hearing() == Array(people[1...11]))
        await fixture.director.arrange(breakouts(rooms), in: .test, number: 2)
        await fixture.rest()
        #expect(await hearing() == [people[11]])
        #expect(fixture.faults.isEmpty, "\(fixture.faults)")
    }

    @Test func speakersAreThoseOfTheirRoom() async throws {
        let fixture = try MediaFixture(workers: 1)
        for person in [ann, bob, cyd, dan] { try await fixture.enter(person) }
        let rooms = breakouts([[ann, bob], [cyd, dan]])
        await fixture.director.arrange(rooms, in: .test, number: 1)
        await fixture.rest()
        let tracks = [
            try #require(await fixture.director.track(of: bob, .audio)),
            try #require(await fixture.director.track(of: dan, .audio)),
        ]
        for _ in 0..<20 {
            for track in tracks { fixture.workers[0].tell(.audioLevel(track, level: 20)) }
            await fixture.turn(milliseconds: 200)
        }
        let told = await fixture.allUpdates().filter { if case .activeSpeakers = $0 { true } else { false } }
        let expected: [MediaUpdate] = zip(rooms.rooms, [bob, dan]).map {
            .activeSpeakers(MeetingRoom(.test, $0.id), [$1])
        }
        #expect(told == expected)
    }

    @Test func twoHundredAreInTwentyRoomsAfterAFewPolls() async throws {
        let fixture = try MediaFixture(
            workers: 2, capacity: Capacity(sessions: 128, tracks: 4_096, slots: 2_048), depth: 65_536)
        let people = (0..<200).map { ParticipantID.named($0) }
        for person in people { try await fixture.join(person, .test, FakeOffer(videoSlots: 9)) }
        await fixture.rest()
        let opened = fixture.workers.map { Set($0.sessions.keys) }
        let rooms = (0..<20).map { room in people.filter { people.firstIndex(of: $0)! % 20 == room } }
        await fixture.director.arrange(breakouts(rooms), in: .test, number: 1)
        // At one each 20 ms it takes a fifth of a second.
        for _ in 0..<10 { await fixture.turn() }
        for room in rooms {
            for person in room {
                let others = Set(room).subtracting([person])
                #expect(await Set(fixture.told(person, .video).compactMap { $0 }) == others)
                #expect(await Set(fixture.shown(to: person).values).isSubset(of: others))
            }
        }
        #expect(fixture.workers.map { Set($0.sessions.keys) } == opened)
        #expect(fixture.faults.isEmpty, "\(fixture.faults.prefix(5))")
    }

    @Test func nothingIsKeptOfAMeetingThatIsOver() async throws {
        let fixture = try MediaFixture(workers: 1)
        for person in [ann, bob] { try await fixture.enter(person) }
        await fixture.director.arrange(breakouts([[ann], [bob]]), in: .test, number: 1)
        for person in [ann, bob] { await fixture.director.disconnect(person) }
        await fixture.director.arrange(Breakouts(), in: .test, number: 2)
        await fixture.rest()
        #expect(await fixture.director.roomsKept == 0)
    }
}

extension MediaDirector {
    fileprivate var roomsKept: Int { arrangements.count + meetings.count }
}
