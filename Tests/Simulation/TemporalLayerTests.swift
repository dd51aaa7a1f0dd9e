import Mailbox
import Testing
import Wire

@testable import Dataplane

/// A publisher of temporal layers with a microphone, and a viewer behind a line.
private final class LayeredScene {
    static let second: UInt64 = 1_000_000_000

    let world: World
    let camera: LayeredCamera
    let viewer: Peer
    let receiver: LayeredReceiver
    let line: Downlink
    let ssrc: UInt32
    private let slot: SlotHandle
    private let microphone: TrackHandle
    private var spoken: UInt64 = 0
    private var soundDue: UInt64 = 0
    private var askedAt: UInt64 = 0
    private(set) var sounds = 0
    private let start: UInt64

    init(
        seed: UInt64, megabits: [Double] = [0.1], describes: Bool, workers: Int = 1, kind: MediaKind = .video,
        uplink: MemoryPort.Link = .init(), _ capacity: [(second: Double, megabits: Double)]
    ) throws {
        let world = try World(workers: workers, seed: seed, inbound: uplink)
        self.world = world
        camera = LayeredCamera(world, index: 1, megabits: megabits, describes: describes, kind: kind)
        var ids = Peer.numberedExtensions
        (ids.dependencyDescriptor, ids.slotDescriptor) = (9, 9)
        viewer = Peer(world, worker: workers - 1, index: 2, extensions: ids)
        viewer.answersFeedback = true
        (slot, ssrc) = openSlot(viewer, index: 10, kind: kind)
        let (audio, _) = openSlot(viewer, index: 11, kind: .audio, rtx: false)
        microphone = TrackHandle(worker: 0, index: 51, generation: world.nextGeneration())
        var descriptions = InlineArray<3, LayerDescription>(repeating: LayerDescription())
        descriptions[0] = LayerDescription(ssrc: 30_001)
        world.command(
            0,
            .openTrack(
                OpenTrack(
                    track: microphone, source: .session(camera.peer.session), mid: ShortText("a1")!, kind: .audio,
                    codec: .opus, payloadTypes: PayloadTypes(media: 111), layers: descriptions, layerCount: 1)))
        world.run(3)
        for peer in [camera.peer, viewer] {
            for _ in 0..<3 {
                // One may be lost.
                peer.check()
                world.run(10)
            }
        }
        start = world.now
        let second = Double(start) / 1e9
        line = Downlink(capacity.map { ($0.second == 0 ? 0 : $0.second + second, $0.megabits) }, seed: seed)
        viewer.downlink = line
        let receiver = LayeredReceiver(descriptorID: 9) { [unowned world] in world.now }
        self.receiver = receiver
        let video = ssrc
        viewer.takes = { ssrc, sequence, header, payload in
            if ssrc == video { receiver.take(sequence, header, payload) }
            return true
        }
        viewer.onMedia = { [unowned self] ssrc, _ in if ssrc != video { sounds += 1 } }
        map(audio, kind)
    }

    private func map(_ audio: SlotHandle, _ kind: MediaKind) {
        let viewing = viewer.worker
        var (picture, sound) = (camera.track, microphone)
        if viewing != 0 {
            picture = replica(of: camera.track, index: 70, layers: camera.ssrcs.count, kind)
            sound = replica(of: microphone, index: 71, layers: 1, .audio)
        }
        world.command(
            viewing, .mapSlot(MapSlot(slot: slot, track: picture, maxHeight: 720)),
            .mapSlot(MapSlot(slot: audio, track: sound, maxHeight: 0)))
    }

    private func replica(of track: TrackHandle, index: UInt32, layers: Int, _ kind: MediaKind) -> TrackHandle {
        let replica = TrackHandle(worker: 1, index: index, generation: world.nextGeneration())
        world.command(
            1,
            .openTrack(
                OpenTrack(
                    track: replica, source: .sibling(track), mid: ShortText(), kind: kind,
                    codec: kind == .audio ? .opus : .vp8, payloadTypes: PayloadTypes(),
                    layers: .init(repeating: LayerDescription()), layerCount: UInt8(layers))))
        world.run(3)
        world.command(0, .feed(track, replica: replica))
        return replica
    }

    /// Until so many seconds after the start.
    func run(until second: Int) {
        while world.now - start < UInt64(second) * Self.second {
            camera.turn(world.now)
            if world.now >= soundDue {
                soundDue = world.now + 20_000_000
                spoken += 1
                camera.peer.sendRTP(
                    ssrc: 30_001, payloadType: 111, index: spoken, timestamp: UInt32(spoken) * 960,
                    payload: [UInt8](repeating: 0x55, count: 40), audioLevel: 20)
            }
            askForKeyframe()
            // Consent.
            if world.now / 1_000_000 % 5_000 == 0 { for peer in world.peers { peer.check() } }
            world.run(1)
        }
    }

    /// As a browser that has decoded nothing for a while.
    private func askForKeyframe() {
        let last = max(receiver.frames.last?.at ?? start, askedAt)
        guard world.now - last > 400_000_000, viewer.inboxes[ssrc] != nil else { return }
        askedAt = world.now
        let video = ssrc
        viewer.sendRTCP { _ = $0.addPictureLossIndication(senderSSRC: 1, mediaSSRC: video) }
    }

