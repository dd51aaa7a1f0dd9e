import Mailbox
import Meetings
import Testing
import Wire

@testable import Conference

/// What viewers are told of their own line.
@Suite struct MediaPathTests {
    private let ann = ParticipantID.named(1)
    private let bob = ParticipantID.named(2)

    private func tell(_ room: MediaFixture, _ event: Event) async {
        room.workers[0].tell(event)
        await room.rest()
    }

    @Test func `a paused picture is told by its m-line, and not of a Track that has left the Slot`() async throws {
        let room = try MediaFixture(workers: 1)
        try await room.enter(ann)
        try await room.enter(bob)
        let slot = try #require(await room.director.videoSlot(of: bob, showing: ann))
        let camera = try #require(await room.director.camera(of: ann))
        let other = try #require(await room.director.camera(of: bob))
        await tell(room, .slotPaused(slot.handle, track: other))
        await tell(room, .slotPaused(.none, track: camera))
        await tell(room, .slotPaused(slot.handle, track: camera))
        let told = await room.allUpdates().filter { if case .slotPaused = $0 { true } else { false } }
        #expect(told == [.slotPaused(bob, mid: slot.mid)])
    }

    @Test func `a report of the path is told to whom it leads`() async throws {
        let room = try MediaFixture(workers: 1)
        try await room.enter(ann)
        let session = try await room.enter(bob)
        await tell(room, .pathReport(.none, PathReport()))
        for level in [PathReport.Level.good, .unstable, .poor] {
            var report = PathReport()
            report.level = level
            report.estimate = 150_000
            await tell(room, .pathReport(session, report))
        }
        let told = await room.allUpdates().filter { if case .quality = $0 { true } else { false } }
        let levels: [MediaQuality.Level] = [.good, .unstable, .poor]
        #expect(told == levels.map { .quality(bob, MediaQuality(level: $0, estimate: 150_000)) })
    }
}

extension MediaDirector {
    fileprivate func videoSlot(of viewer: ParticipantID, showing participant: ParticipantID) -> (
        handle: SlotHandle, mid: String
    )? {
        members[viewer]?.slots.first { $0.kind == .video && $0.occupant == participant }.map { ($0.handle, $0.mid) }
    }

    fileprivate func camera(of participant: ParticipantID) -> TrackHandle? {
        members[participant]?.tracks[.camera]?.handle
    }
}
