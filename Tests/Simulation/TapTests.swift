import Foundation
import Mailbox
import Synchronization
import Testing
import Wire

@testable import Dataplane

/// A thread of control that reads a worker's Taps, as it would.
private final class Reader {
    struct Heard {
        var packet: TapPacket
        /// The payload when it came out of the ring.
        var payload: [UInt8]
    }

    let rings: TapRings
    private(set) var heard: [Heard] = []
    private var held: [TapPacket] = []
    private(set) var isIntact = true

    init(_ world: World, worker: Int = 0, reader: Int = 0) { rings = world.mailboxes[worker].taps[reader] }

    func take() {
        while let packet = rings.take() {
            heard.append(Heard(packet: packet, payload: Array(packet.bytes)))
            held.append(packet)
        }
    }

    /// Looks once more at what is held, then gives it back.
    func giveBack() {
        let copies = heard.suffix(held.count)
        for (packet, copy) in zip(held, copies) {
            if Array(packet.bytes) != copy.payload { isIntact = false }
            rings.giveBack(packet)
        }
        held = []
    }
}

/// Reads the first 8 bytes of the packets that it has, which are what is patched, over and over on a thread of its own,
/// until it is stopped.
private final class ReaderThread: @unchecked Sendable {
    private let rings: TapRings
    private let isStopping = Atomic(false)
    private let isDone = DispatchSemaphore(value: 0)
    /// The thread's until it is done.
    private var packets = 0
    private var changed = 0

    init(_ rings: TapRings) {
        self.rings = rings
        Thread { [self] in run() }.start()
    }

    private func run() {
        var held: [(packet: TapPacket, copy: UInt64)] = []
        while !isStopping.load(ordering: .acquiring) {
            while let packet = rings.take() {
                held.append((packet, packet.payload.loadUnaligned(as: UInt64.self)))
                packets += 1
            }
            for (packet, copy) in held where packet.payload.loadUnaligned(as: UInt64.self) != copy { changed += 1 }
            while held.count > 8 { rings.giveBack(held.removeFirst().packet) }
        }
        for (packet, _) in held { rings.giveBack(packet) }
        while let packet = rings.take() { rings.giveBack(packet) }
        isDone.signal()
    }

    func stop() -> (packets: Int, changed: Int) {
        isStopping.store(true, ordering: .releasing)
        isDone.wait()
        return (packets, changed)
    }
}

@Suite(.serialized)
struct TapTests {
    private func open(_ world: World, _ track: TrackHandle, layers: LayerSet = .below(3), index: UInt32 = 1)
        -> TapHandle
    {
        let tap = TapHandle(worker: UInt8(track.worker), index: index, generation: world.nextGeneration())
        world.command(track.worker, .openTap(OpenTap(tap: tap, track: track, layers: layers, reader: 0)))
        world.run(2)
        return tap
    }

    private func wasClosed(_ world: World, _ tap: TapHandle) -> Bool {
        world.events.contains { if case .tapClosed(tap) = $0 { true } else { false } }
    }

    @Test func aTapHearsWhatIsPublishedInOrder() throws {
        let world = try World(seed: 31, tapReaders: 1)
        var (camera, viewer, _, ssrc) = pair(world)
        let tap = open(world, camera.track)
        let reader = Reader(world)
        #expect(camera.peer.keyframeRequests.isEmpty, "its SSRC is not known yet")
        for number in 0..<10 {
            camera.frame(keyframe: number == 0)
            world.run(33)
            reader.take()
            reader.giveBack()
        }
        #expect(reader.heard.count == 30)
        #expect(reader.heard.allSatisfy { $0.packet.tap == tap && $0.packet.layer == 0 })
        let numbers = reader.heard.map(\.packet.sequence)
        #expect(numbers == (0..<30).map { 65_500 + $0 })
        #expect(reader.heard.map { $0.payload[$0.payload.count - 102] } == (0..<30).map { UInt8($0 % 3) })
        #expect(reader.heard.map(\.packet.marker) == (0..<30).map { $0 % 3 == 2 })
        #expect(reader.heard.map(\.packet.startsKeyframe) == (0..<30).map { $0 == 0 })
        #expect(viewer.inboxes[ssrc]?.sequences.count == 30, "Slots are served beside it")
        #expect(reader.isIntact)
    }

    @Test func aTapKnowsTheLevelOfAudio() throws {
        let world = try World(seed: 32, tapReaders: 1)
        let speaker = Peer(world, index: 1)
        let track = TrackHandle(worker: 0, index: 1, generation: world.nextGeneration())
        world.command(
            0,
            .openTrack(
                OpenTrack(
                    track: track, source: .session(speaker.session), mid: ShortText("a")!, kind: .audio, codec: .opus,
                    payloadTypes: PayloadTypes(media: 111), layers: .init(repeating: LayerDescription()),
                    layerCount: 1)))
        world.run(3)
        speaker.check()
        world.run(5)
        _ = open(world, track)
        let reader = Reader(world)
        for number in 0..<5 {
            speaker.sendRTP(
                ssrc: 77, payloadType: 111, index: UInt64(number + 5), timestamp: UInt32(number * 960),
                payload: [1, 2, 3, UInt8(number)], mid: "a", audioLevel: 20 + UInt8(number))
            world.run(20)
        }
        reader.take()
        #expect(reader.heard.map(\.payload) == (0..<5).map { [1, 2, 3, UInt8($0)] })
        #expect(reader.heard.map { $0.packet.audioLevel & 0x7f } == (0..<5).map { 20 + UInt8($0) })
        #expect(reader.heard.map(\.packet.timestamp) == (0..<5).map { UInt32($0 * 960) })
        reader.giveBack()
    }

