import Mailbox
import Testing
import Wire

@testable import Dataplane

/// What goes wrong on the way, at the far end or at the publisher.
@Suite(.serialized)
struct LaneFaultTests {
    /// A packet of a camera of our own numbers: VP8, one packet a picture.
    private func send(
        _ camera: Camera, ssrc: UInt32, index: UInt64, timestamp: UInt32, keyframe: Bool = false
    ) {
        let payload: [UInt8] =
            [
                0x90, 0xc0, 0x80, UInt8(index & 0x7f), UInt8(index & 0xff), keyframe ? 0 : 1, 0, 0, 0x9d, 1, 0x2a, 0x40,
                1,
            ]
            + [0xd0, 2, 0, 0, UInt8(index & 0xff)] + [UInt8](repeating: 0xaa, count: 100)
        camera.peer.sendRTP(
            ssrc: ssrc, payloadType: Camera.payloadType, index: index, timestamp: timestamp, marker: true,
            payload: payload, mid: "v1")
    }

    /// Loses the RTP packets of these numbers, counted from 0, that world 0 sends.
    private func lose(_ numbers: Set<Int>, on trunk: Trunk) {
        var count = 0
        trunk.intercept = { from, frame in
            let isRTP = frame.withUnsafeBytes { bytes in
                DatagramFrame(bytes).map { PacketKind($0.payload) == .rtp } ?? false
            }
            guard from == 0, isRTP else { return frame }
            count += 1
            return numbers.contains(count - 1) ? nil : frame
        }
    }

    private func isRTCP(_ frame: [UInt8]) -> Bool {
        frame.withUnsafeBytes { DatagramFrame($0).map { PacketKind($0.payload) == .rtcp } ?? false }
    }

    @Test func aPublisherThatNumbersAnewIsNotTakenForWhatWasLost() throws {
        let trunk = try Trunk(seed: 30, path: .init(delay: 50))
        let scene = LaneScene(trunk)
        lose([55], on: trunk)
        for number in 0..<60 {
            send(
                scene.camera, ssrc: 10_100, index: 5_000 + UInt64(number), timestamp: UInt32(number) * 900,
                keyframe: number == 0)
            trunk.run(10)
        }
        // Trunk compares all that is sent under one nonce: what is asked for is not what has its number now.
        for number in 0..<40 {
            send(
                scene.camera, ssrc: 99_000, index: 5_040 + UInt64(number), timestamp: UInt32(number) * 900,
                keyframe: number == 0)
            trunk.run(1)
        }
        trunk.run(300)
        #expect(trunk.worlds[0].worker().pointee.counters[.nacksReceived] > 0)
        #expect(scene.got().count > 90, "the new ones come")
    }

    @Test func aParticipantCannotTakeATrunksAddress() throws {
        let trunk = try Trunk(seed: 31, workers: 2, on: (1, 1))
        var scene = LaneScene(trunk)
        scene.send(frames: 3)
        let thief = Peer(trunk.worlds[1], worker: 0, index: 30)
        trunk.run(3)
        thief.check(from: Endpoint(address: trunk.worlds[0].address, port: World.mediaPort))
        trunk.run(3)
        scene.send(frames: 5)
        #expect(scene.isWhole(count: 24), "\(scene.got().count)")
    }

    @Test func aKeysLastRTCPIndexIsNotGoneBeyond() throws {
        let trunk = try Trunk(seed: 32)
        var scene = LaneScene(trunk)
        scene.send(frames: 3)
        for number in 0..<2 { trunk.lane(number).pointee.rtcpIndex = LaneFormat.indexMask - 3 }
        scene.send(frames: 30)
        trunk.changeKey(toward: 0)
        trunk.changeKey(toward: 1)
        trunk.run(200)
        // What is wanted is heard of again.
        trunk.worlds[1].command(0, .mapSlot(MapSlot(slot: scene.viewers[0].slot, track: .none, maxHeight: 0)))
        trunk.run(400)
        trunk.sent[0] = [:]
        scene.send(frames: 5)
        #expect(scene.copies == 0)
    }

    @Test func whatIsFarBehindIsRepaired() throws {
        let trunk = try Trunk(seed: 33, path: .init(delay: 50))
        var scene = LaneScene(trunk)
        scene.viewers[0].peer.asksAgain = false
        lose([85], on: trunk)
        scene.send(frames: 5, every: 5, packets: 80)
        trunk.run(300)
        #expect(scene.isWhole(count: 400), "\(scene.got().count)")
    }

    @Test func theFirstPacketIsRepaired() throws {
        let trunk = try Trunk(seed: 34, path: .init(delay: 10))
        var scene = LaneScene(trunk)
        lose([0, 1], on: trunk)
        scene.send(frames: 2)
        #expect(trunk.lane(1).pointee.reception.repaired == 2)
    }

