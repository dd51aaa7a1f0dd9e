import Mailbox
import Testing
import Wire

@testable import Dataplane

/// What gets to the far ends of Lanes, and what comes back.
@Suite(.serialized)
struct LaneCarriageTests {
    @Test func siblingsAtTheFarPoPGetATrackThatCameOnce() throws {
        let trunk = try Trunk(seed: 60, workers: 2, on: (0, 0))
        var scene = LaneScene(trunk, viewers: 0)
        let world = trunk.worlds[1]
        let replica = TrackHandle(worker: 1, index: 9, generation: world.nextGeneration())
        let viewer = Peer(world, worker: 1, index: 12)
        let (slot, ssrc) = openSlot(viewer, index: 4)
        world.command(
            1,
            .openTrack(
                OpenTrack(
                    track: replica, source: .sibling(scene.far), mid: ShortText(), kind: .video, codec: .vp8,
                    payloadTypes: PayloadTypes(), layers: .init(repeating: LayerDescription()), layerCount: 1)))
        trunk.run(2)
        world.command(0, .feed(scene.far, replica: replica))
        world.command(1, .mapSlot(MapSlot(slot: slot, track: replica, maxHeight: 720)))
        viewer.check()
        trunk.run(10)
        scene.send(frames: 20)
        #expect(scene.copies == 60)
        #expect(try #require(viewer.inboxes[ssrc]).sequences.count == 60)
        viewer.sendRTCP { _ = $0.addPictureLossIndication(senderSSRC: 1, mediaSSRC: ssrc) }
        trunk.run(10)
        #expect(!scene.camera.peer.keyframeRequests.isEmpty, "a request goes the whole way back")
        world.command(1, .mapSlot(MapSlot(slot: slot, track: .none, maxHeight: 0)))
        scene.send(frames: 20)
        trunk.sent[0] = [:]
        scene.send(frames: 5)
        #expect(scene.copies == 0)
    }

