import Mailbox
import Testing
import Wire

@testable import Dataplane

/// A camera in three layers of real bitrates, and a microphone.
private final class Publisher {
    static let megabits = [0.15, 0.5, 1.7]
    static let framesPerSecond = 15

    let peer: Peer
    let camera: Camera
    let microphone: TrackHandle
    private let number: UInt32
    private var next: [UInt64] = [100, 200, 300]
    private var spoken: UInt64 = 0
    private var picture: UInt16 = 0
    private var frameDue: UInt64 = 0
    private var soundDue: UInt64 = 0
    private var random: RandomSource

    init(_ world: World, index: UInt32) {
        number = index
        random = RandomSource(seed: UInt64(index))
        peer = Peer(world, index: index, extensions: Peer.numberedExtensions)
        camera = Camera(peer, index: index, layers: 3)
        microphone = TrackHandle(worker: 0, index: index + 50, generation: world.nextGeneration())
        var layers = InlineArray<3, LayerDescription>(repeating: LayerDescription())
        layers[0] = LayerDescription(ssrc: 30_000 + index)
        world.command(
            0,
            .openTrack(
                OpenTrack(
                    track: microphone, source: .session(peer.session), mid: ShortText("a\(index)")!, kind: .audio,
                    codec: .opus, payloadTypes: PayloadTypes(media: 111), layers: layers, layerCount: 1)))
    }

    func turn(_ now: UInt64) {
        if now >= soundDue {
            soundDue = now + 20_000_000
            spoken += 1
            peer.sendRTP(
                ssrc: 30_000 + number, payloadType: 111, index: spoken, timestamp: UInt32(spoken) * 960,
                payload: withUnsafeBytes(of: UInt32(spoken).bigEndian) { Array($0) }
                    + [UInt8](repeating: 0x55, count: 76),
                audioLevel: 20)
        }
        guard now >= frameDue else { return }
        frameDue = now + 1_000_000_000 / UInt64(Self.framesPerSecond)
        picture = (picture + 1) & 0x7fff
        let asked = Set(peer.keyframeRequests)
        peer.keyframeRequests = []
        for layer in 0..<3 { send(layer, isKeyframe: picture == 1 || asked.contains(camera.ssrcs[layer])) }
    }

    private func send(_ layer: Int, isKeyframe: Bool) {
        let mean = Self.megabits[layer] * 1e6 / 8 / Double(Self.framesPerSecond)
        let spread = 0.8 + 0.4 * Double(random.next() >> 11) * 0x1p-53
        // A keyframe takes what several pictures take.
        var bytes = Int(mean * spread * (isKeyframe ? 4 : 1))
        var isFirst = true
        while bytes > 0 {
            let count = min(bytes, 1_100)
            bytes -= count
            var payload: [UInt8] = [
                isFirst ? 0x90 : 0x80, 0x80, 0x80 | UInt8(picture >> 8), UInt8(picture & 0xff),
            ]
            if isFirst {
                let height = Camera.heights[layer]
                payload += [
                    isKeyframe ? 0 : 1, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, UInt8(height & 0xff), UInt8(height >> 8),
                ]
            }
            payload += [UInt8](repeating: UInt8(layer), count: max(count - payload.count, 1))
            peer.sendRTP(
                ssrc: camera.ssrcs[layer], payloadType: Camera.payloadType, index: next[layer],
                timestamp: UInt32(picture) * 6_000, marker: bytes == 0, payload: payload)
            next[layer] += 1
            isFirst = false
        }
    }
}

/// Two publishers, and a viewer of both behind a line that is narrow for a while.
private final class Scene {
    let world: World
    let publishers: [Publisher]
    let viewer: Peer
    /// The viewer's own camera and microphone.
    private let own: Publisher
    var viewerPublishes = false
    let line: Downlink
    /// By a Slot's SSRC: packets that end a picture, with their layer and when they came, ns.
    private(set) var pictures: [UInt32: [(layer: Int, at: UInt64)]] = [:]
    /// Of the viewer's path, by `takeNews`.
    private(set) var reports: [PathReport] = []
    private(set) var sounds: [UInt32: Int] = [:]
    /// The beginnings of those that came.
    private var heard: [UInt32: Set<[UInt8]>] = [:]
    let videos: [UInt32]
    /// The Slots of `videos`.
    let slots: [SlotHandle]
    private let start: UInt64

