import Mailbox
import Testing
import Wire

@testable import Dataplane

/// Worlds on one clock with a network between them, and a Lane from a worker of each to a worker of the next.
final class Trunk {
    struct Path {
        /// One way, ms.
        var delay = 0
        /// Of 1: independent losses.
        var loss = 0.0
    }

    let worlds: [World]
    let path: Path
    let workers: (Int, Int)
    /// Of each hop from a world to the next: the Lane as the two see it.
    private(set) var hops: [[LaneHandle]] = []
    /// By world: the key that it chose for what comes to it, by hop.
    private(set) var keys: [[SRTPMasterKey]] = []
    private var random: RandomSource
    private var clock = 0
    /// By when they arrive (ms), and where.
    private var frames: [Int: [(world: Int, bytes: [UInt8])]] = [:]
    /// RTP packets that each world sent to the other, by name; and those that were lost.
    var sent: [[UInt32: Int]]
    private(set) var lost = 0
    /// May change a frame, or take it out.
    var intercept: (_ from: Int, _ frame: [UInt8]) -> [UInt8]? = { _, frame in frame }
    private var phases: [UInt8] = [0, 0]
    /// What was sent under each index of each direction's present keys: one SRTP nonce never has two contents (RFC 7714
    /// section 8.1).
    private struct Nonce: Hashable {
        var from: Int
        var to: Int
        var type: UInt8
        var ssrc: UInt32
        var index: UInt64
    }
    private var sealed: [Nonce: [UInt8]] = [:]
    private var highest: [Nonce: UInt64] = [:]
    /// Whether nothing gets through to a world.
    var isCut: [Bool]

    init(
        seed: UInt64, workers count: Int = 1, on workers: (Int, Int) = (0, 0), path: Path = Path(), v6: Bool = false,
        worlds worldCount: Int = 2
    ) throws {
        let capacity = Capacity(sessions: 32, tracks: 64, slots: 128, lanes: 4, crossings: 64)
        worlds = try (0..<worldCount).map {
            try World(
                workers: count, seed: seed &+ UInt64($0) &* 1_000, buffers: 2_047, capacity: capacity, number: $0)
        }
        sent = .init(repeating: [:], count: worldCount)
        isCut = .init(repeating: false, count: worldCount)
        self.path = path
        self.workers = workers
        random = RandomSource(seed: seed &+ 5)
        for hop in 0..<worldCount - 1 { open(hop, v6: v6) }
        for number in 0..<worldCount { worlds[number].onFrame = { [unowned self] in cross($0, from: number) } }
        // The next hops are asked for.
        run(200 + 4 * path.delay)
    }

    /// As the worlds 0 and 1 see the first.
    var lanes: [LaneHandle] { hops[0] }

    func lane(_ number: Int) -> UnsafeMutablePointer<Lane> {
        worlds[number].worker(place(number)).pointee.cascade.lanes.find(hops[0][number])!
    }

    /// That of world 0 for a Track in world 1.
    func crossing(to far: TrackHandle) -> UnsafeMutablePointer<Crossing> {
        worlds[0].worker(place(0)).pointee.cascade.crossing(Self.name(far), of: lanes[0])!
    }

    /// The worker of a world's Lanes.
    private func place(_ number: Int) -> Int { number == 0 ? workers.0 : workers.1 }

    private func open(_ hop: Int, v6: Bool) {
        let ends = [hop, hop + 1]
        keys.append(ends.map { _ in Peer.key(LaneFormat.profile, &random) })
        hops.append(
            ends.enumerated().map { end, number in
                LaneHandle(
                    worker: UInt8(place(number)), index: UInt32(2 - end), generation: worlds[number].nextGeneration())
            })
        for end in 0..<2 {
            let (world, other) = (worlds[ends[end]], worlds[ends[1 - end]])
            let remote = Endpoint(address: v6 ? other.addressV6 : other.address, port: World.mediaPort)
            for worker in 0..<world.mailboxes.count { world.command(worker, .openTrunk(remote)) }
            let far = hops[hop][1 - end]
            world.command(
                place(ends[end]),
                .openLane(
                    OpenLane(
                        lane: hops[hop][end], peer: Self.name(far), remote: remote,
                        receive: LaneKey(master: keys[hop][end], phase: 0),
                        send: LaneKey(master: keys[hop][1 - end], phase: 0))))
        }
    }

    static func name(_ lane: LaneHandle) -> LaneName {
        LaneName(part: LaneName.lanePart, worker: lane.worker, index: lane.index, generation: lane.generation)
    }

    static func name(_ track: TrackHandle) -> LaneName {
        LaneName(part: 0, worker: track.worker, index: track.index, generation: track.generation)
    }

