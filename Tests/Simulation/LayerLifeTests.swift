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

    /// OBS names its best layer 0.
    @Test("the order of layers is learnt from the pictures, whatever they are called")
    func orderByHeight() throws {
        let world = try World(seed: 85)
        let (_, viewer, slot, ssrc) = pair(world)
        let publisher = Peer(world, index: 3)
        let track = TrackHandle(worker: 0, index: 3, generation: world.nextGeneration())
        let descriptions = InlineArray<3, LayerDescription> { LayerDescription(rid: ShortText("\($0)")!) }
        world.command(
            0,
            .openTrack(
                OpenTrack(
                    track: track, source: .session(publisher.session), mid: ShortText("v")!, kind: .video, codec: .h264,
                    payloadTypes: PayloadTypes(media: 102), layers: descriptions, layerCount: 3)))
        var types = PayloadTypeMap()
        types[.h264] = PayloadTypes(media: 120)
        let (h264, h264Ssrc) = (SlotHandle(worker: 0, index: 7, generation: world.nextGeneration()), UInt32(770_000))
        world.command(
            0, .mapSlot(MapSlot(slot: slot, track: .none, maxHeight: 0)),
            .openSlot(
                OpenSlot(
                    slot: h264, session: viewer.session, kind: .video, mid: ShortText("s7")!, ssrc: h264Ssrc,
                    rtxSsrc: 0,
                    payloadTypes: types)),
            .mapSlot(MapSlot(slot: h264, track: track, maxHeight: 720)))
        world.run(3)
        publisher.check()
        // 1080, 720 and 360 rows; the last by hand: profile 66, 40 x 23 macroblocks, 8 rows cropped.
        let parameters: [[UInt8]] = [
            [0x67, 0x42, 0xc0, 0x28, 0x8c, 0x8d, 0x40, 0x3c, 0x01, 0x13, 0xf2, 0xc0, 0x3c, 0x22, 0x11, 0xa8],
            [0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40, 0x28, 0x02, 0xdd, 0x00, 0xf0, 0x88, 0x46, 0xa0],
            [0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xbf, 0xe5, 0x40],
        ]
        var number: UInt64 = 10
        func send(_ pictures: Int) {
            for _ in 0..<pictures {
                for layer in 0..<3 {
                    publisher.sendRTP(
                        ssrc: UInt32(900 + layer), payloadType: 102, index: number * 2,
                        timestamp: UInt32(number * 3_000),
                        payload: parameters[layer], mid: "v", rid: "\(layer)")
                    publisher.sendRTP(
                        ssrc: UInt32(900 + layer), payloadType: 102, index: number * 2 + 1,
                        timestamp: UInt32(number * 3_000), marker: true, payload: [0x65, UInt8(layer), 1, 2], mid: "v",
                        rid: "\(layer)")
                }
                number += 1
                world.run(33)
            }
        }
        for (maxHeight, layer) in [(UInt16(720), UInt8(1)), (360, 2), (180, 2), (1_080, 0)] {
            world.command(0, .mapSlot(MapSlot(slot: h264, track: track, maxHeight: maxHeight)))
            send(20)
            let inbox = try #require(viewer.inboxes[h264Ssrc])
            let latest = inbox.sequences.compactMap { inbox.payloads[$0] }.last { $0[0] == 0x65 }
            #expect(latest?[1] == layer, "a tile of \(maxHeight) rows")
        }
        #expect(world.worker().pointee.tracks.find(track)?.pointee.lowestLayer == 2)
        _ = ssrc
    }
}
