import Mailbox
import Testing
import Wire

@testable import Dataplane

@Suite(.serialized)
struct ForwardingTests {
    @Test(arguments: SRTPProfile.allCases)
    func cameraReachesTheViewer(profile: SRTPProfile) throws {
        let world = try World(seed: 1)
        var (camera, viewer, _, ssrc) = pair(world, profile: profile)
        #expect(viewer.bindingResponses == 1)
        for number in 0..<30 {
            camera.frame(keyframe: number == 0)
            world.run(33)
        }
        world.run(60)
        let inbox = try #require(viewer.inboxes[ssrc])
        #expect(inbox.sequences.count == 90)
        #expect(zip(inbox.sequences, inbox.sequences.dropFirst()).allSatisfy { $1 == $0 + 1 })
        #expect(inbox.missing.isEmpty)
        #expect(viewer.senderReports.contains(ssrc))
        #expect(camera.peer.receiverReports >= 1)
        #expect(camera.peer.feedback.reduce(0) { $0 + $1.received } == 90)
        #expect(world.worker().pointee.counters[.forwardedPackets] == 90)
    }

    @Test func nothingIsShownBeforeAKeyframeAndOneIsAskedFor() throws {
        let world = try World(seed: 2)
        var (camera, viewer, _, ssrc) = pair(world)
        camera.frame()
        world.run(30)
        #expect(viewer.inboxes[ssrc] == nil)
        #expect(camera.peer.keyframeRequests == [camera.ssrcs[0]])
        camera.frame(keyframe: true)
        world.run(5)
        #expect(viewer.inboxes[ssrc]?.sequences.count == 3)
    }

    @Test func manyKeyframeRequestsBecomeFew() throws {
        let world = try World(seed: 3)
        var (camera, viewer, _, ssrc) = pair(world)
        camera.frame(keyframe: true)
        world.run(10)
        let before = camera.peer.keyframeRequests.count
        var answered = before
        for _ in 0..<500 {
            viewer.sendRTCP { _ = $0.addPictureLossIndication(senderSSRC: 1, mediaSSRC: ssrc) }
            world.run(5)
            if camera.peer.keyframeRequests.count > answered {
                answered = camera.peer.keyframeRequests.count
                camera.frame(keyframe: true)
            }
        }
        let asked = camera.peer.keyframeRequests.count - before
        #expect(asked >= 2 && asked <= 3, "\(asked) requests in 2.5 s")
    }

    @Test func eachSourceOfAPeerCountsItsOwnRTCP() throws {
        let world = try World(seed: 9)
        let (_, viewer, _, ssrc) = pair(world)
        for sender in [UInt32(1), 2, 3] {
            viewer.sendRTCP(ssrc: sender) { _ = $0.addPictureLossIndication(senderSSRC: sender, mediaSSRC: ssrc) }
        }
        world.run(2)
        #expect(world.worker().pointee.counters[.keyframeRequestsReceived] == 3)
        #expect(world.worker().pointee.counters[.srtpReplay] == 0)
    }

    @Test(arguments: [UInt64(11), 12, 13])
    func everyPacketArrivesInTheEndOverABadNetwork(seed: UInt64) throws {
        let link = MemoryPort.Link(
            loss: 0.05, duplication: 0.02, reordering: 0.05, delay: 20_000_000, jitter: 5_000_000)
        let world = try World(seed: seed, inbound: link, outbound: link)
        var (camera, viewer, _, ssrc) = pair(world)
        for _ in 0..<3 {
            // Checks may be lost.
            camera.peer.check()
            viewer.check()
            world.run(60)
        }
        for number in 0..<200 {
            camera.frame(keyframe: number % 50 == 0 || !camera.peer.keyframeRequests.isEmpty)
            camera.peer.keyframeRequests = []
            world.run(33)
        }
        world.run(800)
        let inbox = try #require(viewer.inboxes[ssrc])
        let missing = inbox.missing.count
        #expect(inbox.payloads.count > 540)
        #expect(missing <= 3, "\(missing) of \(inbox.payloads.count) never came")
        #expect(viewer.retransmissionsReceived > 10)
        #expect(camera.peer.nacksReceived > 10)
    }

