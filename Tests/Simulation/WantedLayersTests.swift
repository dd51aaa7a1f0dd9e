import Mailbox
import Testing
import Wire

@testable import Dataplane

/// Sinks say which Layers they want, and nothing else crosses between workers.
@Suite(.serialized)
struct WantedLayersTests {
    /// What control was told of a Track's wanted Layers, in order.
    private func told(_ world: World, _ track: TrackHandle) -> [UInt8] {
        world.events.compactMap { event in
            if case .layersWanted(track, let layers) = event { layers.bits } else { nil }
        }
    }

    private func send(_ camera: inout Camera, _ world: World, frames: Int, layers: Range<Int>? = nil) {
        for number in 0..<frames {
            let isKey = number % 10 == 0 || !camera.peer.keyframeRequests.isEmpty
            camera.peer.keyframeRequests = []
            camera.frame(keyframe: isKey, layers: layers)
            world.run(33)
        }
    }

    private func shown(_ viewer: Peer, _ ssrc: UInt32) -> Set<UInt8> {
        guard let inbox = viewer.inboxes[ssrc] else { return [] }
        return Set(inbox.sequences.suffix(6).compactMap { inbox.payloads[$0] }.map { $0[$0.count - 103] })
    }

    @Test func controlIsToldWhatAnybodyWantsWhenItChanges() throws {
        let world = try World(seed: 21)
        var (camera, viewer, slot, ssrc) = pair(world, layers: 3, maxHeight: 360)
        #expect(told(world, camera.track) == [0b010], "before anything is sent")
        send(&camera, world, frames: 60)
        #expect(told(world, camera.track) == [0b010, 0b011, 0b010], "the lowest layer came in first, and was shown")
        #expect(shown(viewer, ssrc) == [1])
        world.events = []
        send(&camera, world, frames: 60)
        #expect(told(world, camera.track).isEmpty, "nothing changed")

        world.command(0, .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 1_080)))
        world.run(5)
        #expect(told(world, camera.track) == [0b110], "at once, beside what is shown until the keyframe")
        send(&camera, world, frames: 90)
        #expect(told(world, camera.track) == [0b110, 0b100])

        world.command(0, .mapSlot(MapSlot(slot: slot, track: .none, maxHeight: 0)))
        send(&camera, world, frames: 90)
        #expect(told(world, camera.track) == [0b110, 0b100, 0])
    }

    @Test func aLayerIsWantedThoughItsPublisherStoppedIt() throws {
        let world = try World(seed: 22)
        var (camera, viewer, _, ssrc) = pair(world, layers: 3, maxHeight: 720)
        send(&camera, world, frames: 60, layers: 0..<1)
        #expect(shown(viewer, ssrc) == [0])
        #expect(told(world, camera.track).last == 0b101, "what is shown, and what should be")
        send(&camera, world, frames: 60)
        #expect(shown(viewer, ssrc) == [2])
    }

    @Test func viewersWhoChangeTheirMindAllTheTimeAreToldOfASecondAtATime() throws {
        let world = try World(seed: 23)
        var (camera, _, slot, _) = pair(world, layers: 3, maxHeight: 180)
        for number in 0..<3_000 {
            let height: UInt16 = [180, 360, 720][number % 3]
            world.command(0, .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: height)))
            if number % 30 == 0 { camera.frame(keyframe: true) }
            world.run(1)
        }
        let count = told(world, camera.track).count
        #expect(count >= 2 && count <= 12, "\(count) times in 3 s")
    }

    @Test func aFullEventRingIsToldLater() throws {
        let world = try World(seed: 24)
        var (camera, _, slot, _) = pair(world, layers: 3, maxHeight: 180)
        send(&camera, world, frames: 60)
        let events = world.mailboxes[0].events
        while events.push(.slotClosed(.none)) {}
        world.command(0, .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 360)))
        world.worker().pointee.runUntilCommandsAreRead(now: world.now + 2_000_000)
        #expect(world.worker().pointee.counters[.eventFull] > 0)
        send(&camera, world, frames: 90)
        #expect(told(world, camera.track).last == 0b010)
    }

    @Test func onlyWantedLayersCrossWorkers() throws {
        let world = try World(workers: 2, seed: 25)
        var (camera, viewer, slot, ssrc) = pair(world, workers: (0, 1), layers: 3, maxHeight: 360)
        let replica = TrackHandle(raw: world.worker(1).pointee.slots.find(slot)!.pointee.track.raw)
        send(&camera, world, frames: 60)
        #expect(shown(viewer, ssrc) == [1])
        #expect(told(world, camera.track).last == 0b010)

        /// Packets of each layer that the replica got in the next frames.
        func crossed(_ frames: Int) -> [UInt64] {
            func highest() -> [UInt64] {
                let track = world.worker(1).pointee.tracks.find(replica)!
                return (0..<3).map { track.pointee.layers[$0].highest }
            }
            let before = highest()
            send(&camera, world, frames: frames)
            return zip(highest(), before).map { $0 &- $1 }
        }
        #expect(crossed(10) == [0, 30, 0])
        let handed = world.worker().pointee.counters[.handoverPackets]
        _ = crossed(10)
        // All frames come in on the first worker's queue, those of the viewer too.
        #expect(world.worker().pointee.counters[.handoverPackets] - handed < 45)

        world.command(1, .mapSlot(MapSlot(slot: slot, track: replica, maxHeight: 1_080)))
        world.run(5)
        #expect(told(world, camera.track).last == 0b110)
        #expect(camera.peer.keyframeRequests == [camera.ssrcs[2]], "the way is open before the request takes it")
        send(&camera, world, frames: 60)
        #expect(shown(viewer, ssrc) == [2])
        #expect(crossed(10) == [0, 0, 30])

        world.command(1, .mapSlot(MapSlot(slot: slot, track: .none, maxHeight: 0)))
        send(&camera, world, frames: 60)
        #expect(crossed(10) == [0, 0, 0])
        #expect(told(world, camera.track).last == 0)

        world.command(1, .mapSlot(MapSlot(slot: slot, track: replica, maxHeight: 180)))
        world.run(5)
        send(&camera, world, frames: 10)
        #expect(shown(viewer, ssrc) == [0])
        let inbox = try #require(viewer.inboxes[ssrc])
        #expect(inbox.missing.isEmpty)
    }

    @Test func aReplicaFollowsTheLayersThatItsSourceIsSent() throws {
        let world = try World(workers: 2, seed: 26)
        var (camera, viewer, _, ssrc) = pair(world, workers: (0, 1), layers: 3, maxHeight: 720)
        send(&camera, world, frames: 30)
        #expect(shown(viewer, ssrc) == [2])
        send(&camera, world, frames: 60, layers: 0..<2)
        #expect(shown(viewer, ssrc) == [1], "the replica hears of layers that it does not get")
        send(&camera, world, frames: 60)
        #expect(shown(viewer, ssrc) == [2])
    }

    @Test func aMicrophoneCrossesOnlyWhileItIsHeard() throws {
        let world = try World(workers: 2, seed: 27)
        let speaker = Peer(world, worker: 0, index: 1)
        let listener = Peer(world, worker: 1, index: 2)
        let (slot, ssrc) = openSlot(listener, index: 1, kind: .audio, rtx: false)
        let track = TrackHandle(worker: 0, index: 1, generation: world.nextGeneration())
        let replica = TrackHandle(worker: 1, index: 4, generation: world.nextGeneration())
        var open = OpenTrack(
            track: track, source: .session(speaker.session), mid: ShortText("a")!, kind: .audio, codec: .opus,
            payloadTypes: PayloadTypes(media: 111), layers: .init(repeating: LayerDescription()), layerCount: 1)
        world.command(0, .openTrack(open))
        (open.track, open.source) = (replica, .sibling(track))
        world.command(1, .openTrack(open))
        world.run(3)
        speaker.check()
        listener.check()
        world.command(0, .feed(track, replica: replica))
        world.run(10)
        var number = 0
        func speak(_ packets: Int) -> Int {
            let before = listener.inboxes[ssrc]?.sequences.count ?? 0
            for _ in 0..<packets {
                speaker.sendRTP(
                    ssrc: 77, payloadType: 111, index: UInt64(number + 5), timestamp: UInt32(number * 960),
                    payload: [1, 2, 3, UInt8(number & 0xff)], mid: "a", audioLevel: 20)
                number += 1
                world.run(20)
            }
            return (listener.inboxes[ssrc]?.sequences.count ?? 0) - before
        }
        #expect(speak(100) == 0)
        let highest = world.worker(1).pointee.tracks.find(replica)!.pointee.layers[0].highest
        #expect(speak(10) == 0)
        #expect(world.worker(1).pointee.tracks.find(replica)!.pointee.layers[0].highest == highest)
        world.command(1, .mapSlot(MapSlot(slot: slot, track: replica, maxHeight: 0)))
        world.run(2)
        #expect(speak(10) == 10)
        #expect(told(world, track).isEmpty, "the publisher speaks on: its loudness is always wanted")
    }

    @Test func aReplicaFeedsNobody() throws {
        let world = try World(workers: 2, seed: 28)
        var (camera, _, slot, _) = pair(world, workers: (0, 1), layers: 1)
        let replica = TrackHandle(raw: world.worker(1).pointee.slots.find(slot)!.pointee.track.raw)
        world.command(1, .feed(replica, replica: camera.track))
        world.run(3)
        #expect(world.worker(1).pointee.counters[.staleHandle] == 1)
        send(&camera, world, frames: 3)
    }
}

