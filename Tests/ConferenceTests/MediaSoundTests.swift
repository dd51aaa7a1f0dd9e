import Mailbox
import Meetings
import Testing
import Wire

@testable import Conference

/// The second sound of a participant, such as that of a tab that it shares.
@Suite struct MediaSoundTests {
    private let ann = ParticipantID.named(1)
    private let bob = ParticipantID.named(2)

    /// Whose Tracks are in the audio Slots of `participant`, in the order of the m-lines.
    private func heard(_ room: MediaFixture, _ participant: ParticipantID) async -> [SourceID?] {
        await room.director.sources(in: participant, .audio)
    }

    @Test(arguments: [1, 2])
    func `both sounds of a participant are heard, on one worker and on two`(workers: Int) async throws {
        let room = try MediaFixture(workers: workers)
        try await room.enter(ann, .test, FakeOffer(sound: true))
        try await room.enter(bob)
        #expect(await room.told(bob, .audio) == [ann, ann, nil])
        #expect(await heard(room, bob) == [SourceID(ann, .microphone), SourceID(ann, .sound), nil])
        // Mids 0 and 1 are what bob sends.
        #expect(await room.shown(to: bob) == ["2": ann, "3": ann, "5": ann])
        let session = try #require(await room.director.session(of: bob))
        let slots = room.workers[session.worker].slots.values.filter { $0.opening.session == session }
        let tracks = slots.filter { $0.opening.kind == .audio && !$0.track.isNone }.map(\.track)
        #expect(tracks.count == 2 && Set(tracks).count == 2, "each its own Track")
        #expect(await room.told(ann, .audio) == [bob, nil, nil], "nobody hears itself")
        #expect(room.faults.isEmpty, "\(room.faults)")
        await room.director.disconnect(ann)
        await room.rest()
        #expect(await room.told(bob, .audio) == [nil, nil, nil])
        await room.director.disconnect(bob)
        await room.rest()
        #expect(await room.director.isForgotten)
        #expect(await room.director.placesInUse() == [0, 0, 0])
    }

    @Test func `a shared tab sounds on while the microphone of who shares it is muted`() async throws {
        let room = try MediaFixture(workers: 1)
        let speakers = (2..<6).map { ParticipantID.named($0) }
        try await room.enter(
            ann, .test, FakeOffer(sound: true, screen: true), PublishedMedia(audio: false, screen: true))
        for speaker in speakers { try await room.enter(speaker) }
        let viewer = ParticipantID.named(9)
        try await room.enter(viewer, .test, FakeOffer(microphone: false))
        let track = try #require(await room.director.track(SourceID(ann, .sound)))
        for _ in 0..<40 {
            room.workers[0].tell(.audioLevel(track, level: 20))
            await room.turn(milliseconds: 200)
        }
        await room.rest()
        let inside = await heard(room, viewer)
        #expect(inside.contains(SourceID(ann, .sound)), "it is the loudest")
        #expect(!inside.contains(SourceID(ann, .microphone)), "others speak")
        let updates = await room.allUpdates()
        #expect(updates.contains(.activeSpeakers(MeetingRoom(.test), [ann])))
    }

    @Test func `the sound of a screen takes no place before it is shared`() async throws {
        let room = try MediaFixture(workers: 1)
        let both = FakeOffer(sound: true, screen: true)
        for person in [ann, bob] { try await room.enter(person, .test, both) }
        #expect(await heard(room, bob) == [SourceID(ann, .microphone), nil, nil])
        await room.director.setMediaState(ann, PublishedMedia(audio: true, video: true, screen: true))
        await room.rest()
        #expect(await heard(room, bob) == [SourceID(ann, .microphone), SourceID(ann, .sound), nil])
        await room.director.setMediaState(
            ann, PublishedMedia(audio: false, video: true, screen: true, isSilenced: true))
        await room.rest()
        #expect(await heard(room, bob) == [nil, nil, nil], "nor behind a host's mute")
        await room.director.setMediaState(ann, PublishedMedia(audio: true, video: true))
        await room.rest()
        #expect(await heard(room, bob) == [SourceID(ann, .microphone), nil, nil])
    }

    @Test func `whom a host has muted nobody gets, whatever it sends`() async throws {
        let room = try MediaFixture(workers: 2)
        try await room.enter(ann, .test, FakeOffer(sound: true))
        try await room.enter(bob)
        // By itself it keeps its Slots: then it is heard at once when it speaks again.
        await room.director.setMediaState(ann, PublishedMedia(video: true))
        await room.rest()
        #expect(await heard(room, bob) == [SourceID(ann, .microphone), SourceID(ann, .sound), nil])
        await room.director.setMediaState(ann, PublishedMedia(video: true, isSilenced: true))
        await room.rest()
        #expect(await room.told(bob, .audio) == [nil, nil, nil])
        #expect(await room.shown(to: bob) == ["5": ann], "no Slot of sound is mapped")
        await room.director.setMediaState(ann, PublishedMedia(video: true, screen: true, isSilenced: true))
        await room.rest()
        #expect(await room.told(bob, .audio) == [nil, nil, nil], "nor by the sound of a tab")
        await room.director.setMediaState(ann, PublishedMedia(audio: true, video: true))
        await room.rest()
        #expect(await heard(room, bob) == [SourceID(ann, .microphone), SourceID(ann, .sound), nil])
        #expect(room.faults.isEmpty, "\(room.faults)")
    }

    @Test func `a voice is in the slot of the number that its picture has`() async throws {
        let room = try MediaFixture(workers: 1)
        let cy = ParticipantID.named(3)
        try await room.enter(ann, .test, FakeOffer(), PublishedMedia(audio: true, video: false))
        try await room.enter(bob)
        let viewer = ParticipantID.named(9)
        try await room.enter(viewer)
        try await room.enter(cy)
        #expect(await room.told(viewer, .video).prefix(3) == [bob, cy, nil])
        #expect(await room.told(viewer, .audio) == [bob, cy, ann])
        await room.director.setMediaState(ann, PublishedMedia(audio: true, video: true))
        await room.rest()
        let pictures = await room.told(viewer, .video)
        #expect(await room.told(viewer, .audio) == Array(pictures.prefix(3)))
        #expect(room.faults.isEmpty, "\(room.faults)")
    }

    @Test func `a microphone comes before a second sound`() async throws {
        let room = try MediaFixture(workers: 1)
        for number in 1...3 { try await room.enter(.named(number), .test, FakeOffer(sound: true)) }
        let viewer = ParticipantID.named(9)
        try await room.enter(viewer, .test, FakeOffer(microphone: false, audioSlots: 5))
        #expect(
            await Set(heard(room, viewer).compactMap(\.self).filter { $0.role == .microphone }.map(\.participant))
                == Set((1...3).map { .named($0) }))
    }
}

extension MediaDirector {
    func sources(in participant: ParticipantID, _ kind: MediaKind) -> [SourceID?] {
        members[participant]?.slots.filter { $0.kind == kind }.map(\.source) ?? []
    }

    func track(_ source: SourceID) -> TrackHandle? { members[source.participant]?.tracks[source.role]?.handle }
}
