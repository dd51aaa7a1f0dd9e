import Mailbox
import Wire

/// Work for benchmarks: a worker with Lanes. It seals a camera's packets into as many of them as `ForwardingCost` has
/// receivers, or receives over them as many cameras as `ReceivingCost` has publishers.
@_spi(Benchmark)
public struct LaneCost: ~Copyable {
    /// What the worker does.
    public enum Way: Sendable {
        case seal, open
    }

    private static let payloadLength = 1_100
    private static let packetsPerRound = 64
    /// Memory of one Lane, without the Tracks' caches, bytes.
    public static var byteCount: Int {
        HandleTable<LaneKind, Lane>.stride + Lane.transformCount * SRTPTransform.byteCount
            + LaneHistory.depth * MemoryLayout<UInt64>.stride
    }

    private let way: Way
    private let count: Int
    private var room: BenchmarkRoom<ArrivalQueue>
    private let mesh: HandoverMesh
    private let clock = CycleClock()
    private var source: BenchmarkSource
    private var senders: [LaneSender]

    /// A worker with `count` Lanes, after rounds that fill the caches.
    public static func prepare(_ way: Way, count: Int, port: borrowing DPDKPort) throws(PortFailure) -> LaneCost {
        var cost = LaneCost(way, count: count, port: port)
        try cost.setUp()
        for _ in 0..<(way == .seal ? 16 : count * RetransmissionCache.depth / packetsPerRound) { _ = try cost.round() }
        return cost
    }

    private init(_ way: Way, count: Int, port: borrowing DPDKPort) {
        self.way = way
        self.count = count
        mesh = HandoverMesh(workers: 1)
        let queue = ArrivalQueue(
            device: port.queue(ofWorker: 0), offload: ChecksumOffload(udp: true), capacity: Self.packetsPerRound,
            burst: Worker<ArrivalQueue>.burst)
        room = BenchmarkRoom(
            capacity: Capacity(sessions: count + 2, tracks: count + 1, slots: 1, lanes: count, crossings: count),
            cacheBudget: (count + 1) * RetransmissionCache.depth + 1, mesh: mesh, pool: port.pool(ofWorker: 0),
            queue: queue, mac: port.mac)
        let mac = port.mac
        source = BenchmarkSource(
            BenchmarkPeer(index: 0, mac: mac), media: .camera, profile: LaneFormat.profile,
            payloadLength: Self.payloadLength)
        senders = (0..<count).map { LaneSender(index: $0, mac: mac, payloadLength: Self.payloadLength) }
    }

    deinit {
        room.worker.pointee.queue.deallocate()
        source.deallocate()
        for sender in senders { sender.deallocate() }
        mesh.deallocate()
    }

    private mutating func setUp() throws(PortFailure) {
        try room.join(BenchmarkPeer(index: 0, mac: room.mac), profile: LaneFormat.profile)
        room.command([.openTrack(source.openTrack)])
        for index in 0..<count {
            room.command(senders[index].commands(crossing: way == .seal ? source.track : nil))
            let worker = room.worker
            guard let lane = worker.pointee.cascade.lanes.find(senders[index].lane) else {
                throw PortFailure("the worker refused a Lane")
            }
            // There is nobody to ask for the next hop.
            lane.pointee.template = senders[index].outbound
            lane.pointee.send = lane.pointee.sendKeys
            lane.pointee.routeDue = .max
            if lane.pointee.firstCrossing != Link.none {
                let crossing = worker.pointee.cascade.crossings.element(at: Int(lane.pointee.firstCrossing))
                crossing.pointee.wanted = LayerSet(0)
                worker.pointee.reviseCrossed(worker.pointee.tracks.element(at: source.track.index))
            }
        }
    }

    /// Seals and queues the next packets, then takes the time that the worker spends on them.
    public mutating func round() throws(PortFailure) -> ForwardingCost.Round {
        let worker = room.worker
        let frames = worker.pointee.queue.frames
        guard room.pool.allocate(into: frames, count: Self.packetsPerRound) else {
            throw PortFailure("the pool has no buffers left for the load")
        }
        for place in 0..<Self.packetsPerRound {
            if way == .seal { source.seal(frames + place, 1) } else { senders[place % count].seal(frames[place]) }
        }
        let before = carried
        worker.pointee.queue.fill(Self.packetsPerRound)
        var cycles: UInt64 = 0
        while worker.pointee.queue.hasArrivals {
            let began = clock.cycles()
            _ = worker.pointee.turn(now: room.now)
            let spent = clock.cycles() &- began
            cycles &+= spent
            room.now &+= clock.nanoseconds(spent)
        }
        room.forgetEvents()
        let packets = Int(carried &- before)
        guard packets == Self.packetsPerRound * (way == .seal ? count : 1) else {
            throw PortFailure("of \(Self.packetsPerRound) packets \(packets) went over Lanes")
        }
        return ForwardingCost.Round(cycles: cycles, packets: packets)
    }