    /// A Slot that showed another camera before has VP8's picture ids rewritten, in place where nobody else reads.
    @Test func slotsThatPatchDoNotTouchWhatATapReads() throws {
        let world = try World(seed: 33, tapReaders: 1)
        var (first, viewer, slot, ssrc) = pair(world)
        let other = Peer(world, index: 3)
        var second = Camera(other, index: 2)
        world.run(3)
        other.check()
        world.run(5)
        first.frame(keyframe: true)
        second.frame(keyframe: true)
        world.run(33)
        let tap = open(world, second.track)
        world.command(0, .mapSlot(MapSlot(slot: slot, track: second.track, maxHeight: 720)))
        world.run(5)
        let reader = Reader(world)
        for number in 0..<10 {
            second.frame(keyframe: number == 0)
            world.run(10)
            reader.take()
            world.run(23)
            // Again while the packets are out, after the Tap was closed too: from the cache.
            if number == 8 { world.command(0, .closeTap(tap)) }
            let missing = viewer.inboxes[ssrc]!.highest! - 1
            viewer.sendRTCP { writer in
                [UInt16(truncatingIfNeeded: missing)].withUnsafeBufferPointer {
                    _ = writer.addNack(senderSSRC: 1, mediaSSRC: ssrc, sequences: $0)
                }
            }
            world.run(2)
            if number < 8 { reader.giveBack() }
        }
        reader.giveBack()
        #expect(reader.isIntact)
        #expect(reader.heard.count == 27)
        let inbox = try #require(viewer.inboxes[ssrc])
        let patched = inbox.sequences.suffix(3).map { inbox.payloads[$0]! }
        #expect(patched.allSatisfy { payload in !reader.heard.contains { $0.payload == payload } }, "ids are rewritten")
        #expect(world.worker().pointee.counters[.retransmittedPackets] >= 10)
    }

    /// A patch is undone when a packet is sealed, so that only who reads meanwhile could see one.
    @Test func aReaderOnAnotherThreadSeesNoPatch() throws {
        let world = try World(seed: 41, tapReaders: 1)
        var (first, viewer, slot, _) = pair(world)
        let other = Peer(world, index: 3)
        var second = Camera(other, index: 2)
        let slots = [slot] + (2..<50).map { openSlot(viewer, index: UInt32($0)).0 }
        world.run(3)
        other.check()
        for slot in slots { world.command(0, .mapSlot(MapSlot(slot: slot, track: first.track, maxHeight: 720))) }
        world.run(5)
        first.frame(keyframe: true)
        world.run(33)
        _ = open(world, second.track)
        for slot in slots { world.command(0, .mapSlot(MapSlot(slot: slot, track: second.track, maxHeight: 720))) }
        world.run(5)
        viewer.asksAgain = false
        let reader = ReaderThread(world.mailboxes[0].taps[0])
        second.frame(keyframe: true)
        for _ in 0..<100 {
            world.run(5)
            second.frame()
        }
        world.run(5)
        let result = reader.stop()
        #expect(result.packets >= 100)
        #expect(result.changed == 0)
        world.run(2)
    }

    @Test func packetsOfATapAreShared() throws {
        let world = try World(seed: 34, tapReaders: 1)
        let (camera, _, _, _) = pair(world, layers: 3)
        func shared() -> UInt8 { world.worker().pointee.tracks.find(camera.track)!.pointee.sinks.shared.bits }
        #expect(shared() == 0)
        let low = open(world, camera.track, layers: LayerSet(0))
        let high = open(world, camera.track, layers: LayerSet(2), index: 2)
        let all = open(world, camera.track, layers: .below(8), index: 3)
        #expect(shared() == 0b111)
        world.command(0, .closeTap(all))
        world.run(2)
        #expect(shared() == 0b101)
        world.command(0, .closeTap(low))
        world.run(2)
        #expect(shared() == 0b100)
        world.command(0, .closeTap(high))
        world.run(2)
        #expect(shared() == 0)
        #expect(wasClosed(world, low) && wasClosed(world, high) && wasClosed(world, all))
        #expect(world.worker().pointee.taps.count == 0)
    }

