import Mailbox
import Meetings
import Testing
import Wire

@testable import Conference

@Suite struct MediaFailureTests {
    private let ann = ParticipantID.named(1)
    private let bob = ParticipantID.named(2)

    private func code(_ body: () async throws -> Void) async -> MediaError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? MediaError)?.code
        }
    }

    @Test(arguments: [
        Capacity(sessions: 2, tracks: 64, slots: 512), Capacity(sessions: 64, tracks: 5, slots: 512),
        Capacity(sessions: 64, tracks: 64, slots: 70),
    ])
    func `a full table refuses the newcomer, harms nobody, and has place again later`(capacity: Capacity) async throws {
        let room = try MediaFixture(workers: 1, capacity: capacity)
        try await room.enter(ann)
        try await room.enter(bob)
        let before = await room.director.placesInUse()
        let late = ParticipantID.named(3)
        #expect(await code { try await room.join(late) } == .full)
        await room.rest()
        #expect(await room.director.placesInUse() == before)
        #expect(room.workers[0].sessions.count == 2)
        #expect(await room.shown(to: ann) == ["2": bob, "5": bob])
        #expect(await room.director.currentStatistics().refusedSessions == 1)
        await room.director.disconnect(bob)
        await room.rest()
        try await room.enter(late)
        #expect(await room.shown(to: ann) == ["2": late, "5": late])
        #expect(room.faults.isEmpty, "\(room.faults)")
    }

    @Test func `a newcomer goes to another worker when the least busy has no place for it`() async throws {
        let room = try MediaFixture(workers: 2, capacity: Capacity(sessions: 8, tracks: 64, slots: 29))
        try await room.enter(ann)
        #expect(try await room.enter(bob).worker == 1)
        // Worker 0 is empty of sessions after this, but bob's return must find the free slots wherever they are.
        await room.director.disconnect(ann)
        await room.rest()
        #expect(try await room.enter(ann).worker == 0)
        #expect(room.faults.isEmpty, "\(room.faults)")
    }

    @Test func `one who offers again into a full table gets the place that it had`() async throws {
        let room = try MediaFixture(workers: 1, capacity: Capacity(sessions: 1, tracks: 8, slots: 64))
        try await room.enter(ann)
        #expect(await code { try await room.join(ann) } == .full)
        await room.rest()
        try await room.enter(ann)
        #expect(room.workers[0].sessions.count == 1 && room.faults.isEmpty)
    }

    @Test func `without a place for a replica the slot stays empty until there is one`() async throws {
        // Each worker has place for its own three Tracks and two of the other's.
        let room = try MediaFixture(workers: 2, capacity: Capacity(sessions: 8, tracks: 5, slots: 128))
        try await room.enter(ann, .test, FakeOffer(screen: true))
        try await room.enter(bob, .test, FakeOffer(screen: true))
        #expect(await room.director.currentStatistics().refusedReplicas == 0)
        await room.director.setMediaState(ann, PublishedMedia(audio: true, video: true, screen: true))
        await room.rest()
        #expect(await room.director.currentStatistics().refusedReplicas > 0)
        #expect(await room.told(bob, .screen) == [nil])
        await room.director.setMediaState(ann, PublishedMedia(audio: true, video: false, screen: true))
        await room.rest()
        #expect(await room.told(bob, .screen) == [ann])
        #expect(await Set(room.shown(to: bob).values) == [ann])
        #expect(room.faults.isEmpty, "\(room.faults)")
    }

    @Test func `an offer that cannot be answered leaves nothing behind`() async throws {
        let room = try MediaFixture(workers: 1)
        let none = FakeOffer(microphone: false, camera: false, audioSlots: 0, videoSlots: 0, screenSlots: 0)
        #expect(await code { try await room.join(ann, .test, none) } == .unsupported)
        #expect(
            await code {
                _ = try await room.director.connect(ann, in: .test, MediaOffer(sdp: "v=0", state: .camera)).sdp
            } == .badOffer)
        await room.rest()
        #expect(await room.director.placesInUse() == [0, 0, 0])
        #expect(await room.director.isForgotten && room.workers[0].isEmpty)
    }

    @Test func `lost consent ends the session and is told`() async throws {
        let room = try MediaFixture(workers: 2)
        try await room.enter(ann)
        let session = try await room.enter(bob)
        room.workers[session.worker].tell(.sessionExpired(session))
        await room.rest()
        #expect(await room.shown(to: ann).isEmpty)
        #expect(await room.director.session(of: bob) == nil)
        #expect(room.faults.isEmpty, "\(room.faults)")
        #expect(await room.allUpdates().contains(.failed(bob, reason: MediaFailure.consent)))
    }

    @Test func `who falls silent and is heard again is told to be`() async throws {
        let room = try MediaFixture(workers: 2)
        let session = try await room.enter(ann)
        room.workers[session.worker].tell(.sessionSilent(session))
        room.workers[session.worker].tell(.sessionHeard(session))
        await room.turn()
        #expect(await room.allUpdates() == [.silent(ann), .heard(ann)])
        #expect(await room.director.session(of: ann) == session)
    }

    @Test func `who never connects is given up`() async throws {
        let room = try MediaFixture(workers: 1)
        try await room.enter(ann)
        await room.turn(milliseconds: 29_000)
        #expect(await room.director.session(of: ann) != nil)
        await room.turn(milliseconds: 1_001)
        await room.rest()
        #expect(await room.director.isForgotten && room.workers[0].isEmpty)
        #expect(await room.allUpdates() == [.failed(ann, reason: MediaFailure.neverConnected)])
    }

    @Test func `a worker that ends a session by itself is believed`() async throws {
        let room = try MediaFixture(workers: 1)
        let session = try await room.enter(ann)
        room.workers[0].tell(.sessionClosed(session))
        await room.turn()
        #expect(await room.director.session(of: ann) == nil)
        #expect(await room.allUpdates() == [.failed(ann, reason: MediaFailure.worker)])
    }

    @Test func `events of stale and foreign handles change nothing`() async throws {
        let room = try MediaFixture(workers: 1)
        let session = try await room.enter(ann)
        let places = await room.director.placesInUse()
        let stale = SessionHandle(worker: 0, index: UInt32(session.index), generation: session.generation &+ 1)
        let foreign = SessionHandle(worker: 200, index: 70_000, generation: 9)
        for handle in [stale, foreign, .none] {
            room.workers[0].tell(.sessionValidated(handle, remote: Endpoint(address: IPAddress(v4: 1), port: 1)))
            room.workers[0].tell(.sessionSilent(handle))
            room.workers[0].tell(.sessionHeard(handle))
            room.workers[0].tell(.sessionExpired(handle))
            room.workers[0].tell(.sessionClosed(handle))
            room.workers[0].tell(.trackClosed(TrackHandle(raw: handle.raw)))
            room.workers[0].tell(.slotClosed(SlotHandle(raw: handle.raw)))
            room.workers[0].tell(.audioLevel(TrackHandle(raw: handle.raw), level: 3))
            #expect(room.workers[0].mailbox.punts.push(Datagram(session: handle)))
        }
        await room.rest()
        #expect(await room.director.placesInUse() == places)
        #expect(await room.director.session(of: ann) == session)
        #expect(await room.director.currentStatistics().strayDatagrams == 3)
        #expect(room.faults.isEmpty, "\(room.faults)")
    }

    @Test func `places come back although the closed event was lost`() async throws {
        let room = try MediaFixture(workers: 2)
        for worker in room.workers { worker.isSilent = true }
        try await room.enter(ann)
        try await room.enter(bob)
        await room.director.disconnect(ann)
        await room.director.disconnect(bob)
        await room.turn()
        #expect(await room.director.placesInUse()[0] == 2)
        await room.turn(milliseconds: 4_000)
        #expect(await room.director.placesInUse()[0] == 2)
        for _ in 0..<4 { await room.turn(milliseconds: 1_000) }
        #expect(await room.director.placesInUse() == [0, 0, 0])
        #expect(await room.director.currentStatistics().reclaimedPlaces == 2 + 4)
        for worker in room.workers { worker.isSilent = false }
        try await room.enter(ann)
        #expect(room.faults.isEmpty, "\(room.faults)")
    }

    @Test func `a worker that does not read is given no newcomers, and the others go on`() async throws {
        let room = try MediaFixture(workers: 2, depth: 64)
        let first = ParticipantID.named(0)
        try await room.enter(first, .test, FakeOffer(videoSlots: 6))
        // Worker 1 reads nothing; what it is told waits.
        room.workers[0].catchUp = { _ in nil }
        var number = 1
        while await room.director.waitingChanges(of: 1) <= WorkerLink.patience, number < 100 {
            try await room.join(.named(number), .test, FakeOffer(videoSlots: 6))
            if await room.director.session(of: .named(number))?.worker == 1 {
                await room.director.disconnect(.named(number))
            }
            number += 1
            await room.director.poll()
            room.workers[0].turn()
        }
        #expect(await room.director.isLeastBusy(1), "or it would get no newcomers anyway")
        for late in 2_000..<2_004 {
            try await room.join(.named(late), .test, FakeOffer(videoSlots: 6))
            await room.director.poll()
            room.workers[0].turn()
            #expect(await room.director.session(of: .named(late))?.worker == 0)
            #expect(await room.shown(to: .named(late)).values.contains(first))
        }
        await room.rest()
        #expect(room.faults.isEmpty, "\(room.faults.prefix(3))")
    }

    @Test func `stopping closes everybody and refuses newcomers`() async throws {
        let room = try MediaFixture(workers: 2)
        try await room.enter(ann)
        try await room.enter(bob)
        await room.director.stop()
        #expect(await code { try await room.join(ann) } == .draining)
        await room.rest()
        #expect(room.workers.allSatisfy { $0.isEmpty } && room.faults.isEmpty)
        #expect(await room.director.isForgotten)
    }

    @Test func `the loop ends with its task, closes every session and waits for the worker's word`() async throws {
        let room = try MediaFixture(workers: 1)
        try await room.join(ann)
        let director = room.director
        let loop = Task { await director.run(interval: .milliseconds(1)) }
        loop.cancel()
        while !room.workers[0].isEmpty || room.workers[0].generationsSeen == 0 {
            room.workers[0].turn()
            await Task.yield()
        }
        await loop.value
        #expect(await director.placesInUse() == [0, 0, 0])
        #expect(await director.isForgotten)
        #expect(room.faults.isEmpty, "\(room.faults)")
    }

    @Test func `the loop ends although a worker is silent`() async throws {
        var options = MediaDirector.Options()
        options.farewellPolls = 3
        let room = try MediaFixture(workers: 1, options: options)
        try await room.join(ann)
        let director = room.director
        let loop = Task { await director.run(interval: .milliseconds(1)) }
        loop.cancel()
        await loop.value
        #expect(await director.placesInUse()[0] == 1)
        room.workers[0].turn()
        #expect(room.workers[0].isEmpty && room.faults.isEmpty)
    }
}

extension MediaDirector {
    func isLeastBusy(_ worker: Int) -> Bool {
        workers.allSatisfy { $0.sessions.used >= workers[worker].sessions.used }
    }
    func waitingChanges(of worker: Int) -> Int { Int(workers[worker].sealed - workers[worker].delivered) }
}