/// A publisher that encodes the layers that it was told last and no other, as a browser does with `layers_wanted`.
private final class ObedientCamera {
    private let world: World
    private(set) var camera: Camera
    /// Of its pictures (`Camera.reduction`); the next ones are keyframes.
    var reduction: UInt16 {
        get { camera.reduction }
        set { (camera.reduction, isKeyframeDue) = (newValue, true) }
    }
    /// What its encoder makes; all before it was told anything.
    private(set) var active: LayerSet
    /// What it was told and takes up later, by when, ns.
    private var orders: [(due: UInt64, layers: LayerSet)] = []
    private var isKeyframeDue = true

    /// From the worker's event to the encoder: control, the socket, the page.
    private static let delay: UInt64 = 60_000_000

    init(_ world: World, _ camera: Camera) {
        self.world = world
        self.camera = camera
        active = .below(3)
    }

    /// Time goes on, with a frame each 33 ms. Answers what was sent in it, by layer: frames.
    @discardableResult
    func run(_ milliseconds: Int) -> [Int] {
        var sent = [0, 0, 0]
        for _ in 0..<(milliseconds / 33) {
            for case .layersWanted(camera.track, let layers) in world.events {
                orders.append((world.now + Self.delay, layers))
            }
            world.events = []
            while let order = orders.first, order.due <= world.now {
                orders.removeFirst()
                // Encoders begin anew where a layer is added.
                if active.union(order.layers) != active { isKeyframeDue = true }
                active = order.layers
            }
            // Who encodes nothing hears no request.
            if !camera.peer.keyframeRequests.isEmpty, !active.isEmpty { isKeyframeDue = true }
            camera.peer.keyframeRequests = []
            if !active.isEmpty {
                camera.frame(keyframe: isKeyframeDue, active: active)
                isKeyframeDue = false
            }
            for layer in 0..<3 where active.contains(UInt8(layer)) { sent[layer] += 1 }
            world.run(33)
        }
        return sent
    }
}

