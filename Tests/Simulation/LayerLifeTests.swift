import Mailbox
import Testing
import Wire

@testable import Dataplane

/// A layer lives by its pictures, at its own pace.
@Suite(.serialized)
struct LayerLifeTests {
    /// The layers of the latest packets that the viewer got.
    private func shown(_ viewer: Peer, _ ssrc: UInt32, latest count: Int = 3) -> Set<UInt8> {
        guard let inbox = viewer.inboxes[ssrc] else { return [] }
        let pictures = inbox.sequences.compactMap { inbox.payloads[$0] }.filter { $0.count >= 103 }
        return Set(pictures.suffix(count).map { $0[$0.count - 103] })
    }

    @Test("packets of padding keep no layer alive", arguments: [0, 1])
    func paddingIsNoPicture(worker: Int) throws {
        let world = try World(workers: 2, seed: 81)
        var (camera, viewer, _, ssrc) = pair(world, workers: (0, worker), layers: 2)
        for number in 0..<30 {
            camera.frame(keyframe: number == 0)
            world.run(33)
        }
        #expect(shown(viewer, ssrc) == [1])
        var waited = 0
        camera.peer.keyframeRequests = []
        while shown(viewer, ssrc, latest: 1) != [0] && waited < 5_000 {
            camera.frame(keyframe: camera.peer.keyframeRequests.contains(camera.ssrcs[0]), layers: 0..<1)
            for _ in 0..<3 {
                camera.pad(layer: 1)
                world.run(11)
            }
            waited += 33
        }
        #expect(waited < 900, "\(waited) ms")
        #expect(!camera.peer.keyframeRequests.contains(camera.ssrcs[1]))
    }

    @Test("padding before the first picture starts no layer")
    func paddingFirst() throws {
        let world = try World(seed: 82)
        var (camera, _, _, _) = pair(world, layers: 2)
        for _ in 0..<20 {
            camera.pad(layer: 1)
            world.run(20)
        }
        #expect(!world.events.contains { if case .layerStarted = $0 { true } else { false } })
        #expect(camera.peer.keyframeRequests.isEmpty)
    }

    @Test(
        "a still screen and a starved camera keep their layers without keyframe requests",
        arguments: [500, 1_000, 2_000])
    func slowPictures(interval: Int) throws {
        let world = try World(seed: 83)
        var (camera, viewer, _, ssrc) = pair(world, layers: 3)
        for number in 0..<60 {
            camera.frame(keyframe: number == 0)
            world.run(33)
        }
        #expect(shown(viewer, ssrc) == [2])
        camera.peer.keyframeRequests = []
        let before = viewer.inboxes[ssrc]!.payloads.count
        let frames = 40_000 / interval
        for number in 0..<frames {
            // The layers of a picture come one after the other, in changing order.
            for layer in [[0, 1, 2], [2, 0, 1], [1, 2, 0]][number % 3] {
                camera.frame(packets: 1, layers: layer..<layer + 1)
                world.run(40)
            }
            world.run(interval - 120)
            if number % 5 == 0 { for peer in world.peers { peer.check() } }
        }
        #expect(camera.peer.keyframeRequests.isEmpty)
        #expect(viewer.inboxes[ssrc]!.payloads.count == before + frames)
        #expect(shown(viewer, ssrc) == [2])
    }

    @Test("a slow layer that stops is replaced, later than a fast one")
    func slowLayerStops() throws {
        let world = try World(seed: 84)
        var (camera, viewer, _, ssrc) = pair(world, layers: 2)
        for number in 0..<20 {
            camera.frame(keyframe: number == 0)
            world.run(1_000)
            for peer in world.peers { peer.check() }
        }
        #expect(shown(viewer, ssrc) == [1])
        var waited = 0
        while shown(viewer, ssrc, latest: 1) != [0] && waited < 20_000 {
            camera.frame(keyframe: !camera.peer.keyframeRequests.isEmpty, layers: 0..<1)
            world.run(1_000)
            waited += 1_000
        }
        #expect(waited > 2_000 && waited <= 6_000, "\(waited) ms")
    }
}
