import Mailbox
import Meetings
import Testing
import Wire

@testable import Conference

/// What publishers are told of the layers that anybody wants.
@Suite struct MediaWantedTests {
    private let ann = ParticipantID.named(1)

    /// What `ann` was told so far, in order.
    private func told(_ room: MediaFixture) async -> [WantedLayers] {
        await room.allUpdates().compactMap { update in
            if case .layersWanted(ann, let wanted) = update { wanted } else { nil }
        }
    }

    private func want(_ room: MediaFixture, _ bits: UInt8, of track: TrackHandle) async {
        room.workers[track.worker].tell(.layersWanted(track, LayerSet(bits: bits)))
        await room.rest()
    }

    @Test func `wanted layers are told by the rids of the publisher's offer`() async throws {
        let room = try MediaFixture(workers: 1)
        try await room.enter(ann, .test, FakeOffer(screen: true))
        let camera = try #require(await room.director.publishedTrack(of: ann, .camera))
        let screen = try #require(await room.director.publishedTrack(of: ann, .screen))
        await want(room, 0b101, of: camera)
        await want(room, 0b010, of: screen)
        await want(room, 0, of: camera)
        #expect(
            await told(room) == [
                WantedLayers(mid: "1", rids: ["q", "f"]), WantedLayers(mid: "2", rids: ["h"]),
                WantedLayers(mid: "1", rids: []),
            ])
    }

    @Test func `an encoding without a rid is wanted or not`() {
        var layers = InlineArray<3, LayerDescription>(repeating: LayerDescription())
        layers[0].ssrc = 7
        let track = OpenTrack(
            track: .none, source: .session(.none), mid: ShortText("0")!, kind: .video, codec: .vp8,
            payloadTypes: PayloadTypes(media: 96), layers: layers, layerCount: 1)
        #expect(WantedLayers(LayerSet(bits: 1), of: track) == WantedLayers(mid: "0", isWanted: true))
        #expect(WantedLayers(LayerSet(), of: track) == WantedLayers(mid: "0", isWanted: false))
    }

    @Test func `who may have missed it is told the latest again`() async throws {
        let room = try MediaFixture(workers: 1)
        try await room.enter(ann)
        await room.director.repeatWantedLayers(of: ann)
        await room.director.repeatWantedLayers(of: .named(9))
        let camera = try #require(await room.director.publishedTrack(of: ann, .camera))
        await want(room, 0b001, of: camera)
        await want(room, 0b100, of: camera)
        await room.director.repeatWantedLayers(of: ann)
        #expect(await told(room).map(\.rids) == [["q"], ["f"], ["f"]])
    }

    @Test func `a Track of another session says nothing of this one's`() async throws {
        let room = try MediaFixture(workers: 1)
        try await room.enter(ann)
        let old = try #require(await room.director.publishedTrack(of: ann, .camera))
        try await room.enter(ann)
        let new = try #require(await room.director.publishedTrack(of: ann, .camera))
        #expect(old != new)
        await want(room, 0b001, of: old)
        await room.director.repeatWantedLayers(of: ann)
        #expect(await told(room).isEmpty)
    }
}

extension MediaDirector {
    fileprivate func publishedTrack(of participant: ParticipantID, _ role: SourceRole) -> TrackHandle? {
        members[participant]?.tracks[role]?.handle
    }
}
