import Mailbox
import Testing
import Wire

@testable import Dataplane

/// What a viewer sees when a publisher's stream breaks, whatever broke it.
@Suite(.serialized)
struct ContinuityTests {
    /// One VP8 packet that is a frame, on any SSRC of the first layer.
    private func send(_ camera: Camera, ssrc: UInt32, index: UInt64, number: Int, isKeyframe: Bool, tag: UInt8) {
        let header: [UInt8] = [0x90, 0xc0, 0x80, 5, 1, isKeyframe ? 0 : 1, 0, 0, 0x9d, 1, 0x2a, 0x40, 1, 0xd0, 2]
        camera.peer.sendRTP(
            ssrc: ssrc, payloadType: Camera.payloadType, index: index, timestamp: UInt32(number) * 3_000,
            marker: true, payload: header + [UInt8](repeating: tag, count: 100), mid: "v1", rid: "q")
    }

    @Test("a publisher's new SSRC is shown, here and on other workers", arguments: [0, 1])
    func newSsrc(worker: Int) throws {
        let world = try World(workers: 2, seed: 51)
        let (camera, viewer, _, ssrc) = pair(world, workers: (0, worker), names: true)
        for number in 0..<60 {
            send(camera, ssrc: 900, index: UInt64(20_000 + number), number: number, isKeyframe: number == 0, tag: 1)
            world.run(10)
        }
        #expect(viewer.inboxes[ssrc]?.payloads.count == 60)
        for number in 0..<100 {
            send(camera, ssrc: 901, index: UInt64(100 + number), number: number, isKeyframe: number == 0, tag: 2)
            world.run(10)
        }
        let inbox = try #require(viewer.inboxes[ssrc])
        #expect(inbox.payloads.count == 160)
        #expect(inbox.missing.isEmpty)
    }

    @Test("one SRTP index never seals two contents, also when the publisher's numbers repeat")
    func noIndexTwice() throws {
        let world = try World(seed: 52)
        let (camera, viewer, _, ssrc) = pair(world, names: true, rtx: false)
        for round in 0..<2 {
            for number in 0..<60 {
                send(
                    camera, ssrc: UInt32(900 + round), index: UInt64(1_000 + number), number: number,
                    isKeyframe: number == 0, tag: UInt8(round * 100 + number))
                world.run(10)
            }
        }
        let sequences = try #require(viewer.inboxes[ssrc]).sequences
        #expect(sequences.count == 120)
        // The simulated peer fails the test when a number comes with another content.
        for sequence in sequences.prefix(60) {
            viewer.sendRTCP { writer in
                [UInt16(truncatingIfNeeded: sequence)].withUnsafeBufferPointer {
                    _ = writer.addNack(senderSSRC: 1, mediaSSRC: ssrc, sequences: $0)
                }
            }
            world.run(25)
        }
    }

