import Mailbox
import Testing
import Wire

@testable import Dataplane

/// Requests for keyframes cost the publisher bandwidth and every viewer quality: few, and none in vain.
@Suite(.serialized)
struct KeyframeRequestTests {
    @Test("viewers of two layers who ask in turns cost a request a second for the whole Track")
    func throttledPerTrack() throws {
        let world = try World(seed: 91)
        var (camera, viewer, _, ssrc) = pair(world, layers: 2, maxHeight: 360)
        let other = Peer(world, index: 3)
        let (slot, otherSsrc) = openSlot(other, index: 2)
        world.command(0, .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 720)))
        world.run(3)
        other.check()
        for number in 0..<40 {
            camera.frame(keyframe: number % 20 == 0)
            world.run(33)
        }
        #expect(viewer.inboxes[ssrc] != nil && other.inboxes[otherSsrc] != nil)
        camera.peer.keyframeRequests = []
        var seen = 0
        for number in 0..<150 {
            for (peer, media) in [(viewer, ssrc), (other, otherSsrc)] {
                peer.sendRTCP { _ = $0.addPictureLossIndication(senderSSRC: 1, mediaSSRC: media) }
                world.run(16)
            }
            // As libwebrtc does: keyframes on all layers.
            camera.frame(keyframe: camera.peer.keyframeRequests.count > seen)
            seen = camera.peer.keyframeRequests.count
            world.run(1)
            if number % 30 == 0 { for peer in world.peers { peer.check() } }
        }
        #expect((3...6).contains(camera.peer.keyframeRequests.count), "\(camera.peer.keyframeRequests) in 4.8 s")
    }

    @Test("an encoder that does not answer is asked less and less often")
    func unanswered() throws {
        let world = try World(seed: 92)
        var (camera, _, _, _) = pair(world)
        var first: Int?
        for number in 0..<900 {
            camera.frame(packets: 1)
            world.run(33)
            if number % 100 == 0 { for peer in world.peers { peer.check() } }
            if number == 30 { first = camera.peer.keyframeRequests.count }
        }
        #expect(first == 3, "0, 0.3 and 0.9 s")
        #expect((7...11).contains(camera.peer.keyframeRequests.count), "\(camera.peer.keyframeRequests.count) in 30 s")
    }

    @Test("a Track from which nothing comes is given up, and asked again when it goes on")
    func silentTrack() throws {
        let world = try World(seed: 93)
        var (camera, viewer, slot, ssrc) = pair(world)
        world.command(0, .mapSlot(MapSlot(slot: slot, track: .none, maxHeight: 0)))
        for number in 0..<30 {
            camera.frame(keyframe: number == 0)
            world.run(33)
        }
        world.run(5_000)
        world.command(0, .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 720)))
        camera.peer.keyframeRequests = []
        world.run(20_000)
        #expect((1...3).contains(camera.peer.keyframeRequests.count), "\(camera.peer.keyframeRequests.count) in 20 s")
        camera.peer.keyframeRequests = []
        for peer in world.peers { peer.check() }
        for _ in 0..<60 {
            camera.frame(keyframe: !camera.peer.keyframeRequests.isEmpty)
            world.run(33)
        }
        #expect(viewer.inboxes[ssrc] != nil)
    }

    @Test("who cannot be sent anything costs no keyframe")
    func viewerWithoutKeys() throws {
        let world = try World(seed: 94)
        let (camera, _, _, _) = pair(world)
        var source = camera
        for number in 0..<30 {
            source.frame(keyframe: number == 0)
            world.run(33)
        }
        camera.peer.keyframeRequests = []
        // A Session that has not finished its handshake.
        let session = SessionHandle(worker: 0, index: 9, generation: world.nextGeneration())
        let slot = SlotHandle(worker: 0, index: 9, generation: world.nextGeneration())
        var types = PayloadTypeMap()
        types[.vp8] = PayloadTypes(media: 120)
        world.command(
            0, .openSession(OpenSession(session: session, ufragSecret: 5, password: ShortText("secret")!)),
            .openSlot(
                OpenSlot(
                    slot: slot, session: session, kind: .video, mid: ShortText("s9")!, ssrc: 77, rtxSsrc: 0,
                    payloadTypes: types)),
            .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 720)))
        for _ in 0..<200 {
            source.frame()
            world.run(33)
        }
        #expect(camera.peer.keyframeRequests.isEmpty)
    }

    @Test("a layer that comes and goes is asked for less and less often")
    func flappingLayer() throws {
        let world = try World(seed: 95)
        var (camera, _, _, _) = pair(world, layers: 2)
        for number in 0..<30 {
            camera.frame(keyframe: number == 0)
            world.run(33)
        }
        camera.peer.keyframeRequests = []
        // 0.8 s with it and 0.8 s without it, beginning without a keyframe of its own.
        var seen = 0
        for number in 0..<900 {
            camera.frame(
                keyframe: camera.peer.keyframeRequests.count > seen, packets: 1,
                layers: number / 24 % 2 == 0 ? 0..<1 : 0..<2)
            seen = camera.peer.keyframeRequests.count
            world.run(33)
            if number % 100 == 0 { for peer in world.peers { peer.check() } }
        }
        #expect(camera.peer.keyframeRequests.count <= 18, "\(camera.peer.keyframeRequests.count) in 30 s")
    }
}