/// A publisher encodes what it was told is wanted: each picture comes as soon as its encoder makes it.
@Suite(.serialized)
struct ObedientPublisherTests {
    /// From a change of a tile to its picture, ms: `ObedientCamera.delay`, a frame, and time to forward it.
    private static let patience = 132

    /// A viewer and its one tile.
    private struct Viewer {
        let peer: Peer
        let slot: SlotHandle
        let ssrc: UInt32
        let track: TrackHandle

        init(_ world: World, worker: Int, index: UInt32, track: TrackHandle) {
            peer = Peer(world, worker: worker, index: index)
            (slot, ssrc) = openSlot(peer, index: index)
            self.track = track
            world.run(3)
            peer.check()
            world.run(3)
        }

        func look(height: UInt16) {
            peer.inboxes[ssrc] = nil
            peer.world.command(peer.worker, .mapSlot(MapSlot(slot: slot, track: track, maxHeight: height)))
        }

        func leave() { peer.world.command(peer.worker, .mapSlot(MapSlot(slot: slot, track: .none, maxHeight: 0))) }

        /// The layer of the latest picture since it looked.
        var shown: UInt8? {
            guard let inbox = peer.inboxes[ssrc], let last = inbox.highest, let payload = inbox.payloads[last] else {
                return nil
            }
            return payload[payload.count - 103]
        }
    }