    init(seed: UInt64, _ capacity: [(second: Double, megabits: Double)], red: Bool = false) throws {
        let world = try World(seed: seed)
        self.world = world
        publishers = [Publisher(world, index: 1), Publisher(world, index: 2)]
        own = Publisher(world, index: 3)
        viewer = own.peer
        viewer.answersFeedback = true
        var videos: [UInt32] = []
        var slots: [SlotHandle] = []
        for (place, publisher) in publishers.enumerated() {
            let (video, ssrc) = openSlot(viewer, index: UInt32(10 + place))
            let (audio, _) = openSlot(viewer, index: UInt32(20 + place), kind: .audio, rtx: false, red: red)
            world.command(
                0, .mapSlot(MapSlot(slot: video, track: publisher.camera.track, maxHeight: 720)),
                .mapSlot(MapSlot(slot: audio, track: publisher.microphone, maxHeight: 0)))
            videos.append(ssrc)
            slots.append(video)
        }
        self.videos = videos
        self.slots = slots
        world.run(3)
        for peer in publishers.map(\.peer) + [viewer] { peer.check() }
        world.run(10)
        start = world.now
        let second = Double(start) / 1e9
        line = Downlink(capacity.map { ($0.second == 0 ? 0 : $0.second + second, $0.megabits) }, seed: seed)
        viewer.downlink = line
        viewer.onMedia = { [unowned self] ssrc, payload in take(ssrc, payload) }
    }

    private func take(_ ssrc: UInt32, _ payload: [UInt8]) {
        guard videos.contains(ssrc) else {
            if heard[ssrc, default: []].insert(Array(payload.prefix(4))).inserted { sounds[ssrc, default: 0] += 1 }
            return
        }
        guard payload[0] & 0x10 != 0, let layer = payload.last else { return }
        pictures[ssrc, default: []].append((Int(layer), world.now - start))
    }

    /// Messages of feedback to the viewer between two seconds.
    func feedback(_ seconds: Range<UInt64>) -> Int {
        viewer.feedback.count { seconds.contains(($0.at - start) / 1_000_000_000) }
    }

    /// Until so many seconds after the start.
    func run(until second: Int) {
        while world.now - start < UInt64(second) * 1_000_000_000 {
            for publisher in publishers { publisher.turn(world.now) }
            if viewerPublishes { own.turn(world.now) }
            // Consent.
            if world.now / 1_000_000 % 5_000 == 0 { for peer in world.peers { peer.check() } }
            world.run(1)
        }
    }

    /// Pictures that began to come between two seconds.
    func count(_ ssrc: UInt32, _ seconds: Range<Int>) -> Int {
        (pictures[ssrc] ?? []).count { seconds.contains(Int($0.at / 1_000_000_000)) }
    }

    /// Takes what was told of a Slot since it was asked last: "switched" or "paused".
    func takeNews() -> [SlotHandle: [String]] {
        var news: [SlotHandle: [String]] = [:]
        for event in world.events {
            switch event {
            case .slotSwitched(let slot, _, _, _): news[slot, default: []].append("switched")
            case .slotPaused(let slot, _): news[slot, default: []].append("paused")
            case .pathReport(let session, let report) where session == viewer.session: reports.append(report)
            default: break
            }
        }
        world.events.removeAll()
        return news
    }

    /// Their layers.
    func layers(_ ssrc: UInt32, _ seconds: Range<Int>) -> Set<Int> {
        Set((pictures[ssrc] ?? []).filter { seconds.contains(Int($0.at / 1_000_000_000)) }.map(\.layer))
    }
}