    @Test func aTapGetsTheLayersThatItWantsAndControlIsTold() throws {
        let world = try World(seed: 35, tapReaders: 1)
        let publisher = Peer(world, index: 1)
        var camera = Camera(publisher, index: 1, layers: 3)
        world.run(3)
        publisher.check()
        world.run(3)
        camera.frame(keyframe: true)
        world.run(33)
        _ = open(world, camera.track, layers: LayerSet(1))
        #expect(publisher.keyframeRequests == [camera.ssrcs[1]])
        let wanted = world.events.compactMap {
            if case .layersWanted(camera.track, let layers) = $0 { layers.bits } else { nil }
        }
        #expect(wanted == [0b010])
        let reader = Reader(world)
        camera.frame()
        world.run(33)
        reader.take()
        #expect(reader.heard.map(\.packet.layer) == [1, 1, 1])
        reader.giveBack()
    }

    @Test func aReaderThatFallsBehindMissesPacketsAndNothingElse() throws {
        let world = try World(seed: 36, tapReaders: 1, tapCapacity: 8)
        var (camera, viewer, _, ssrc) = pair(world)
        _ = open(world, camera.track)
        let reader = Reader(world)
        camera.frame(keyframe: true)
        for _ in 0..<9 { camera.frame() }
        world.run(33)
        #expect(world.worker().pointee.counters[.tapFull] == 22)
        #expect(viewer.inboxes[ssrc]?.sequences.count == 30)
        reader.take()
        #expect(reader.heard.map(\.packet.sequence) == (0..<8).map { 65_500 + $0 })
        // Taken out of the ring, and still the reader's: no more come.
        camera.frame()
        world.run(5)
        reader.take()
        #expect(reader.heard.count == 8)
        reader.giveBack()
        world.run(2)
        camera.frame()
        world.run(5)
        reader.take()
        #expect(reader.heard.count == 11)
        #expect(reader.heard.last?.packet.sequence == 65_535)
        #expect(reader.isIntact)
        reader.giveBack()
    }

    @Test func theEndOfATrackEndsItsTapsAndLeavesWhatIsOut() throws {
        let world = try World(seed: 37, tapReaders: 1)
        var (camera, _, _, _) = pair(world)
        let tap = open(world, camera.track)
        let second = open(world, camera.track, index: 2)
        let reader = Reader(world)
        camera.frame(keyframe: true)
        world.run(5)
        reader.take()
        #expect(reader.heard.count == 6)
        camera.frame()
        world.run(5)
        // Three packets in the reader's hands, three in the ring, for each.
        world.command(0, .closeSession(camera.peer.session))
        world.run(2_000)
        #expect(wasClosed(world, tap) && wasClosed(world, second))
        #expect(world.worker().pointee.tracks.count == 0 && world.worker().pointee.taps.count == 0)
        #expect(world.pool.available < world.pool.count)
        reader.take()
        #expect(reader.heard.count == 12)
        reader.giveBack()
        #expect(reader.isIntact)
        world.run(2)
        // The pool's owner checks that all came back: `World.deinit`.
    }

    @Test func whatIsInTheRingWhenTheWorkerEndsComesBack() throws {
        let world = try World(seed: 38, tapReaders: 2)
        var (camera, _, _, _) = pair(world)
        _ = open(world, camera.track)
        camera.frame(keyframe: true)
        world.run(5)
        let reader = Reader(world)
        let packet = try #require(reader.rings.take())
        reader.rings.giveBack(packet)
    }

    @Test func aReplicaHasTapsToo() throws {
        let world = try World(workers: 2, seed: 39, tapReaders: 1)
        var (camera, _, slot, _) = pair(world, workers: (0, 1), layers: 3, maxHeight: 180)
        let replica = world.worker(1).pointee.slots.find(slot)!.pointee.track
        for number in 0..<60 {
            camera.frame(keyframe: number % 10 == 0)
            world.run(33)
        }
        _ = open(world, replica, layers: LayerSet(2))
        let reader = Reader(world, worker: 1)
        #expect(camera.peer.keyframeRequests.last == camera.ssrcs[2])
        camera.frame(keyframe: true)
        world.run(33)
        reader.take()
        #expect(reader.heard.map(\.packet.layer) == [2, 2, 2])
        #expect(reader.heard.first?.packet.startsKeyframe == true)
        reader.giveBack()
    }

    @Test func mistakesOfControlAreCounted() throws {
        let world = try World(seed: 40, tapReaders: 1)
        let (camera, _, _, _) = pair(world)
        let before = world.worker().pointee.counters[.staleHandle]
        let tap = TapHandle(worker: 0, index: 1, generation: 1)
        let layers = LayerSet.below(3)
        world.command(
            0, .openTap(OpenTap(tap: tap, track: .none, layers: layers, reader: 0)),
            .openTap(OpenTap(tap: tap, track: camera.track, layers: layers, reader: 1)), .closeTap(tap))
        world.run(2)
        #expect(world.worker().pointee.counters[.staleHandle] == before + 3)
        world.command(
            0, .openTap(OpenTap(tap: tap, track: camera.track, layers: layers, reader: 0)),
            .openTap(OpenTap(tap: tap, track: camera.track, layers: layers, reader: 0)))
        world.run(2)
        #expect(world.worker().pointee.counters[.tableFull] == 1)
        #expect(world.worker().pointee.taps.count == 1)
    }
}
