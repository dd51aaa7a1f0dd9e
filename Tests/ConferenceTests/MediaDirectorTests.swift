import Mailbox
import Meetings
import Testing
import Wire

@testable import Conference

@Suite struct MediaDirectorTests {
    private let ann = ParticipantID.named(1)
    private let bob = ParticipantID.named(2)
    private let eve = ParticipantID.named(3)

    @Test(arguments: [1, 2])
    func `two people see and hear each other, on one worker and on two`(workers: Int) async throws {
        let room = try MediaFixture(workers: workers)
        try await room.enter(ann)
        try await room.enter(bob)
        #expect(await room.told(ann, .audio) == [bob, nil, nil])
        #expect(await room.told(ann, .video).compactMap(\.self) == [bob])
        #expect(await room.told(bob, .video).compactMap(\.self) == [ann])
        #expect(await room.told(bob, .screen) == [nil])
        // Mids 0 and 1 are what they send; 2 to 4 are audio, 5 to 29 video.
        #expect(await room.shown(to: ann) == ["2": bob, "5": bob])
        #expect(await room.shown(to: bob) == ["2": ann, "5": ann])
        #expect(await room.heights(of: ann) == [720])
        #expect(await room.director.currentStatistics().replicas == (workers == 1 ? 0 : 4))
        #expect(room.faults.isEmpty, "\(room.faults)")
        let updates = await room.allUpdates()
        #expect(
            updates.contains(
                .slots(
                    ann,
                    [
                        SlotAssignment(mid: "2", participant: bob, source: .audio),
                        SlotAssignment(mid: "5", participant: bob, source: .video),
                    ])))
        #expect(!updates.contains { if case .slots(bob, _) = $0 { true } else { false } }, "asked for whole, not told")
    }

    @Test func `the session is opened with what ICE and the packets need`() async throws {
        let room = try MediaFixture(workers: 2)
        let ufrag = try await room.join(ann, .test, FakeOffer(screen: true))
        await room.rest()
        let session = try #require(await room.director.session(of: ann))
        #expect(ufrag.pop == 7 && Int(ufrag.worker) == session.worker && Int(ufrag.index) == session.index)
        let worker = room.workers[session.worker]
        #expect(worker.sessions[session]?.ufragSecret == ufrag.secret)
        #expect(worker.sessions[session]?.password.count == 24)
        #expect(worker.extensions[session] == ExtensionMap())
        #expect(worker.slots.count == 29 && Set(worker.slots.values.map(\.opening.ssrc)).count == 29)
        #expect(worker.tracks.values.map(\.kind.rawValue).sorted() == [0, 1, 2], "the second video is the screen")
        #expect(worker.tracks.values.allSatisfy { $0.layerCount == 3 })
    }

    @Test(arguments: [1, 3])
    func `thirty people fill each other's slots in the order of joining`(workers: Int) async throws {
        let room = try MediaFixture(workers: workers)
        let people = (0..<30).map { ParticipantID.named($0) }
        for person in people { try await room.enter(person) }
        for person in people {
            let others = people.filter { $0 != person }.prefix(25)
            #expect(Set(await room.told(person, .video).compactMap(\.self)) == Set(others))
            #expect(Set(await room.shown(to: person).values) == Set(others))
            #expect(await room.told(person, .audio).compactMap(\.self).count == 3)
            #expect(await room.heights(of: person) == [180])
        }
        #expect(room.faults.isEmpty, "\(room.faults.prefix(3))")
        // Each of the first 26 cameras on each worker but its own, once, however many watch it.
        let cameras = await room.director.currentStatistics().replicas
        #expect(cameras <= (26 + 4) * (workers - 1))
        for person in people.reversed() { await room.director.disconnect(person) }
        await room.rest()
        #expect(await room.director.placesInUse() == [0, 0, 0])
        #expect(await room.director.isForgotten)
        #expect(room.workers.allSatisfy { $0.isEmpty } && room.faults.isEmpty)
    }

    @Test func `a camera that goes off leaves its slots, and comes back`() async throws {
        let room = try MediaFixture(workers: 2)
        for person in [ann, bob, eve] { try await room.enter(person) }
        await room.director.setMediaState(bob, PublishedMedia(audio: true, video: false, screen: false))
        await room.rest()
        #expect(await room.told(ann, .video).compactMap(\.self) == [eve])
        #expect(await room.told(ann, .audio).compactMap(\.self) == [bob, eve], "the sound goes on")
        #expect(await !room.shown(to: ann).contains { $0.key == "5" })
        await room.director.setMediaState(bob, PublishedMedia(audio: true, video: true, screen: false))
        await room.rest()
        #expect(await room.told(ann, .video).prefix(2) == [bob, eve], "eve was not moved")
        #expect(room.faults.isEmpty, "\(room.faults)")
    }

    @Test func `a view is followed in order, with its heights, and nobody is moved for it`() async throws {
        let room = try MediaFixture(workers: 1)
        let people = (0..<8).map { ParticipantID.named($0) }
        for person in people { try await room.enter(person, .test, FakeOffer(videoSlots: 3)) }
        let viewer = people[0]
        #expect(await room.told(viewer, .video) == [people[1], people[2], people[3]])
        let view = MediaView(
            visible: [people[6], people[2], viewer, people[5], people[7]], heights: [people[6]: 540, people[2]: 90])
        await room.director.setView(viewer, view)
        await room.rest()
        #expect(await room.told(viewer, .video) == [people[6], people[2], people[5]])
        #expect(await room.heights(of: viewer) == [540, 90, 360])
        await room.director.setMediaState(people[6], PublishedMedia(audio: true, video: false, screen: false))
        await room.rest()
        #expect(await room.told(viewer, .video) == [people[7], people[2], people[5]])
        await room.director.setView(viewer, MediaView())
        await room.rest()
        #expect(Set(await room.told(viewer, .video)) == [people[1], people[2], people[3]])
        #expect(room.faults.isEmpty, "\(room.faults)")
    }

    @Test func `one who is watched for before joining appears at once`() async throws {
        let room = try MediaFixture(workers: 1)
        try await room.enter(ann)
        try await room.enter(eve)
        await room.director.setView(ann, MediaView(visible: [bob]))
        await room.rest()
        #expect(await room.told(ann, .video).compactMap(\.self).isEmpty)
        try await room.enter(bob)
        #expect(await room.told(ann, .video).first == bob)
    }

    @Test func `a shared screen is in everybody's screen slot but the sharer's`() async throws {
        let room = try MediaFixture(workers: 2)
        for person in [ann, bob, eve] { try await room.enter(person, .test, FakeOffer(screen: true)) }
        #expect(await room.told(ann, .screen) == [nil])
        await room.director.setMediaState(bob, PublishedMedia(audio: true, video: true, screen: true))
        await room.rest()
        #expect(await room.told(ann, .screen) == [bob])
        #expect(await room.told(bob, .screen) == [nil])
        #expect(await room.heights(of: ann, .screen) == [.max])
        await room.director.setMediaState(eve, PublishedMedia(audio: true, video: true, screen: true))
        await room.rest()
        #expect(await room.told(ann, .screen) == [bob], "the first goes on")
        #expect(await room.told(bob, .screen) == [eve])
        await room.director.disconnect(bob)
        await room.rest()
        #expect(await room.told(ann, .screen) == [eve])
        #expect(room.faults.isEmpty, "\(room.faults)")
    }

    @Test func `beyond the stage the loud are heard by all`() async throws {
        let room = try MediaFixture(workers: 2)
        let people = (0..<10).map { ParticipantID.named($0) }
        for person in people { try await room.enter(person) }
        let track = try #require(await room.director.track(of: people[9], .audio))
        for _ in 0..<20 {
            room.workers[track.worker].tell(.audioLevel(track, level: 20))
            await room.turn(milliseconds: 200)
        }
        await room.rest()
        for person in people.dropLast() { #expect(await room.told(person, .audio).contains(people[9])) }
        #expect(await !room.told(people[9], .audio).contains(people[9]))
        await room.director.setMediaState(people[9], PublishedMedia(audio: false, video: true, screen: false))
        await room.rest()
        #expect(await !room.told(people[0], .audio).contains(people[9]), "muted, and others want the place")
        #expect(room.faults.isEmpty, "\(room.faults)")
        let told = await room.allUpdates().filter { if case .activeSpeakers = $0 { true } else { false } }
        #expect(told == [.activeSpeakers(MeetingRoom(.test), [people[9]])])
    }

    @Test func `active speakers are told at most five times a second`() async throws {
        let room = try MediaFixture(workers: 1)
        for person in [ann, bob] { try await room.enter(person) }
        let tracks = [
            try #require(await room.director.track(of: ann, .audio)),
            try #require(await room.director.track(of: bob, .audio)),
        ]
        for step in 0..<1_000 {
            // They interrupt each other every 50 ms, for 10 s.
            room.workers[0].tell(.audioLevel(tracks[step / 5 % 2], level: 10))
            room.workers[0].tell(.audioLevel(tracks[1 - step / 5 % 2], level: 127))
            await room.turn(milliseconds: 10)
        }
        let told = await room.allUpdates().count { if case .activeSpeakers = $0 { true } else { false } }
        #expect((1...50).contains(told))
    }

    @Test func `a codec that the viewer did not negotiate is not put into its slot`() async throws {
        let room = try MediaFixture(workers: 2)
        try await room.enter(ann, .test, FakeOffer(codec: .vp8, codecs: [.vp8]))
        try await room.enter(bob, .test, FakeOffer(codec: .h264, codecs: [.vp8, .h264]))
        #expect(await room.told(ann, .video).compactMap(\.self).isEmpty)
        #expect(await room.told(ann, .audio).compactMap(\.self) == [bob])
        #expect(await room.told(bob, .video).first == ann)
        #expect(room.faults.isEmpty, "\(room.faults)")
    }

    @Test func `meetings do not see each other`() async throws {
        let room = try MediaFixture(workers: 1)
        let other = try #require(MeetingID("m_other"))
        try await room.enter(ann)
        try await room.enter(bob, other)
        #expect(await room.shown(to: ann).isEmpty)
        #expect(await room.shown(to: bob).isEmpty)
    }

    @Test func `a second offer replaces the first, brings view and state, and keeps the place`() async throws {
        let room = try MediaFixture(workers: 2)
        for person in [ann, bob, eve] { try await room.enter(person) }
        let first = try #require(await room.director.session(of: ann))
        try await room.enter(ann, .test, FakeOffer(), PublishedMedia(audio: true), MediaView(visible: [eve]))
        #expect(await room.director.session(of: ann) != first)
        #expect(room.workers[first.worker].sessions[first] == nil)
        #expect(await room.told(ann, .video).compactMap(\.self) == [eve])
        #expect(await room.told(bob, .video).compactMap(\.self) == [eve], "ann's camera is still off")
        await room.director.setMediaState(ann, PublishedMedia(audio: true, video: true, screen: false))
        await room.rest()
        #expect(await room.shown(to: bob).values.count { $0 == ann } == 2)
        #expect(await room.director.placesInUse()[0] == 3)
        #expect(room.faults.isEmpty, "\(room.faults)")
    }

    @Test func `calls for people who are not there do nothing`() async throws {
        let room = try MediaFixture(workers: 1)
        await room.director.disconnect(ann)
        await room.director.setView(ann, MediaView(visible: [bob]))
        await room.director.setMediaState(ann, PublishedMedia(audio: true, video: true, screen: true))
        #expect(await room.director.slots(of: ann).isEmpty)
        await room.rest()
        #expect(await room.director.isForgotten && room.faults.isEmpty)
    }

    @Test func `a join into a full screen touches nobody but the newcomer`() async throws {
        let room = try MediaFixture(
            workers: 2, capacity: Capacity(sessions: 256, tracks: 1_024, slots: 8_192))
        for number in 0..<200 { try await room.join(.named(number), .test, FakeOffer(videoSlots: 4)) }
        await room.rest()
        let before = room.workers.reduce(0) { $0 + $1.mapsRead }
        try await room.enter(.named(200), .test, FakeOffer(videoSlots: 4))
        #expect(room.workers.reduce(0) { $0 + $1.mapsRead } - before == 7, "its own 3 audio and 4 video slots")
        #expect(room.faults.isEmpty, "\(room.faults.prefix(3))")
    }

    @Test func `what touches everybody is spread over polls`() async throws {
        var options = MediaDirector.Options()
        options.refreshBudget = 16
        let room = try MediaFixture(
            workers: 1, capacity: Capacity(sessions: 128, tracks: 512, slots: 4_096), options: options)
        for number in 0..<100 { try await room.enter(.named(number), .test, FakeOffer(videoSlots: 4, screenSlots: 0)) }
        let before = room.workers[0].mapsRead
        await room.director.disconnect(.named(0))
        #expect(await room.director.currentStatistics().waitingViewers == 99 - 16)
        await room.turn()
        #expect(room.workers[0].mapsRead - before <= 2 * 16 * 5)
        await room.rest()
        #expect(await room.told(.named(50), .video).allSatisfy { $0 != nil && $0 != .named(0) })
    }
}

extension MediaDirector {
    func track(of participant: ParticipantID, _ kind: MediaKind) -> TrackHandle? {
        SourceRole.roles(of: kind).first.flatMap { members[participant]?.tracks[$0]?.handle }
    }
}