/// What a viewer gets whose line carries less than there is.
@Suite(.serialized)
struct BandwidthTests {
    @Test("a narrow line carries what fits, and its sound", arguments: [1.0, 0.5])
    func narrow(megabits: Double) throws {
        let scene = try Scene(seed: 1, [(0, 10), (10, megabits), (30, 10)])
        scene.run(until: 10)
        for ssrc in scene.videos { #expect(scene.layers(ssrc, 5..<10) == [2]) }
        scene.run(until: 13)
        let dropsBefore = scene.line.drops
        let soundsBefore = scene.sounds
        scene.line.longestWait = 0
        scene.run(until: 30)
        // Two small pictures and two sounds take 520 kbit/s with their headers.
        let moving = scene.videos.map { scene.count($0, 13..<30) }.filter { $0 >= 17 * 10 }
        #expect(moving.count == (megabits < 1 ? 1 : 2))
        #expect(scene.line.drops == dropsBefore)
        for (ssrc, sounds) in scene.sounds { #expect(sounds - (soundsBefore[ssrc] ?? 0) >= 17 * 50 - 5) }
        #expect(scene.line.longestWait < 150_000_000, "\(scene.line.longestWait / 1_000_000) ms")
        scene.run(until: 37)
        for ssrc in scene.videos { #expect(scene.layers(ssrc, 35..<37) == [2]) }
    }

    @Test("feedback leaves a narrow line to the sound that it carries")
    func feedback() throws {
        let scene = try Scene(seed: 6, [(0, 10), (10, 0.16)])
        scene.viewerPublishes = true
        scene.run(until: 30)
        #expect((80...100).contains(scene.feedback(5..<10)))
        #expect((40...80).contains(scene.feedback(20..<30)))
    }

    @Test("a machine that stalls keeps a free line, and gets it back", arguments: [20, 40] as [UInt64])
    func stalls(milliseconds: UInt64) throws {
        let scene = try Scene(seed: 3, [(0, 20), (30, 0.5), (45, 20)])
        scene.line.longestStall = milliseconds * 1_000_000
        scene.run(until: 30)
        for ssrc in scene.videos { #expect(scene.layers(ssrc, 5..<30) == [2]) }
        scene.run(until: 60)
        for ssrc in scene.videos { #expect(scene.layers(ssrc, 52..<60) == [2]) }
    }

    @Test("what is only late is not sent again")
    func jitter() throws {
        let scene = try Scene(seed: 5, [(0, 10)])
        scene.run(until: 5)
        scene.line.jitter = 40_000_000
        scene.run(until: 8)
        let worker = scene.world.worker()
        let repeated = worker.pointee.counters[.retransmittedPackets]
        let forwarded = worker.pointee.counters[.forwardedPackets]
        scene.run(until: 23)
        let share =
            Double(worker.pointee.counters[.retransmittedPackets] - repeated)
            / Double(worker.pointee.counters[.forwardedPackets] - forwarded)
        #expect(share < 0.02, "\(share)")
        #expect(worker.pointee.counters[.resendsHeldBack] > 0)
        for ssrc in scene.videos { #expect(scene.layers(ssrc, 10..<23) == [2]) }
        // What is lost still comes.
        scene.line.jitter = 0
        scene.line.loss = 0.05
        scene.run(until: 38)
        scene.line.loss = 0
        scene.run(until: 40)
        #expect(worker.pointee.counters[.retransmittedPackets] > repeated + 200)
        for ssrc in scene.videos { #expect(scene.viewer.inboxes[ssrc]?.missing.isEmpty == true) }
    }

    @Test("sound is whole on a line that loses some, where RED was agreed", arguments: [true, false])
    func lossy(red: Bool) throws {
        let scene = try Scene(seed: 4, [(0, 10)], red: red)
        scene.run(until: 5)
        #expect(scene.world.worker().pointee.counters[.redundantPackets] == 0)
        scene.line.loss = 0.1
        scene.run(until: 8)
        let before = scene.sounds
        scene.run(until: 23)
        for (ssrc, sounds) in scene.sounds {
            let share = Double(sounds - (before[ssrc] ?? 0)) / (15 * 50)
            #expect(red ? share > 0.995 : share < 0.95, "\(share)")
        }
        guard red else { return #expect(scene.world.worker().pointee.counters[.redundantPackets] == 0) }
        scene.line.loss = 0
        scene.run(until: 45)
        let repeated = scene.world.worker().pointee.counters[.redundantPackets]
        #expect(repeated > 1_500)
        scene.run(until: 48)
        #expect(scene.world.worker().pointee.counters[.redundantPackets] == repeated)
    }

    @Test("a very narrow line carries sound, and a small picture at most")
    func veryNarrow() throws {
        let scene = try Scene(seed: 2, [(0, 10), (10, 0.15), (30, 10)])
        scene.run(until: 10)
        _ = scene.takeNews()
        #expect(scene.reports.last?.level == .good && scene.reports.last?.paused == 0, "\(scene.reports)")
        scene.run(until: 13)
        let soundsBefore = scene.sounds
        let dropsBefore = scene.line.drops
        scene.line.longestWait = 0
        scene.run(until: 30)
        let narrow = scene.takeNews()
        for slot in scene.slots { #expect(narrow[slot]?.contains("paused") == true, "\(narrow)") }
        #expect(scene.reports.contains { $0.level == .poor && $0.paused == 2 }, "\(scene.reports)")
        #expect(scene.line.drops == dropsBefore)
        for (ssrc, sounds) in scene.sounds { #expect(sounds - (soundsBefore[ssrc] ?? 0) >= 17 * 50 - 5) }
        #expect(scene.line.longestWait < 150_000_000, "\(scene.line.longestWait / 1_000_000) ms")
        scene.run(until: 37)
        let wide = scene.takeNews()
        for slot in scene.slots { #expect(wide[slot]?.last == "switched", "\(wide)") }
        #expect(scene.reports.last?.level == .good && scene.reports.last?.paused == 0, "\(scene.reports)")
        for ssrc in scene.videos { #expect(scene.layers(ssrc, 35..<37) == [2]) }
    }
}