    /// Frames that were decoded between two seconds: how many, and the longest time between them, ns.
    func frames(_ seconds: Range<Int>) -> (count: Int, longest: UInt64, layers: Set<UInt8>) {
        let found = receiver.frames.filter { seconds.contains(Int(($0.at - start) / Self.second)) }
        let times =
            [start + UInt64(seconds.lowerBound) * Self.second] + found.map(\.at)
            + [start + UInt64(seconds.upperBound) * Self.second]
        let longest = zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? 0
        return (found.count, longest, Set(found.map(\.layer)))
    }

    var counters: (omitted: UInt64, forwarded: UInt64) {
        let worker = world.worker(viewer.worker)
        return (worker.pointee.counters[.omittedPackets], worker.pointee.counters[.forwardedPackets])
    }
}

/// What a viewer gets of temporal layers whose line carries not all of them.
@Suite(.serialized)
struct TemporalLayerTests {
    @Test("a line that is too small for all frames carries some", arguments: [false, true])
    func narrow(describes: Bool) throws {
        let scene = try LayeredScene(seed: 1, describes: describes, [(0, 10), (10, 0.15), (30, 10)])
        scene.run(until: 10)
        #expect(scene.frames(5..<10).count >= 145)
        #expect(scene.counters.omitted == 0)
        scene.run(until: 13)
        let (drops, sounds) = (scene.line.drops, scene.sounds)
        scene.line.longestWait = 0
        scene.run(until: 30)
        let narrow = scene.frames(13..<30)
        #expect(narrow.count >= 17 * 7 && narrow.count <= 17 * 20, "\(narrow)")
        #expect(narrow.longest < 500_000_000, "\(narrow)")
        #expect(scene.counters.omitted > 100)
        #expect(scene.line.drops == drops)
        #expect(scene.sounds - sounds >= 17 * 50 - 5)
        #expect(scene.line.longestWait < 150_000_000, "\(scene.line.longestWait / 1_000_000) ms")
        scene.run(until: 37)
        #expect(scene.frames(34..<37).count >= 85)
        #expect(scene.receiver.faults.isEmpty, "\(scene.receiver.faults.prefix(3))")
        #expect(scene.viewer.inboxes[scene.ssrc]?.missing.isEmpty == true)
    }

    @Test("nor does a lossy network break the chain of references", arguments: [2, 12] as [UInt64], [false, true])
    func lossy(seed: UInt64, describes: Bool) throws {
        let uplink = MemoryPort.Link(loss: 0.03, reordering: 0.03, delay: 10_000_000, jitter: 5_000_000)
        let scene = try LayeredScene(seed: seed, describes: describes, uplink: uplink, [(0, 10), (10, 0.16), (30, 10)])
        scene.run(until: 10)
        scene.line.loss = 0.03
        scene.line.jitter = 15_000_000
        scene.run(until: 30)
        // Half of the frames fit at least, and of those some are lost. It is not paused, though delays are noisy.
        let narrow = scene.frames(13..<30)
        #expect(narrow.count >= 17 * 10 && narrow.longest < 1_500_000_000, "\(narrow)")
        #expect(scene.counters.omitted > 50)
        scene.line.loss = 0
        scene.line.jitter = 0
        scene.run(until: 38)
        #expect(scene.frames(34..<38).count >= 90, "\(scene.frames(34..<38))")
        #expect(scene.receiver.faults.isEmpty, "\(scene.receiver.faults.prefix(3))")
    }

    @Test("of several layers the smallest, on any worker", arguments: [1, 2])
    func simulcast(workers: Int) throws {
        let scene = try LayeredScene(
            seed: 3, megabits: [0.1, 0.5, 1.7], describes: false, workers: workers, [(0, 10), (10, 0.15), (30, 10)])
        scene.run(until: 30)
        #expect(scene.frames(5..<10).layers == [2])
        // By then it has been found out what there is.
        let narrow = scene.frames(24..<30)
        #expect(narrow.count >= 6 * 7 && narrow.longest < 500_000_000 && narrow.layers == [0], "\(narrow)")
        #expect(scene.counters.omitted > 100)
        scene.run(until: 38)
        let wide = scene.frames(36..<38)
        #expect(wide.count >= 55 && wide.layers == [2], "\(wide)")
        #expect(scene.receiver.faults.isEmpty, "\(scene.receiver.faults.prefix(3))")
    }

    @Test("a screen stays large, with fewer frames")
    func screen() throws {
        let scene = try LayeredScene(
            seed: 4, megabits: [0.5, 1.7], describes: true, kind: .screen, [(0, 10), (10, 1.1), (30, 10)])
        scene.run(until: 30)
        let narrow = scene.frames(14..<30)
        #expect(narrow.layers == [1] && narrow.count >= 16 * 7 && narrow.count <= 16 * 20, "\(narrow)")
        scene.run(until: 36)
        #expect(scene.frames(33..<36).count >= 85)
        #expect(scene.receiver.faults.isEmpty, "\(scene.receiver.faults.prefix(3))")
    }
}