    @Test func aRelayPassesOnWhatCameOverALane() throws {
        let trunk = try Trunk(seed: 61, path: .init(delay: 5, loss: 0.02), worlds: 3)
        var scene = LaneScene(trunk, viewers: 0)
        let last = trunk.carry(scene.far, index: 6, hop: 1)
        let viewer = Peer(trunk.worlds[2], index: 12)
        viewer.asksAgain = false
        let (slot, ssrc) = openSlot(viewer, index: 4)
        trunk.worlds[2].command(0, .mapSlot(MapSlot(slot: slot, track: last, maxHeight: 720)))
        trunk.run(2)
        viewer.check()
        trunk.run(130)
        scene.send(frames: 60)
        trunk.run(100)
        let sequences = Set(try #require(viewer.inboxes[ssrc]).sequences)
        #expect(sequences.count == 180, "each hop repairs its own losses")
        #expect(trunk.lost > 0)
        #expect(trunk.sent[1].values.reduce(0, +) >= 180)
        viewer.sendRTCP { _ = $0.addPictureLossIndication(senderSSRC: 1, mediaSSRC: ssrc) }
        scene.camera.peer.keyframeRequests = []
        trunk.run(700)
        #expect(!scene.camera.peer.keyframeRequests.isEmpty)
    }

    @Test func aKeyframeRequestIsAnsweredInARoundTrip() throws {
        let trunk = try Trunk(seed: 62, path: .init(delay: 40))
        var scene = LaneScene(trunk)
        scene.send(frames: 40)
        let viewer = scene.viewers[0]
        viewer.peer.sendRTCP { _ = $0.addPictureLossIndication(senderSSRC: 1, mediaSSRC: viewer.ssrc) }
        trunk.run(43)
        #expect(scene.camera.peer.keyframeRequests == scene.camera.ssrcs)
        scene.send(frames: 1)
        trunk.run(41)
        let last = try #require(viewer.peer.inboxes[viewer.ssrc]?.payloads[scene.got().max()! - 2])
        #expect(last[5] & 1 == 0, "a keyframe of VP8")
    }

    @Test func soundCrossesWithItsLevelsAndIsRepaired() throws {
        let trunk = try Trunk(seed: 63, path: .init(delay: 20, loss: 0.05))
        let publisher = Peer(trunk.worlds[0], index: 1)
        let track = TrackHandle(worker: 0, index: 1, generation: trunk.worlds[0].nextGeneration())
        trunk.worlds[0].command(
            0,
            .openTrack(
                OpenTrack(
                    track: track, source: .session(publisher.session), mid: ShortText("a")!, kind: .audio, codec: .opus,
                    payloadTypes: PayloadTypes(media: 111), layers: .init(repeating: LayerDescription(ssrc: 77)),
                    layerCount: 1)))
        trunk.run(3)
        publisher.check()
        let far = trunk.carry(track, index: 5, kind: .audio, codec: .opus)
        let viewer = Peer(trunk.worlds[1], index: 2)
        viewer.asksAgain = false
        let (slot, ssrc) = openSlot(viewer, index: 1, kind: .audio, rtx: false)
        trunk.worlds[1].command(0, .mapSlot(MapSlot(slot: slot, track: far, maxHeight: 0)))
        trunk.run(3)
        viewer.check()
        trunk.run(150)
        var levels: [UInt64: UInt8] = [:]
        viewer.takes = { _, sequence, packet, _ in
            levels[sequence] = packet.element(viewer.extensions.audioLevel)?[0]
            return true
        }
        for number in 0..<100 {
            publisher.sendRTP(
                ssrc: 77, payloadType: 111, index: UInt64(100 + number), timestamp: UInt32(number) * 960,
                payload: [UInt8(number), 2, 3], mid: "a", audioLevel: UInt8(number))
            trunk.run(20)
        }
        trunk.run(200)
        let inbox = try #require(viewer.inboxes[ssrc])
        let first = try #require(inbox.payloads.keys.min())
        #expect(trunk.lost > 0)
        #expect(inbox.payloads.count == 100 - Int(inbox.payloads[first]![0]))
        #expect(inbox.payloads.count > 95)
        for (sequence, payload) in inbox.payloads { #expect(levels[sequence] == payload[0]) }
        trunk.run(3_000)
        #expect(trunk.worlds[0].worker().pointee.cachedPackets == 0, "sound that is too old to be repaired")
    }

    @Test func aDescriptorCrossesAsALocalViewerGetsIt() throws {
        let trunk = try Trunk(seed: 64)
        var ids = Peer.defaultExtensions
        (ids.dependencyDescriptor, ids.slotDescriptor) = (12, 12)
        let publisher = Peer(trunk.worlds[0], index: 1, extensions: ids)
        let camera = Camera(publisher, index: 1)
        trunk.run(3)
        publisher.check()
        let far = trunk.carry(camera.track, index: 5)
        var seen: [[[UInt8]]] = [[], []]
        for (number, track) in [camera.track, far].enumerated() {
            let viewer = Peer(trunk.worlds[number], index: 9, extensions: ids)
            let (slot, _) = openSlot(viewer, index: 3)
            trunk.worlds[number].command(0, .mapSlot(MapSlot(slot: slot, track: track, maxHeight: 720)))
            trunk.run(3)
            viewer.check()
            viewer.takes = { _, _, packet, payload in
                seen[number].append(Array(packet.element(12)!) + payload)
                return true
            }
        }
        trunk.run(10)
        // L1T3's structure of the AV1 RTP specification (appendix A.10), then the mandatory fields alone, then a longer one.
        let structure: [UInt8] = [
            0x80, 0, 0, 0x80, 2, 0x14, 0xea, 0xa8, 0x60, 0x41, 0x4d, 0x14, 0x10, 0x20, 0x84, 0x27, 0x04, 0xff, 0x02,
            0xcf,
        ]
        for number in UInt8(0)..<12 {
            var descriptor = number == 0 ? structure : [0xc1, 0, number]
            if number > 0 && number % 3 == 0 { descriptor += [0x40] + [UInt8](repeating: 0, count: 20) }
            publisher.sendRTP(
                ssrc: camera.ssrcs[0], payloadType: Camera.payloadType, index: 300 + UInt64(number),
                timestamp: UInt32(number) * 3_000, marker: true,
                payload: [0x10, number == 0 ? 0 : 1, 0, 0, 0x9d, 1, 0x2a, 0x40, 1, 0xd0, 2, number], mid: "v1",
                descriptor: descriptor)
            trunk.run(10)
        }
        #expect(seen[0].count == seen[1].count && seen[0] == seen[1], "\(seen[0].count) and \(seen[1].count)")
        #expect(!seen[0].isEmpty)
    }

    @Test func thePublishersClockCrosses() throws {
        let trunk = try Trunk(seed: 65, path: .init(delay: 30))
        var scene = LaneScene(trunk)
        for second in 0..<3 {
            scene.send(frames: 20)
            let (now, ssrc) = (trunk.worlds[0].now, scene.camera.ssrcs[0])
            scene.camera.peer.sendRTCP(ssrc: ssrc) {
                _ = $0.addSenderReport(
                    ssrc: ssrc,
                    ntpTime: (1_000 + now / 1_000_000_000) << 32 | (now % 1_000_000_000) << 32 / 1_000_000_000,
                    rtpTimestamp: 90_000 + UInt32(20 * (second + 1)) * 3_000, packetCount: 1, octetCount: 1)
            }
            scene.send(frames: 20)
        }
        trunk.run(100)
        let near = trunk.worlds[0].worker().pointee.tracks.find(scene.camera.track)?.pointee.layers[0].clock
        let far = trunk.worlds[1].worker().pointee.tracks.find(scene.far)?.pointee.layers[0].clock
        let (before, after) = (try #require(near), try #require(far))
        let moment: UInt64 = 3_000_000_000
        let difference = Int32(
            bitPattern: before.timestamp(at: moment, clockRate: 90_000)
                &- after.timestamp(at: moment + 31_000_000, clockRate: 90_000))
        #expect(abs(difference) < 2 * 90, "\(difference) ticks apart but for the way")
    }

    @Test func reportsTellWhatALaneCarried() throws {
        let trunk = try Trunk(seed: 66, path: .init(delay: 25, loss: 0.03))
        var scene = LaneScene(trunk)
        trunk.worlds[0].events = []
        trunk.worlds[1].events = []
        scene.send(frames: 60, packets: 8)
        trunk.run(1_500)
        func report(_ number: Int) -> LaneReport? {
            trunk.worlds[number].events.compactMap {
                if case .laneReport(let lane, let report) = $0, lane == trunk.lanes[number] { report } else { nil }
            }.last
        }
        let (near, far) = (try #require(report(0)), try #require(report(1)))
        #expect(near.sentPackets == UInt64(scene.copies) && near.receivedPackets == 0)
        #expect(near.sentBytes > near.sentPackets * 120 && near.sentBytes < near.sentPackets * 200)
        #expect(far.receivedPackets == 480 && far.sentPackets == 0)
        #expect(far.missingPackets > 0 && far.missingPackets == far.repairedPackets)
        for report in [near, far] {
            #expect(abs(Int(report.roundTrip) - 52_000_000) < 5_000_000, "\(report.roundTrip)")
        }
    }
}
