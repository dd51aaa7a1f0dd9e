import Mailbox
import Testing
import Wire

@testable import Dataplane

/// Two worlds on one clock with a network between them, and a Lane from a worker of the one to a worker of the other.
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
    private(set) var lanes: [LaneHandle] = []
    private var random: RandomSource
    private var clock = 0
    /// By when they arrive (ms), and where.
    private var frames: [Int: [(world: Int, bytes: [UInt8])]] = [:]
    /// RTP packets that each world sent to the other, by name; and those that were lost.
    var sent: [[UInt32: Int]] = [[:], [:]]
    private(set) var lost = 0
    /// May change a frame, or take it out.
    var intercept: (_ from: Int, _ frame: [UInt8]) -> [UInt8]? = { _, frame in frame }
    private var phases: [UInt8] = [0, 0]

    init(
        seed: UInt64, workers count: Int = 1, on workers: (Int, Int) = (0, 0), path: Path = Path(), v6: Bool = false
    ) throws {
        let capacity = Capacity(sessions: 32, tracks: 64, slots: 128, lanes: 4, crossings: 64)
        worlds = try (0..<2).map {
            try World(workers: count, seed: seed &+ UInt64($0) &* 1_000, capacity: capacity, number: $0)
        }
        self.path = path
        self.workers = workers
        random = RandomSource(seed: seed &+ 5)
        open(v6: v6)
        for number in 0..<2 { worlds[number].onFrame = { [unowned self] in cross($0, from: number) } }
        // The next hops are asked for.
        run(200 + 4 * path.delay)
    }

    private func open(v6: Bool) {
        let keys = (0..<2).map { _ in Peer.key(LaneFormat.profile, &random) }
        let places = [workers.0, workers.1]
        lanes = (0..<2).map { LaneHandle(worker: UInt8(places[$0]), index: 1, generation: worlds[$0].nextGeneration()) }
        for number in 0..<2 {
            let other = worlds[1 - number]
            let remote = Endpoint(address: v6 ? other.addressV6 : other.address, port: World.mediaPort)
            for worker in 0..<worlds[number].mailboxes.count { worlds[number].command(worker, .openTrunk(remote)) }
            let far = lanes[1 - number]
            worlds[number].command(
                places[number],
                .openLane(
                    OpenLane(
                        lane: lanes[number],
                        peer: LaneName(
                            part: LaneName.lanePart, worker: far.worker, index: far.index, generation: far.generation),
                        remote: remote, receive: LaneKey(master: keys[number], phase: 0),
                        send: LaneKey(master: keys[1 - number], phase: 0))))
        }
    }

    /// Gives the direction toward world `number` another key: the receiver first.
    func changeKey(toward number: Int) {
        phases[number] ^= 1
        let key = LaneKey(master: Peer.key(LaneFormat.profile, &random), phase: phases[number])
        let places = [workers.0, workers.1]
        worlds[number].command(
            places[number], .changeLaneKey(ChangeLaneKey(lane: lanes[number], isSend: false, key: key)))
        run(path.delay + 3)
        worlds[1 - number].command(
            places[1 - number], .changeLaneKey(ChangeLaneKey(lane: lanes[1 - number], isSend: true, key: key)))
    }

    /// Lets a Track of world 0 go to world 1: its handle there.
    func carry(
        _ track: TrackHandle, index: UInt32, kind: MediaKind = .video, codec: Codec = .vp8, layers: Int = 1
    ) -> TrackHandle {
        let far = TrackHandle(worker: UInt8(workers.1), index: index, generation: worlds[1].nextGeneration())
        worlds[1].command(
            workers.1,
            .openTrack(
                OpenTrack(
                    track: far, source: .lane(lanes[1]), mid: ShortText(), kind: kind, codec: codec,
                    payloadTypes: PayloadTypes(), layers: .init(repeating: LayerDescription()),
                    layerCount: UInt8(layers))))
        run(2)
        worlds[0].command(
            workers.0,
            .openCrossing(
                OpenCrossing(
                    crossing: CrossingHandle(
                        worker: UInt8(workers.0), index: index, generation: worlds[0].nextGeneration()),
                    track: track, lane: lanes[0],
                    name: LaneName(part: 0, worker: far.worker, index: far.index, generation: far.generation))))
        run(2)
        return far
    }

    func run(_ milliseconds: Int) {
        for _ in 0..<milliseconds {
            clock += 1
            for frame in frames.removeValue(forKey: clock) ?? [] { worlds[frame.world].port.deliver(frame.bytes) }
            for world in worlds { world.turn() }
        }
    }

    private func cross(_ frame: [UInt8], from number: Int) {
        let destination = frame.withUnsafeBytes { DatagramFrame($0)?.destination.address }
        let other = worlds[1 - number]
        // What is for neither (ARP and neighbour discovery) is for everybody.
        if let destination, destination != other.address, destination != other.addressV6 {
            guard destination.high >> 56 == 0xff else { return }
        }
        let isMedia = count(frame, from: number)
        if isMedia != nil, Double(random.next() >> 11) * 0x1p-53 < path.loss {
            lost += isMedia == true ? 1 : 0
            return
        }
        guard let frame = intercept(number, frame) else { return }
        frames[clock + 1 + path.delay, default: []].append((1 - number, frame))
    }

    /// Whether it is RTP (true) or RTCP (false); nil for neither.
    private func count(_ frame: [UInt8], from number: Int) -> Bool? {
        frame.withUnsafeBytes { bytes in
            guard let datagram = DatagramFrame(bytes), datagram.payloadLength >= 12,
                let payload = datagram.payload.baseAddress
            else { return nil }
            switch PacketKind(datagram.payload) {
            case .rtp:
                sent[number][payload.be32(8), default: 0] += 1
                return true
            case .rtcp: return false
            default: return nil
            }
        }
    }
}