    /// 60 ms to the viewer and back, as its report says.
    @Test func whoAsksOftenGetsAPacketOnceARoundTrip() throws {
        let link = MemoryPort.Link(delay: 30_000_000)
        let world = try World(seed: 10, inbound: link, outbound: link)
        var (camera, viewer, _, ssrc) = pair(world)
        viewer.asksAgain = false
        for number in 0..<40 {
            camera.frame(keyframe: number == 0)
            world.run(33)
        }
        let report = try #require(viewer.clocks.last { $0.ssrc == ssrc })
        let delay = UInt32((world.now - report.at) * 65_536 / 1_000_000_000)
        let block = ReportBlock(
            ssrc: ssrc, lastSenderReport: UInt32(truncatingIfNeeded: report.ntp >> 16),
            delaySinceLastSenderReport: delay)
        viewer.sendRTCP { writer in
            withUnsafePointer(to: block) {
                _ = writer.addReceiverReport(ssrc: 1, blocks: UnsafeBufferPointer(start: $0, count: 1))
            }
        }
        let number = try UInt16(truncatingIfNeeded: #require(viewer.inboxes[ssrc]?.highest))
        let ask = {
            viewer.sendRTCP { writer in
                [number, number, number].withUnsafeBufferPointer {
                    _ = writer.addNack(senderSSRC: 1, mediaSSRC: ssrc, sequences: $0)
                }
            }
        }
        for _ in 0..<60 {
            ask()
            world.run(5)
        }
        world.run(100)
        // In 300 ms.
        #expect((4...5).contains(viewer.retransmissionsReceived), "\(viewer.retransmissionsReceived)")
        #expect(world.worker().pointee.counters[.resendsHeldBack] >= 55)
        for _ in 0..<600 {
            ask()
            world.run(5)
        }
        #expect(viewer.retransmissionsReceived <= 10)
    }

    @Test func aChangeOfSourceGoesOnWhereTheLastEnded() throws {
        let world = try World(seed: 4)
        var (first, viewer, slot, ssrc) = pair(world)
        let other = Peer(world, index: 3)
        var second = Camera(other, index: 2)
        world.run(3)
        other.check()
        world.run(5)
        for number in 0..<5 {
            first.frame(keyframe: number == 0)
            second.frame(keyframe: number == 0)
            world.run(33)
        }
        world.command(0, .mapSlot(MapSlot(slot: slot, track: second.track, maxHeight: 720)))
        world.run(5)
        #expect(other.keyframeRequests == [second.ssrcs[0]])
        second.frame()
        world.run(33)
        for number in 0..<5 {
            second.frame(keyframe: number == 0)
            world.run(33)
        }
        let inbox = try #require(viewer.inboxes[ssrc])
        #expect(inbox.sequences.count == 30)
        #expect(zip(inbox.sequences, inbox.sequences.dropFirst()).allSatisfy { $1 == $0 + 1 })
        #expect(zip(inbox.timestamps, inbox.timestamps.dropFirst()).allSatisfy { $1 &- $0 <= 9_100 })
        let pictures = inbox.sequences.map { number -> Int in
            let payload = inbox.payloads[number]!
            return Int(payload[2] & 0x7f) << 8 | Int(payload[3])
        }
        #expect(zip(pictures, pictures.dropFirst()).allSatisfy { ($1 - $0) & 0x7fff <= 1 }, "\(pictures)")
        let temporals = inbox.sequences.map { inbox.payloads[$0]![4] }
        #expect(zip(temporals, temporals.dropFirst()).allSatisfy { $1 &- $0 <= 1 })
    }

    @Test func theLayerThatFitsTheTileIsShown() throws {
        let world = try World(seed: 5)
        var (camera, viewer, slot, ssrc) = pair(world, layers: 3, maxHeight: 360, names: true)
        func shown() -> Set<UInt8> {
            let payloads =
                viewer.inboxes[ssrc].map { $0.sequences.suffix(6).compactMap { viewer.inboxes[ssrc]!.payloads[$0] } }
                ?? []
            return Set(payloads.map { $0[$0.count - 103] })
        }
        for number in 0..<10 {
            camera.frame(keyframe: number % 5 == 0, mid: "v1", rids: true)
            world.run(33)
        }
        #expect(shown() == [1])
        world.command(0, .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 1_080)))
        for number in 0..<10 {
            camera.frame(keyframe: number % 5 == 4, mid: "v1", rids: true)
            world.run(33)
        }
        #expect(shown() == [2])
        // The publisher stops its upper layers: what is left is shown.
        for number in 0..<90 {
            camera.frame(keyframe: number % 5 == 4, layers: 0..<1, mid: "v1", rids: true)
            world.run(33)
        }
        #expect(shown() == [0])
        let inbox = try #require(viewer.inboxes[ssrc])
        #expect(inbox.missing.isEmpty)
    }

    @Test func tracksCrossWorkersByRing() throws {
        let world = try World(workers: 2, seed: 6)
        // All frames come in on the first queue: what is the other worker's is handed over.
        var (camera, viewer, _, ssrc) = pair(world, workers: (0, 1))
        camera.frame()
        world.run(40)
        #expect(camera.peer.keyframeRequests == [camera.ssrcs[0]], "the replica's request reaches the publisher")
        for number in 0..<30 {
            camera.frame(keyframe: number == 0)
            world.run(33)
        }
        let inbox = try #require(viewer.inboxes[ssrc])
        #expect(inbox.sequences.count == 90)
        #expect(world.worker(1).pointee.counters[.forwardedPackets] == 90)
    }

    @Test func lossOfTheViewerIsRepairedFromTheCacheAndTheSameWithoutRtx() throws {
        let world = try World(seed: 7, outbound: .init(loss: 0.1))
        let publisher = Peer(world, index: 1)
        let viewer = Peer(world, index: 2)
        var camera = Camera(publisher, index: 1)
        let (slot, ssrc) = openSlot(viewer, index: 1, rtx: false)
        world.command(0, .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 720)))
        world.run(3)
        publisher.check()
        viewer.check()
        world.run(5)
        for number in 0..<100 {
            camera.frame(keyframe: number == 0)
            world.run(33)
        }
        world.run(500)
        let inbox = try #require(viewer.inboxes[ssrc])
        #expect(inbox.missing.isEmpty)
        #expect(world.worker().pointee.counters[.retransmittedPackets] > 10)
    }

    @Test func audioChangesItsSourceAtOnce() throws {
        let world = try World(seed: 8)
        let speaker = Peer(world, index: 1)
        let viewer = Peer(world, index: 2)
        let (slot, ssrc) = openSlot(viewer, index: 1, kind: .audio, rtx: false)
        let track = TrackHandle(worker: 0, index: 1, generation: world.nextGeneration())
        world.command(
            0,
            .openTrack(
                OpenTrack(
                    track: track, source: .session(speaker.session), mid: ShortText("a")!, kind: .audio, codec: .opus,
                    payloadTypes: PayloadTypes(media: 111), layers: .init(repeating: LayerDescription()),
                    layerCount: 1)),
            .mapSlot(MapSlot(slot: slot, track: track, maxHeight: 0)))
        world.run(3)
        speaker.check()
        viewer.check()
        world.run(5)
        for number in 0..<50 {
            speaker.sendRTP(
                ssrc: 77, payloadType: 111, index: UInt64(number + 5), timestamp: UInt32(number * 960),
                payload: [1, 2, 3, UInt8(number)], mid: "a", audioLevel: 20)
            world.run(20)
        }
        #expect(viewer.inboxes[ssrc]?.sequences.count == 50)
        world.run(500)
        let levels = world.events.compactMap { event -> UInt8? in
            if case .audioLevel(track, let level) = event { level } else { nil }
        }
        #expect(levels.count >= 5 && levels.count <= 9, "\(levels)")
        #expect(levels.last == 127)
    }
}