    @Test("a packet that is sent again under its own number is the same to the bit", arguments: [UInt8(0xff), 121])
    func sameToTheBit(rtxType: UInt8) throws {
        let world = try World(seed: 58)
        let (camera, viewer, _, _) = pair(world, names: true)
        let slot = SlotHandle(worker: 0, index: 2, generation: world.nextGeneration())
        let ssrc: UInt32 = 600_000
        var types = PayloadTypeMap()
        types[.vp8] = PayloadTypes(media: 120, rtx: rtxType)
        let open = OpenSlot(
            slot: slot, session: viewer.session, kind: .video, mid: ShortText("s2")!, ssrc: ssrc, rtxSsrc: 0,
            payloadTypes: types)
        world.command(
            0, .openSlot(open), .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 720)))
        world.run(3)
        var sent: [UInt16: [[UInt8]]] = [:]
        world.onFrame = { frame in
            frame.withUnsafeBytes { bytes in
                guard let datagram = DatagramFrame(bytes), datagram.destination == viewer.endpoint,
                    let header = RTPPacket(encrypted: datagram.payload), header.ssrc == ssrc
                else { return }
                sent[header.sequence, default: []].append(Array(datagram.payload))
            }
        }
        for number in 0..<5 {
            send(camera, ssrc: 900, index: UInt64(1_000 + number), number: number, isKeyframe: number == 0, tag: 1)
            world.run(10)
        }
        #expect(sent.count == 5)
        for sequence in sent.keys.sorted() {
            viewer.sendRTCP { writer in
                [sequence].withUnsafeBufferPointer { _ = writer.addNack(senderSSRC: 1, mediaSSRC: ssrc, sequences: $0) }
            }
            world.run(5)
        }
        #expect(sent.values.allSatisfy { $0.count == 2 && $0[0] == $0[1] })
    }

    @Test("a leap of the publisher's numbers does not make the receiver lose count")
    func leap() throws {
        let world = try World(seed: 53)
        let (camera, viewer, _, ssrc) = pair(world, names: true)
        var index: UInt64 = 10
        for number in 0..<6 {
            index += 30_000
            send(camera, ssrc: 900, index: index, number: number, isKeyframe: true, tag: 1)
            world.run(400)
        }
        let sequences = try #require(viewer.inboxes[ssrc]).sequences
        #expect(sequences.count == 6)
        #expect(zip(sequences, sequences.dropFirst()).allSatisfy { $1 == $0 + 1 }, "\(sequences)")
    }

    @Test("SSRCs that change all the time are bounded")
    func churn() throws {
        let world = try World(seed: 54)
        let (camera, _, _, _) = pair(world, names: true)
        let before = world.events.count
        for number in 0..<1_000 {
            send(camera, ssrc: UInt32(1_000 + number), index: 5, number: 0, isKeyframe: true, tag: 1)
            if number % 20 == 0 { world.run(1) }
        }
        world.run(5)
        #expect(world.events.count - before <= 4)
        #expect(world.worker().pointee.counters[.rtpUnknownSource] >= 990)
    }

    @Test("the picture id goes on after a packet that has none")
    func pictureAfterPadding() throws {
        let world = try World(seed: 55)
        var (camera, viewer, slot, ssrc) = pair(world)
        let other = Peer(world, index: 3)
        var second = Camera(other, index: 2)
        world.run(3)
        other.check()
        world.run(3)
        for number in 0..<5 {
            camera.frame(keyframe: number == 0)
            world.run(33)
        }
        camera.peer.sendRTP(
            ssrc: camera.ssrcs[0], payloadType: Camera.payloadType, index: 65_515, timestamp: 105_000,
            payload: [0x10, 0, 0])
        world.run(5)
        world.command(0, .mapSlot(MapSlot(slot: slot, track: second.track, maxHeight: 720)))
        world.run(3)
        second.frame(keyframe: true)
        world.run(10)
        let inbox = try #require(viewer.inboxes[ssrc])
        let pictures = inbox.sequences.compactMap { number -> Int? in
            let payload = inbox.payloads[number]!
            return payload.count > 4 ? Int(payload[2] & 0x7f) << 8 | Int(payload[3]) : nil
        }
        #expect(zip(pictures, pictures.dropFirst()).allSatisfy { $1 - $0 <= 1 && $1 >= $0 }, "\(pictures)")
    }

    @Test("a switch is told with the timestamp of its first packet, as the viewer gets it")
    func switchTimestamp() throws {
        let world = try World(seed: 57)
        var (camera, viewer, slot, ssrc) = pair(world)
        let other = Peer(world, index: 3)
        var second = Camera(other, index: 2)
        world.run(3)
        other.check()
        world.run(3)
        for number in 0..<5 {
            camera.frame(keyframe: number == 0)
            world.run(33)
        }
        let before = try #require(viewer.inboxes[ssrc]).timestamps
        world.command(0, .mapSlot(MapSlot(slot: slot, track: second.track, maxHeight: 720)))
        world.run(3)
        second.frame(keyframe: true)
        world.run(10)
        let told = world.events.compactMap { event -> UInt32? in
            if case .slotSwitched(slot, _, _, let timestamp) = event { timestamp } else { nil }
        }
        let all = try #require(viewer.inboxes[ssrc]).timestamps
        #expect(told == [before[0], all[before.count]])
        #expect(told[0] != told[1])
    }

    @Test("a top layer that stops is replaced within a second")
    func topLayerStops() throws {
        let world = try World(seed: 56)
        var (camera, viewer, _, ssrc) = pair(world, layers: 3, maxHeight: 720, names: true)
        for number in 0..<20 {
            camera.frame(keyframe: number == 0, mid: "v1", rids: true)
            world.run(33)
        }
        let count = try #require(viewer.inboxes[ssrc]).payloads.count
        var waited = 0
        camera.peer.keyframeRequests = []
        while viewer.inboxes[ssrc]!.payloads.count <= count && waited < 5_000 {
            camera.frame(keyframe: !camera.peer.keyframeRequests.isEmpty, layers: 0..<2, mid: "v1", rids: true)
            world.run(33)
            waited += 33
        }
        #expect(waited < 1_000)
    }

    @Test("nobody asks for keyframes without need, or of a layer that is not sent any more")
    func noNeedlessRequests() throws {
        let world = try World(seed: 57)
        var (camera, viewer, _, ssrc) = pair(world, layers: 3, maxHeight: 720, names: true)
        for number in 0..<30 {
            camera.frame(keyframe: number == 0, layers: 0..<2, mid: "v1", rids: true)
            world.run(33)
        }
        // The top layer begins with a keyframe, and stops after 100 ms.
        for number in 0..<3 {
            camera.frame(keyframe: number == 0, mid: "v1", rids: true)
            world.run(33)
        }
        camera.peer.keyframeRequests = []
        for _ in 0..<300 {
            let wanted = camera.peer.keyframeRequests.contains { $0 != camera.ssrcs[2] }
            camera.frame(keyframe: wanted, layers: 0..<2, mid: "v1", rids: true)
            if wanted { camera.peer.keyframeRequests.removeAll { $0 != camera.ssrcs[2] } }
            world.run(33)
        }
        #expect(camera.peer.keyframeRequests.filter { $0 == camera.ssrcs[2] }.count <= 3)
        #expect(viewer.inboxes[ssrc]!.missing.isEmpty)
    }
}