    /// Packets so far. The far ends are heard all the time.
    private var carried: UInt64 {
        var sum: UInt64 = 0
        for index in 0..<count {
            let lane = room.worker.pointee.cascade.lanes.element(at: index)
            lane.pointee.heardAt = room.now
            lane.pointee.isHeard = true
            sum &+= way == .seal ? lane.pointee.report.sentPackets : lane.pointee.reception.received
        }
        return sum
    }
}

/// A Lane's far end, which sends one camera's packets.
private struct LaneSender {
    let lane: LaneHandle
    private let index: Int
    private let peer: BenchmarkPeer
    private let payloadLength: Int
    private let track: TrackHandle
    private let engine: UnsafeMutablePointer<SRTPEngine>
    private let memory: UnsafeMutableRawPointer
    private let transform: SRTPTransform
    private var sequence: UInt64 = 1_000
    private let mac: MACAddress

    init(index: Int, mac: MACAddress, payloadLength: Int) {
        self.index = index
        self.mac = mac
        self.payloadLength = payloadLength
        peer = BenchmarkPeer(index: 100 + index, mac: mac)
        lane = LaneHandle(worker: 0, index: UInt32(index), generation: 1)
        track = TrackHandle(worker: 0, index: UInt32(1 + index), generation: 1)
        engine = .allocate(capacity: 1)
        engine.initialize(to: SRTPEngine())
        memory = .allocate(byteCount: SRTPTransform.byteCount, alignment: SRTPTransform.alignment)
        transform = .install(
            at: memory, engine: engine.pointee, profile: LaneFormat.profile,
            master: peer.master(LaneFormat.profile, isSend: false))
    }

    func deallocate() {
        transform.erase()
        memory.deallocate()
        engine.deinitialize(count: 1)
        engine.deallocate()
    }

    /// From the worker.
    var outbound: FrameTemplate {
        FrameTemplate(
            source: BenchmarkPeer.us, destination: peer.endpoint, sourceMAC: mac,
            destinationMAC: MACAddress(0x02_0000_0000_00 + UInt64(100 + index)))
    }

    /// With `crossing` that Track goes over the Lane, else one comes.
    func commands(crossing: TrackHandle?) -> [Command] {
        var commands: [Command] = [
            .openTrunk(peer.endpoint),
            .openLane(
                OpenLane(
                    lane: lane, peer: LaneName(part: 3, worker: 1, index: index, generation: 1), remote: peer.endpoint,
                    receive: LaneKey(master: peer.master(LaneFormat.profile, isSend: false), phase: 0),
                    send: LaneKey(master: peer.master(LaneFormat.profile, isSend: true), phase: 0))),
        ]
        if let crossing {
            commands.append(
                .openCrossing(
                    OpenCrossing(
                        crossing: CrossingHandle(worker: 0, index: UInt32(index), generation: 1), track: crossing,
                        lane: lane, name: LaneName(part: 0, worker: 1, index: index, generation: 1))))
        } else {
            commands.append(
                .openTrack(
                    OpenTrack(
                        track: track, source: .lane(lane), mid: ShortText(), kind: .video, codec: .vp8,
                        payloadTypes: PayloadTypes(), layers: .init(repeating: .init()), layerCount: 1)))
        }
        return commands
    }

    /// Writes and seals the next packet.
    mutating func seal(_ packet: Mbuf) {
        let start = packet.data + peer.template.length
        let name = LaneName(part: 0, worker: 0, index: track.index, generation: 1)
        let number = sequence &- 1_000
        var elements = ShortExtension()
        elements.add(LaneFormat.sequenceID, be16: UInt16(truncatingIfNeeded: number))
        let place = number % 10
        let header = elements.write(
            to: start, marker: place == 9, payloadType: LaneFormat.payloadType(.vp8, phase: 0),
            sequence: UInt16(truncatingIfNeeded: sequence), timestamp: UInt32(truncatingIfNeeded: number / 10 * 3_000),
            ssrc: name.raw)
        let payload = start + header
        payload.initializeMemory(as: UInt8.self, repeating: 0x5a, count: payloadLength)
        let picture = UInt8(truncatingIfNeeded: number / 10)
        let beginning: [UInt8] = [number == 0 ? 0x10 : 0x11, 0x02, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02]
        ([place == 0 ? 0x90 : 0x80, 0xc0, 0x80, picture, picture] + (place == 0 ? beginning : [])).withUnsafeBytes {
            payload.copyMemory(from: $0.baseAddress!, byteCount: $0.count)
        }
        let bytes = start.assumingMemoryBound(to: UInt8.self)
        var job = SealJob(
            transform: transform, source: bytes + header, destination: bytes, headerLength: header,
            payloadLength: payloadLength, index: sequence, ssrc: name.raw)
        engine.pointee.seal(&job, 1)
        peer.template.write(into: packet.data, payloadLength: job.sealedLength)
        _ = packet.setLength(peer.template.length + job.sealedLength)
        sequence += 1
    }
}