    /// Gives the direction toward world `number` another key: the receiver first.
    func changeKey(toward number: Int) {
        phases[number] ^= 1
        // A phase's next key.
        let from = 1 - number
        sealed = sealed.filter { nonce, _ in
            let phase = nonce.type == 0 ? UInt8(nonce.index >> 30 & 1) : (nonce.type - 96) >> 3
            return nonce.from != from || phase != phases[number]
        }
        let key = LaneKey(master: Peer.key(LaneFormat.profile, &random), phase: phases[number])
        worlds[number].command(
            place(number), .changeLaneKey(ChangeLaneKey(lane: lanes[number], isSend: false, key: key)))
        run(path.delay + 3)
        worlds[1 - number].command(
            place(1 - number), .changeLaneKey(ChangeLaneKey(lane: lanes[1 - number], isSend: true, key: key)))
    }

    /// Lets a Track of world `hop` go to the next: its handle there.
    func carry(
        _ track: TrackHandle, index: UInt32, kind: MediaKind = .video, codec: Codec = .vp8, layers: Int = 1,
        hop: Int = 0
    ) -> TrackHandle {
        let far = TrackHandle(worker: UInt8(workers.1), index: index, generation: worlds[hop + 1].nextGeneration())
        worlds[hop + 1].command(
            workers.1,
            .openTrack(
                OpenTrack(
                    track: far, source: .lane(hops[hop][1]), mid: ShortText(), kind: kind, codec: codec,
                    payloadTypes: PayloadTypes(), layers: .init(repeating: LayerDescription()),
                    layerCount: UInt8(layers))))
        run(2)
        open(track, to: far, index: index, hop: hop)
        run(2)
        return far
    }

    func open(_ track: TrackHandle, to far: TrackHandle, index: UInt32, hop: Int = 0) {
        worlds[hop].command(
            place(hop),
            .openCrossing(
                OpenCrossing(
                    crossing: CrossingHandle(
                        worker: UInt8(place(hop)), index: index, generation: worlds[hop].nextGeneration()),
                    track: track, lane: hops[hop][0], name: Self.name(far))))
    }

    /// `step`: ms that pass at once.
    func run(_ milliseconds: Int, step: Int = 1) {
        for _ in 0..<milliseconds / step {
            for _ in 0..<step {
                clock += 1
                for frame in frames.removeValue(forKey: clock) ?? [] { worlds[frame.world].port.deliver(frame.bytes) }
            }
            for world in worlds { world.turn(after: UInt64(step) * World.step) }
        }
    }

    private func cross(_ frame: [UInt8], from number: Int) {
        let destination = frame.withUnsafeBytes { DatagramFrame($0)?.destination.address }
        for other in worlds.indices where other != number {
            let world = worlds[other]
            // What is for none (ARP and neighbour discovery) is for everybody.
            if let destination, destination != world.address, destination != world.addressV6,
                destination.high >> 56 != 0xff
            {
                continue
            }
            cross(frame, from: number, to: other)
        }
    }

    private func cross(_ frame: [UInt8], from number: Int, to other: Int) {
        let isMedia = count(frame, from: number, to: other)
        if isMedia != nil, Double(random.next() >> 11) * 0x1p-53 < path.loss {
            lost += isMedia == true ? 1 : 0
            return
        }
        guard !isCut[other], !isCut[number], let frame = intercept(number, frame) else { return }
        frames[clock + 1 + path.delay, default: []].append((other, frame))
    }

    /// Whether it is RTP (true) or RTCP (false); nil for neither.
    private func count(_ frame: [UInt8], from number: Int, to other: Int) -> Bool? {
        frame.withUnsafeBytes { bytes in
            guard let datagram = DatagramFrame(bytes), datagram.payloadLength >= 12,
                let payload = datagram.payload.baseAddress
            else { return nil }
            switch PacketKind(datagram.payload) {
            case .rtp:
                compare(datagram.payload, from: number, to: other)
                sent[number][payload.be32(8), default: 0] += 1
                return true
            case .rtcp:
                compare(datagram.payload, from: number, to: other)
                return false
            default: return nil
            }
        }
    }

    private func compare(_ payload: UnsafeRawBufferPointer, from number: Int, to other: Int) {
        let base = payload.baseAddress!
        let isRTP = PacketKind(payload) == .rtp
        var nonce = Nonce(
            from: number, to: other, type: isRTP ? base.u8(1) & 0x7f : 0, ssrc: base.be32(isRTP ? 8 : 4), index: 0)
        if isRTP {
            let sequence = base.be16(2)
            let index = SequenceNumber.extended(sequence, near: highest[nonce] ?? UInt64(sequence)) ?? 0
            highest[nonce] = max(highest[nonce] ?? 0, index)
            nonce.index = index
        } else {
            // With the phase.
            nonce.index = UInt64(base.be32(payload.count - 4))
        }
        let before = sealed.updateValue(Array(payload), forKey: nonce)
        #expect(before == nil || before == Array(payload), "one nonce, two contents")
    }
}