    @Test func nothingIsSentIntoSilenceAndAllComesBack() throws {
        let trunk = try Trunk(seed: 35, path: .init(delay: 20))
        var scene = LaneScene(trunk)
        scene.send(frames: 10)
        trunk.isCut[1] = true
        trunk.sent[0] = [:]
        for second in 0..<20 {
            for _ in 0..<10 {
                scene.camera.frame()
                trunk.run(100, step: 5)
            }
            if second == 5 { trunk.sent[0] = [:] }
        }
        #expect(scene.copies == 0, "after 5 s nothing is sent to whom nothing is heard of")
        for peer in [scene.camera.peer, scene.viewers[0].peer] { peer.check() }
        trunk.isCut[1] = false
        let before = scene.got().count
        scene.send(frames: 60)
        #expect(scene.got().count > before + 60, "within a second")
    }

    @Test func aFloodOfRequestsIsBounded() throws {
        let trunk = try Trunk(seed: 36)
        var scene = LaneScene(trunk)
        scene.send(frames: 5, every: 5, packets: 80)
        let before = scene.copies
        let forger = LaneForger(trunk, hop: 0, from: 1)
        let all = (0..<400).map { UInt16($0) }
        for _ in 0..<20 {
            forger.send { writer in
                all.withUnsafeBufferPointer {
                    _ = writer.addNack(senderSSRC: 1, mediaSSRC: Trunk.name(trunk.lanes[0]).raw, sequences: $0)
                }
            }
        }
        trunk.run(1)
        #expect(scene.copies > before + 100, "it was understood")
        #expect(scene.copies <= before + Lane.mostCredits + 10 * Lane.creditsPerTick)
        scene.send(frames: 5)
        #expect(scene.isWhole(count: 415))
    }

    @Test func whatALyingFarEndSaysIsBounded() throws {
        let trunk = try Trunk(seed: 37)
        var scene = LaneScene(trunk, layers: 3)
        scene.send(frames: 5)
        let forger = LaneForger(trunk, hop: 0, from: 1)
        let lane = Trunk.name(trunk.lanes[0])
        let name = Trunk.name(scene.far)
        for round in 0..<300 {
            forger.send { writer in
                let message = writer.addLaneMessage(.wanted, lane: lane, count: 3)
                message?.set(0, track: name, layers: round % 2 == 0 ? 0xff : 0)
                message?.set(1, track: LaneName(raw: .max), layers: 7)
                message?.set(2, track: LaneName(raw: name.raw ^ 1), layers: 7)
                _ = writer.addPictureLossIndication(senderSSRC: 1, mediaSSRC: name.layer(2).raw | 0xc000_0000)
                _ = writer.addPictureLossIndication(senderSSRC: 1, mediaSSRC: 7)
                let sent = writer.addLaneMessage(.sent, lane: lane, count: 1)
                sent?.set(0, track: name, layers: 7, choices: .max)
            }
            if round % 20 == 0 { trunk.run(1) }
        }
        // The true one goes on behind what was forged.
        trunk.lane(1).pointee.rtcpIndex = forger.index + 1
        trunk.run(300)
        scene.send(frames: 30)
        let crossing = trunk.crossing(to: scene.far)
        #expect(crossing.pointee.wanted == LayerSet(2), "what the far end means comes through again")
        #expect(scene.shown() == [2])
    }

    @Test func aLostWishIsRepeatedAtOnceOverAnIdleLane() throws {
        let trunk = try Trunk(seed: 38, path: .init(delay: 5))
        let scene = LaneScene(trunk)
        let crossing = trunk.crossing(to: scene.far)
        trunk.worlds[1].command(0, .mapSlot(MapSlot(slot: scene.viewers[0].slot, track: .none, maxHeight: 0)))
        trunk.run(2_500)
        #expect(crossing.pointee.wanted.isEmpty)
        // Right after a report, the next of which is a second away.
        while trunk.lane(1).pointee.reportDue < trunk.worlds[1].now + 990_000_000 { trunk.run(1) }
        trunk.intercept = { [self] from, frame in from == 1 && isRTCP(frame) ? nil : frame }
        trunk.worlds[1].command(
            0, .mapSlot(MapSlot(slot: scene.viewers[0].slot, track: scene.far, maxHeight: 720)))
        trunk.run(20)
        #expect(crossing.pointee.wanted.isEmpty, "it was lost")
        trunk.intercept = { _, frame in frame }
        trunk.run(110)
        #expect(!crossing.pointee.wanted.isEmpty)
    }