    private func replica(_ world: World, of track: TrackHandle, on worker: Int) -> TrackHandle {
        guard worker != track.worker else { return track }
        let replica = TrackHandle(worker: UInt8(worker), index: 9, generation: world.nextGeneration())
        world.command(
            worker,
            .openTrack(
                OpenTrack(
                    track: replica, source: .sibling(track), mid: ShortText(), kind: .video, codec: .vp8,
                    payloadTypes: PayloadTypes(), layers: .init(repeating: LayerDescription()), layerCount: 3)))
        world.run(3)
        world.command(track.worker, .feed(track, replica: replica))
        return replica
    }

    @Test(arguments: [0, 1])
    func aCameraThatShrinksKeepsItsLayer(viewersOn worker: Int) throws {
        let world = try World(workers: 2, seed: 30)
        let publisher = Peer(world, worker: 0, index: 1)
        let camera = ObedientCamera(world, Camera(publisher, index: 1, layers: 3))
        world.run(3)
        publisher.check()
        camera.run(330)
        let viewer = Viewer(world, worker: worker, index: 2, track: replica(world, of: camera.camera.track, on: worker))
        viewer.look(height: 720)
        camera.run(2_500)
        // The layer below was larger, when it was sent last.
        for reduction: UInt16 in [3, 4, 1, 2, 1] {
            camera.reduction = reduction
            #expect(camera.run(3_300) == [0, 0, 100], "reduced by \(reduction)")
            #expect(viewer.shown == 2, "reduced by \(reduction)")
        }
        viewer.look(height: 360)
        camera.run(2_500)
        #expect(camera.run(330) == [0, 10, 0], "what is known of it is of the same camera")
    }

    @Test(arguments: [0, 1])
    func pictureComesWithinAKeyframeOfEachChange(viewersOn worker: Int) throws {
        let world = try World(workers: 2, seed: 29)
        let publisher = Peer(world, worker: 0, index: 1)
        let camera = ObedientCamera(world, Camera(publisher, index: 1, layers: 3))
        world.run(3)
        publisher.check()
        #expect(camera.run(330) == [10, 10, 10], "until somebody knows better all is encoded")
        camera.run(1_500)
        #expect(camera.run(330) == [0, 0, 0], "nobody came")

        let track = replica(world, of: camera.camera.track, on: worker)
        let first = Viewer(world, worker: worker, index: 2, track: track)
        let second = Viewer(world, worker: 0, index: 3, track: camera.camera.track)
        /// One looks, and sees `layer` in time; then what nobody wants is encoded no more.
        func expectPicture(_ viewer: Viewer, height: UInt16, _ layer: UInt8, then wanted: [Int]) {
            viewer.look(height: height)
            camera.run(Self.patience + (worker == 0 ? 0 : 33))
            #expect(viewer.shown == layer, "\(height) lines")
            camera.run(2_500)
            #expect(camera.run(330) == wanted.map { $0 * 10 }, "\(height) lines")
            #expect(viewer.shown == layer, "\(height) lines, later")
        }
        expectPicture(first, height: 180, 0, then: [1, 0, 0])
        expectPicture(first, height: 720, 2, then: [0, 0, 1])
        expectPicture(first, height: 180, 0, then: [1, 0, 0])
        expectPicture(first, height: 360, 1, then: [0, 1, 0])
        expectPicture(second, height: 720, 2, then: [0, 1, 1])
        expectPicture(first, height: 180, 0, then: [1, 0, 1])
        second.leave()
        camera.run(2_500)
        #expect(camera.run(330) == [10, 0, 0])
        first.leave()
        camera.run(2_500)
        #expect(camera.run(330) == [0, 0, 0])
        // Far longer than any silence counts, and than requests for keyframes wait.
        for _ in 0..<10 {
            for peer in [publisher, first.peer, second.peer] { peer.check() }
            camera.run(2_000)
        }
        expectPicture(first, height: 720, 2, then: [0, 0, 1])
        expectPicture(second, height: 180, 0, then: [1, 0, 1])
        #expect(first.peer.inboxes[first.ssrc]?.missing.isEmpty == true)
    }
}

extension Worker where Queue: ~Copyable {
    /// Turns in which nobody reads the events.
    fileprivate mutating func runUntilCommandsAreRead(now: UInt64) {
        var now = now
        while mailbox.commands.count > 0 {
            _ = turn(now: now)
            now += HousekeepingSchedule.interval
        }
    }
}
