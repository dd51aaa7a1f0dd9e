import Mailbox
import Testing
import Wire

@testable import Dataplane

/// Requests for keyframes cost the publisher bandwidth and every viewer quality: few, and none in vain.
@Suite(.serialized)
struct KeyframeRequestTests {
    /// A second of the camera, which begins with a keyframe; what was asked for meanwhile is forgotten.
    private func warmUp(_ camera: inout Camera, _ world: World) {
        for number in 0..<30 {
            camera.frame(keyframe: number == 0)
            world.run(33)
        }
        camera.peer.keyframeRequests = []
    }

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
        warmUp(&camera, world)
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

    @Test("what the publisher does not repeat is asked for as a keyframe, though no viewer asks, and once a keyframe")
    func neverRepeated() throws {
        let world = try World(seed: 98)
        var (camera, viewer, _, ssrc) = pair(world)
        warmUp(&camera, world)
        camera.frame(loses: { $0 == 1 })
        camera.peer.forgetSent()
        var askedAfter: Int?
        for number in 0..<200 {
            let isAsked = camera.peer.keyframeRequests.count == 1 && askedAfter == nil
            if isAsked { askedAfter = number * 33 }
            camera.frame(keyframe: isAsked)
            world.run(33)
            if number % 50 == 0 { for peer in world.peers { peer.check() } }
        }
        #expect(camera.peer.keyframeRequests.count == 1, "\(camera.peer.keyframeRequests)")
        #expect(
            try (400...700).contains(#require(askedAfter)), "8 requests each 60 ms come first: \(askedAfter ?? 0) ms")
        #expect(viewer.inboxes[ssrc] != nil)
    }

    @Test("what a keyframe has made needless is given up without another")
    func mendedByKeyframe() throws {
        let world = try World(seed: 99)
        var (camera, _, _, _) = pair(world)
        warmUp(&camera, world)
        camera.frame(loses: { $0 == 1 })
        camera.peer.forgetSent()
        for number in 0..<100 {
            camera.frame(keyframe: number == 5)
            world.run(33)
            if number % 50 == 0 { for peer in world.peers { peer.check() } }
        }
        #expect(camera.peer.keyframeRequests.isEmpty)
    }

    @Test("a receiver whose burst of loss ends is given a keyframe without asking")
    func endOfBurst() throws {
        let world = try World(seed: 100)
        var (camera, viewer, _, ssrc) = pair(world)
        func report(lost: UInt8) {
            viewer.sendRTCP { writer in
                withUnsafePointer(to: ReportBlock(ssrc: ssrc, fractionLost: lost)) {
                    _ = writer.addReceiverReport(ssrc: 1, blocks: UnsafeBufferPointer(start: $0, count: 1))
                }
            }
            for peer in world.peers { peer.check() }
            for number in 0..<40 {
                camera.frame(keyframe: number == 1 && !camera.peer.keyframeRequests.isEmpty)
                world.run(33)
            }
        }
        warmUp(&camera, world)
        for lost: UInt8 in [0, 20, 63, 0, 64, 255, 150] {
            report(lost: lost)
            #expect(camera.peer.keyframeRequests.isEmpty, "at \(lost) of 256")
        }
        report(lost: 10)
        #expect(camera.peer.keyframeRequests.count == 1)
        camera.peer.keyframeRequests = []
        report(lost: 10)
        #expect(camera.peer.keyframeRequests.isEmpty)
    }

    @Test("the end of a burst just after another keyframe waits for the next report")
    func endOfBurstTooSoon() throws {
        let world = try World(seed: 101)
        var (camera, viewer, _, ssrc) = pair(world)
        var answered = 0
        func go(_ frames: Int) {
            for _ in 0..<frames {
                camera.frame(keyframe: camera.peer.keyframeRequests.count > answered)
                answered = camera.peer.keyframeRequests.count
                world.run(33)
            }
        }
        func report(lost: UInt8) {
            viewer.sendRTCP { writer in
                withUnsafePointer(to: ReportBlock(ssrc: ssrc, fractionLost: lost)) {
                    _ = writer.addReceiverReport(ssrc: 1, blocks: UnsafeBufferPointer(start: $0, count: 1))
                }
            }
        }
        warmUp(&camera, world)
        report(lost: 200)
        go(40)
        viewer.sendRTCP { _ = $0.addPictureLossIndication(senderSSRC: 1, mediaSSRC: ssrc) }
        go(3)
        #expect(answered == 1)
        report(lost: 0)
        go(10)
        #expect(answered == 1)
        go(30)
        report(lost: 0)
        go(10)
        #expect(answered == 2)
        report(lost: 0)
        go(40)
        #expect(answered == 2)
    }

    @Test("a gap that is too long to repair ends at the next keyframe, without a gap for viewers", arguments: [0, 1])
    func longGap(viewerWorker: Int) throws {
        let world = try World(workers: 2, seed: 105)
        var (camera, viewer, _, ssrc) = pair(world, workers: (0, viewerWorker))
        warmUp(&camera, world)
        for _ in 0..<15 { camera.frame(loses: { _ in true }) }
        let before = try #require(viewer.inboxes[ssrc]?.highest)
        var asked = 0
        for _ in 0..<60 {
            camera.frame(keyframe: camera.peer.keyframeRequests.count > asked)
            asked = camera.peer.keyframeRequests.count
            world.run(33)
        }
        let inbox = try #require(viewer.inboxes[ssrc])
        #expect(asked == 1)
        #expect(inbox.missing.isEmpty && Set(inbox.sequences).count == inbox.sequences.count)
        let highest = try #require(inbox.highest)
        #expect(highest > before + 100 && inbox.sequences.max() == highest)
        #expect(inbox.sequences.filter { $0 > before }.sorted() == Array((before + 1)...highest))
    }

    @Test("what is asked for too late is answered by an empty repetition and a keyframe, so that nobody waits for it")
    func tooLate() throws {
        let world = try World(seed: 106)
        var (camera, viewer, _, ssrc) = pair(world)
        warmUp(&camera, world)
        // The viewer's network is down for as long as packets are kept, and nothing is sent meanwhile.
        world.port.outbound.loss = 1
        camera.frame()
        world.run(5)
        world.port.outbound.loss = 0
        world.run(3_000)
        for peer in world.peers { peer.check() }
        #expect(camera.peer.keyframeRequests.isEmpty)
        for _ in 0..<30 {
            camera.frame(keyframe: !camera.peer.keyframeRequests.isEmpty)
            world.run(33)
        }
        let inbox = try #require(viewer.inboxes[ssrc])
        #expect(inbox.missing.isEmpty)
        #expect(inbox.payloads.values.count(where: \.isEmpty) == 2, "the frame that was lost; its last packet is kept")
        #expect(camera.peer.keyframeRequests.count == 1)
    }

    @Test("who cannot be sent anything costs no keyframe")
    func viewerWithoutKeys() throws {
        let world = try World(seed: 94)
        let (camera, _, _, _) = pair(world)
        var source = camera
        warmUp(&source, world)
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
        warmUp(&camera, world)
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