    @Test func aCrossingThatOpensLateHearsAtOnceWhatIsWanted() throws {
        let trunk = try Trunk(seed: 39, path: .init(delay: 5))
        let scene = LaneScene(trunk)
        let viewer = scene.viewers[0]
        let world = trunk.worlds[1]
        let far = TrackHandle(worker: 0, index: 6, generation: world.nextGeneration())
        world.command(
            0,
            .openTrack(
                OpenTrack(
                    track: far, source: .lane(trunk.lanes[1]), mid: ShortText(), kind: .video, codec: .vp8,
                    payloadTypes: PayloadTypes(), layers: .init(repeating: LayerDescription()), layerCount: 1)),
            .mapSlot(MapSlot(slot: viewer.slot, track: far, maxHeight: 720)))
        trunk.run(1_500)
        while trunk.lane(1).pointee.repetitionDue < world.now + 900_000_000 { trunk.run(1) }
        trunk.open(scene.camera.track, to: far, index: 6)
        trunk.run(25)
        let crossing = trunk.crossing(to: far)
        #expect(crossing.pointee.wanted == LayerSet(0))
    }

    @Test func aBurstThatIsTooLongToRepairEndsWithAKeyframe() throws {
        let trunk = try Trunk(seed: 40, path: .init(delay: 20))
        var scene = LaneScene(trunk)
        scene.viewers[0].peer.asksAgain = false
        scene.send(frames: 10, packets: 20)
        lose(Set(0..<100), on: trunk)
        for _ in 0..<5 {
            scene.camera.frame(packets: 20)
            trunk.run(5)
        }
        #expect(scene.camera.peer.keyframeRequests.isEmpty)
        scene.camera.frame(packets: 20)
        trunk.run(100)
        #expect(!scene.camera.peer.keyframeRequests.isEmpty)
        #expect(trunk.lane(1).pointee.reception.lost >= 100)
        let before = scene.got().count
        scene.send(frames: 10)
        #expect(scene.got().count >= before + 30)
    }

    @Test func listsHoldInWhateverOrderThingsClose() throws {
        for seed in UInt64(0)..<12 {
            let trunk = try Trunk(seed: 41 + seed)
            let publisher = Peer(trunk.worlds[0], worker: 0, index: 1)
            let cameras = (1...4).map { Camera(publisher, index: UInt32($0)) }
            trunk.run(2)
            let tracks = cameras.enumerated().map { trunk.carry($1.track, index: UInt32(10 + $0)) }
            let worker = trunk.worlds[0].worker()
            var acts: [(Int, Command)] =
                cameras.map { (0, .closeTrack($0.track)) } + tracks.map { (1, .closeTrack($0)) }
            for index in 10..<14 {
                acts.append((0, .closeCrossing(worker.pointee.cascade.crossings.handle(at: index))))
            }
            acts += [(0, .closeLane(trunk.lanes[0])), (1, .closeLane(trunk.lanes[1]))]
            acts.append((0, .closeSession(publisher.session)))
            var random = RandomSource(seed: seed)
            acts.shuffle(using: &random)
            for (world, act) in acts {
                trunk.worlds[world].command(0, act)
                trunk.run(2)
            }
            for world in trunk.worlds {
                #expect(world.worker().pointee.cascade.lanes.count == 0)
                #expect(world.worker().pointee.cascade.crossings.count == 0)
                #expect(world.worker().pointee.tracks.count == 0)
            }
        }
    }
}

/// Seals RTCP as a Lane's far end would that means harm.
final class LaneForger {
    private let engine = SRTPEngine()
    private let memory: UnsafeMutableRawPointer
    private let transform: SRTPTransform
    private let world: World
    private let source: Endpoint
    private let mac: MACAddress
    private let name: LaneName
    /// Ahead of what the true one counts.
    private(set) var index: UInt32 = 1_000_000

    /// From world `number` over a hop to its other end, whose key it has.
    init(_ trunk: Trunk, hop: Int, from number: Int) {
        let end = number == hop ? 1 : 0
        memory = .allocate(byteCount: SRTPTransform.byteCount, alignment: SRTPTransform.alignment)
        transform = .install(
            at: memory, engine: engine, profile: LaneFormat.profile, master: trunk.keys[hop][end])
        world = trunk.worlds[hop + end]
        let other = trunk.worlds[number]
        source = Endpoint(address: other.address, port: World.mediaPort)
        mac = MACAddress(World.mac.bits + UInt64(number))
        name = Trunk.name(trunk.hops[hop][end])
    }

    deinit {
        transform.erase()
        memory.deallocate()
    }

    func send(_ build: (inout RTCPWriter) -> Void) {
        var packet = [UInt8](repeating: 0, count: 1_500)
        let length = packet.withUnsafeMutableBytes { room -> Int in
            var writer = RTCPWriter(into: room)
            _ = writer.addReceiverReport(ssrc: name.raw)
            build(&writer)
            index += 1
            return engine.sealRTCP(
                transform, room.baseAddress!.assumingMemoryBound(to: UInt8.self), writer.count, index: index)
        }
        world.send(Array(packet[..<length]), from: source, mac: mac)
    }
}
