import Mailbox
import Meetings
import TestSupport
import Testing
import Wire

@testable import Conference

/// Meetings in which everything happens at any time, against the rules that always hold.
@Suite struct MediaChurnTests {
    /// What the test knows of a participant, in its own words.
    private struct Person {
        var meeting: MeetingID
        var serial: Int
        var offer: FakeOffer
        var audio = true
        var video = true
        var screen = false
        /// When its screen began.
        var screenSince = 0
        var view: [ParticipantID]?
        /// As the signaling would have it: the whole after the answer, then the changes.
        var slots: [SlotAssignment] = []
    }

    private static let meetings = ["m_a", "m_b", "m_c"].map { MeetingID($0)! }

    struct Course: Sendable, CustomTestStringConvertible {
        var workers: Int
        var seed: UInt64
        var depth = 16_384
        var capacity = Capacity(sessions: 64, tracks: 512, slots: 1_024)
        var reportsEverything = false
        /// Commands that a worker reads in a turn.
        var pace = Int.max

        var testDescription: String { "\(workers) workers, seed \(seed), rings of \(depth)" }
    }

    @Test(arguments: [
        Course(workers: 1, seed: 1), Course(workers: 3, seed: 2), Course(workers: 3, seed: 3, reportsEverything: true),
        Course(workers: 3, seed: 4, depth: 32, pace: 20),
        Course(workers: 4, seed: 5, capacity: Capacity(sessions: 6, tracks: 24, slots: 64)),
    ])
    func `whatever happens, everybody sees whom they should and no place is lost`(course: Course) async throws {
        var options = MediaDirector.Options()
        // Nobody here shakes hands, and many turns pass.
        options.connectTimeout = .max / 2
        let room = try MediaFixture(
            workers: course.workers, capacity: course.capacity, depth: course.depth, seed: course.seed,
            options: options)
        for worker in room.workers { worker.reportsEverything = course.reportsEverything }
        var random = SplitMix(seed: course.seed)
        var people: [ParticipantID: Person] = [:]
        var refused = 0
        for step in 1...3_000 {
            try await act(step, room, &people, &refused, &random)
            if Bool.random(using: &random) {
                room.clock.advance(milliseconds: 2)
                await room.director.poll()
            }
            for worker in room.workers where Bool.random(using: &random) { worker.turn(limit: course.pace) }
            await room.hear()
            if step.isMultiple(of: 150) {
                await room.rest()
                await check(room, people)
            }
            guard room.faults.isEmpty else { break }
        }
        #expect(room.faults.isEmpty, "\(room.faults.prefix(3))")
        await room.rest()
        await checkTold(room, people)
        for person in people.keys.sorted(by: { $0.rawValue < $1.rawValue }) { await room.director.disconnect(person) }
        await room.rest()
        #expect(await room.director.placesInUse() == [0, 0, 0])
        #expect(await room.director.isForgotten)
        #expect(room.workers.allSatisfy { $0.isEmpty })
        #expect(await room.director.currentStatistics().reclaimedPlaces == 0)
        if course.capacity.sessions == 6 { #expect(refused > 0, "the tables were never full") }
        if course.depth == 32 { #expect(await room.director.currentStatistics().delayedChanges > 0) }
    }

    // MARK: what happens

    private func act(
        _ step: Int, _ room: MediaFixture, _ people: inout [ParticipantID: Person], _ refused: inout Int,
        _ random: inout SplitMix
    ) async throws {
        let present = people.keys.sorted { $0.rawValue < $1.rawValue }
        let anyone = present.randomElement(using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0...2 where present.count < 40: try await enter(.named(step), step, room, &people, &refused, &random)
        case 3:
            guard let anyone else { return }
            people[anyone] = nil
            await room.director.disconnect(anyone)
        case 4...6:
            guard let anyone, var person = people[anyone] else { return }
            person.audio = Bool.random(using: &random)
            person.video = Bool.random(using: &random)
            let screen = Int.random(in: 0..<6, using: &random) == 0
            if screen, !person.screen { person.screenSince = step }
            person.screen = screen
            people[anyone] = person
            await room.director.setMediaState(
                anyone, PublishedMedia(audio: person.audio, video: person.video, screen: person.screen))
        case 7, 8:
            guard let anyone, var person = people[anyone] else { return }
            let list = present.shuffled(using: &random).prefix(Int.random(in: 0...6, using: &random))
            person.view = list.contains { $0 != anyone } ? list.filter { $0 != anyone } : nil
            people[anyone] = person
            await room.director.setView(anyone, MediaView(visible: Array(list)))
        default:
            guard let anyone, let track = await room.director.track(of: anyone, .audio) else { return }
            room.workers[track.worker].tell(
                .audioLevel(track, level: UInt8.random(in: 10...127, using: &random)))
            room.clock.advance(milliseconds: 150)
        }
    }

    private func enter(
        _ id: ParticipantID, _ step: Int, _ room: MediaFixture, _ people: inout [ParticipantID: Person],
        _ refused: inout Int, _ random: inout SplitMix
    ) async throws {
        var offer = FakeOffer()
        offer.microphone = Int.random(in: 0..<8, using: &random) > 0
        offer.camera = Int.random(in: 0..<8, using: &random) > 0
        offer.screen = offer.camera && Bool.random(using: &random)
        offer.videoSlots = Int.random(in: 0...6, using: &random)
        offer.screenSlots = Int.random(in: 0...1, using: &random)
        var person = Person(meeting: Self.meetings.randomElement(using: &random)!, serial: step, offer: offer)
        do {
            try await room.join(id, person.meeting, offer)
        } catch let error as MediaError {
            #expect(error.code == .full)
            refused += 1
            return
        }
        person.slots = await room.director.slots(of: id)
        people[id] = person
    }

    // MARK: the rules

    private func check(_ room: MediaFixture, _ people: [ParticipantID: Person]) async {
        #expect(room.workers.allSatisfy { $0.idleReplicas == 0 }, "a replica goes with the last who watches it")
        let isStarved = await room.director.currentStatistics().refusedReplicas > 0
        for (id, person) in people {
            let told = await room.director.slots(of: id)
            let others = people.filter { $0.key != id && $0.value.meeting == person.meeting }
            #expect(!told.contains { $0.participant == id }, "nobody sees himself")
            let filled = told.filter { $0.participant != nil }
            let shown = await room.shown(to: id)
            #expect(shown == Dictionary(uniqueKeysWithValues: filled.map { ($0.mid, $0.participant!) }))
            // A worker without a place for a replica leaves Slots empty; what is shown is right all the same.
            if isStarved { continue }
            let video = told.filter { $0.source == .video }.compactMap(\.participant)
            #expect(Set(video) == expectedVideo(person, others) && Set(video).count == video.count)
            let audio = told.filter { $0.source == .audio }.compactMap(\.participant)
            checkAudio(audio, others)
            let sharing = others.filter { $0.value.offer.screen && $0.value.screen }
            let first = sharing.min { $0.value.screenSince < $1.value.screenSince }?.key
            let screen = told.filter { $0.source == .screen }
            #expect(screen.isEmpty || screen.map(\.participant) == [first])
        }
    }

    private func expectedVideo(_ person: Person, _ others: [ParticipantID: Person]) -> Set<ParticipantID> {
        let order = person.view ?? others.keys.sorted { others[$0]!.serial < others[$1]!.serial }
        let on = order.filter { others[$0].map { $0.offer.camera && $0.video } ?? false }
        return Set(on.prefix(person.offer.videoSlots))
    }

    private func checkAudio(_ audio: [ParticipantID], _ others: [ParticipantID: Person]) {
        let open = others.filter { $0.value.offer.microphone && $0.value.audio }
        let publishing = others.count { $0.value.offer.microphone }
        #expect(Set(audio).count == audio.count && audio.count == min(3, publishing))
        #expect(audio.count { open[$0] != nil } == min(3, open.count), "the open ones come before the muted")
    }

    /// The changes told since each answer lead to what is so now.
    private func checkTold(_ room: MediaFixture, _ people: [ParticipantID: Person]) async {
        var now: [ParticipantID: [SlotAssignment]] = [:]
        for id in people.keys { now[id] = await room.director.slots(of: id) }
        var mirrors = people.mapValues(\.slots)
        for case .slots(let id, let changes) in await room.allUpdates() {
            for change in changes {
                guard let index = mirrors[id]?.firstIndex(where: { $0.mid == change.mid }) else { continue }
                #expect(mirrors[id]?[index] != change, "told, and not changed")
                mirrors[id]?[index] = change
            }
        }
        #expect(mirrors == now)
    }
}
