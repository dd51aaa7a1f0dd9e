import Mailbox
import Meetings
import Testing
import Wire

@testable import Conference

/// Players with a Slot of each kind, who are shown a subject instead of tiles.
@Suite struct MediaSubjectTests {
    private let ann = ParticipantID.named(1)
    private let bob = ParticipantID.named(2)
    private let eve = ParticipantID.named(3)
    private let player = ParticipantID.named(9)

    private static let playing = FakeOffer(
        microphone: false, camera: false, audioSlots: 1, videoSlots: 1, screenSlots: 0)

    private func play(_ room: MediaFixture, _ subject: MediaView.Subject) async throws {
        try await room.enter(player, .test, Self.playing, PublishedMedia(), MediaView(subject: subject))
    }

    private func speak(_ room: MediaFixture, _ speaker: ParticipantID) async throws {
        let track = try #require(await room.director.track(of: speaker, .audio))
        for _ in 0..<20 {
            room.workers[track.worker].tell(.audioLevel(track, level: 20))
            await room.turn(milliseconds: 200)
        }
        await room.rest()
    }

    private func hush(_ room: MediaFixture) async {
        for _ in 0..<100 { await room.turn(milliseconds: 200) }
        await room.rest()
    }

    @Test(arguments: [1, 2])
    func `a player follows who speaks, and stays in silence`(workers: Int) async throws {
        let room = try MediaFixture(workers: workers)
        for person in [ann, bob, eve] { try await room.enter(person) }
        try await play(room, .speaker)
        #expect(await room.told(player, .video) == [ann], "nobody spoke yet")
        #expect(await room.told(player, .audio) == [ann])
        try await speak(room, eve)
        #expect(await room.shown(to: player) == ["0": eve, "1": eve])
        await hush(room)
        #expect(await room.told(player, .video) == [eve])
        try await speak(room, bob)
        #expect(await room.told(player, .video) == [bob])
        #expect(await room.heights(of: player) == [.max])
        await room.director.disconnect(bob)
        await room.rest()
        #expect(await room.told(player, .video) == [ann])
        #expect(await room.told(ann, .video).compactMap(\.self) == [eve], "the others' Slots stay as they are")
        #expect(room.faults.isEmpty, "\(room.faults)")
    }

    @Test func `who speaks without a camera is heard, and a picture stays`() async throws {
        let room = try MediaFixture(workers: 1)
        try await room.enter(ann)
        try await room.enter(bob, .test, FakeOffer(camera: false))
        try await play(room, .speaker)
        try await speak(room, bob)
        #expect(await room.shown(to: player) == ["0": bob, "1": ann])
    }

    @Test func `a player does not hear whom a host has muted`() async throws {
        for subject in [MediaView.Subject.participant(bob), .speaker] {
            let room = try MediaFixture(workers: 1)
            for person in [ann, bob] { try await room.enter(person) }
            try await play(room, subject)
            try await speak(room, bob)
            #expect(await room.told(player, .audio) == [bob])
            await room.director.setMediaState(bob, PublishedMedia(video: true, isSilenced: true))
            await room.rest()
            #expect(await room.told(player, .audio) != [bob])
            #expect(await room.told(player, .video) == [bob])
        }
    }

    @Test func `a player of one participant hears and sees that one alone`() async throws {
        let room = try MediaFixture(workers: 2)
        for person in [ann, bob, eve] { try await room.enter(person) }
        try await play(room, .participant(bob))
        try await speak(room, eve)
        #expect(await room.shown(to: player) == ["0": bob, "1": bob])
        await room.director.setMediaState(bob, PublishedMedia(audio: true))
        await room.rest()
        #expect(await room.told(player, .video) == [nil])
        await room.director.setMediaState(bob, PublishedMedia(audio: true, video: true))
        await room.rest()
        #expect(await room.told(player, .video) == [bob])
        await room.director.disconnect(bob)
        await room.rest()
        #expect(await room.shown(to: player).isEmpty)
        #expect(room.faults.isEmpty, "\(room.faults)")
    }

    @Test func `a player of the screen is sent it in its Slot of video`() async throws {
        let room = try MediaFixture(workers: 1)
        try await play(room, .screen)
        try await room.enter(ann)
        #expect(await room.told(player, .screen) == [nil])
        let all = PublishedMedia(audio: true, video: true, screen: true)
        try await room.enter(bob, .test, FakeOffer(screen: true), all)
        #expect(await room.told(player, .screen) == [bob])
        #expect(await room.told(player, .audio) == [ann])
        #expect(await room.told(player, .video).isEmpty)
        let session = try #require(await room.director.session(of: player))
        let slots = room.workers[0].slots.values.filter { $0.opening.session == session }
        let shown = try #require(slots.first { $0.opening.kind == .screen })
        #expect(room.workers[0].tracks[shown.track]?.kind == .screen)
    }

    @Test func `the answer says what it takes of a publisher`() async throws {
        let room = try MediaFixture(workers: 1)
        let offer = MediaOffer(sdp: FakeOffer(camera: false, screen: true).text)
        #expect(
            try await room.director.connect(ann, in: .test, offer).publishes
                == PublishedMedia(audio: true, screen: true))
    }
}
