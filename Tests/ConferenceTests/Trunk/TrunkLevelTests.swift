import Fleet
import Mailbox
import Meetings
import Testing

@testable import Conference

/// Speakers are ranked over all PoPs of a meeting.
@Suite struct TrunkLevelTests {
    private func speak(_ fixture: TrunkFixture, _ number: Int, _ level: UInt8) async throws {
        let id = ParticipantID.named(number)
        let pop = fixture.pops[fixture.people[id]!.pop]
        let track = try #require(await pop.director.microphone(of: id))
        pop.workers[track.worker].tell(.audioLevel(track, level: level))
    }

    @Test func `the loudest anywhere are heard everywhere, and only their voices cross`() async throws {
        let fixture = try TrunkFixture()
        await fixture.linkAll()
        await fixture.run(milliseconds: 50)
        for number in 1...8 { try await fixture.join(number, at: 0, FakeOffer(camera: false, audioSlots: 2)) }
        for number in 9...10 { try await fixture.join(number, at: 1, FakeOffer(camera: false, audioSlots: 2)) }
        for _ in 0..<20 {
            try await speak(fixture, 7, 10)
            try await speak(fixture, 8, 35)
            try await speak(fixture, 10, 22)
            await fixture.run(milliseconds: 200)
        }
        #expect(await fixture.shown(to: 9)[.audio] == [.named(10), .named(7)])
        #expect(await fixture.shown(to: 1)[.audio] == [.named(10), .named(7)])
        let speakers = await fixture.pops[1].director.speakers(of: .test)
        #expect(speakers == [.named(7), .named(10), .named(8)])
        #expect(await fixture.pops[0].director.speakers(of: .test) == speakers)
        #expect(fixture.crossing(at: 1).come <= 3, "the stage of two Slots holds three")
        await fixture.check()
    }

    @Test func `ten levels a message, and none in silence`() async throws {
        let fixture = try TrunkFixture()
        var levels: [Int] = []
        fixture.intercept = { _, _, message in
            if case .levels(_, let told) = message { levels.append(told.count) }
            return [message]
        }
        await fixture.linkAll()
        for number in 1...12 { try await fixture.join(number, at: 0, FakeOffer(camera: false)) }
        try await fixture.join(13, at: 1)
        await fixture.run(milliseconds: 1_000)
        #expect(levels.isEmpty)
        for number in 1...12 { try await speak(fixture, number, UInt8(30 + number)) }
        await fixture.run(milliseconds: 1_000)
        #expect(levels == [10])
    }

    @Test func `a PoP speaks for its own people alone`() async throws {
        let fixture = try TrunkFixture(pops: 3)
        await fixture.linkAll()
        await fixture.run(milliseconds: 50)
        try await fixture.join(1, at: 0)
        try await fixture.join(2, at: 1)
        for _ in 0..<10 {
            let lie = DirectorMessage.levels(.test, [SoundLevel(participant: .named(1), role: 0, level: 5)])
            await fixture.pops[1].director.receive(lie.bytes, from: TrunkFixture.name(2))
            await fixture.run(milliseconds: 200)
        }
        #expect(await fixture.pops[1].director.speakers(of: .test) == [])
    }
}

extension MediaDirector {
    func microphone(of id: ParticipantID) -> TrackHandle? { members[id]?.tracks[.microphone]?.handle }
    func speakers(of meeting: MeetingID) -> [ParticipantID] {
        meetings[MeetingRoom(meeting)]?.ranking.participants ?? []
    }
}
