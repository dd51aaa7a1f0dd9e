import Mailbox
import Wire

/// Work for benchmarks: the worker receives cameras' packets that nobody watches.
///
/// All of the receive side is in it: classify, find the flow, open, replay and roll-over, header extensions, VP8
/// descriptor, feedback to the publishers, and the retransmission caches, full as those of a worker that runs for a while.
@_spi(Benchmark)
public struct ReceivingCost: ~Copyable {
    /// Their caches hold 8,192 packets.
    private static let publishers = 16
    private static let packetsPerRound = 64

    private var room: BenchmarkRoom<ArrivalQueue>
    private let mesh: HandoverMesh
    private let clock = CycleClock()
    private var sources: [BenchmarkSource]

    /// A worker with sessions and Tracks, whose caches are full.
    public static func prepare(_ profile: SRTPProfile, port: borrowing DPDKPort) throws(PortFailure) -> ReceivingCost {
        var cost = ReceivingCost(profile, port: port)
        for index in 0..<publishers {
            try cost.room.join(BenchmarkPeer(index: index, mac: port.mac), profile: profile)
            cost.room.command([.openTrack(cost.sources[index].openTrack)])
        }
        for _ in 0..<publishers * RetransmissionCache.depth / packetsPerRound { _ = try cost.round() }
        return cost
    }

    private init(_ profile: SRTPProfile, port: borrowing DPDKPort) {
        mesh = HandoverMesh(workers: 1)
        let queue = ArrivalQueue(
            device: port.queue(ofWorker: 0), offload: ChecksumOffload(udp: true), capacity: Self.packetsPerRound,
            burst: Worker<ArrivalQueue>.burst)
        room = BenchmarkRoom(
            capacity: Capacity(sessions: Self.publishers, tracks: Self.publishers, slots: 1),
            cacheBudget: Self.publishers * RetransmissionCache.depth + 1, mesh: mesh, pool: port.pool(ofWorker: 0),
            queue: queue, mac: port.mac)
        let mac = port.mac
        sources = (0..<Self.publishers).map { index in
            BenchmarkSource(
                BenchmarkPeer(index: index, mac: mac), number: index, media: .camera, profile: profile,
                payloadLength: 1_100)
        }
    }

    deinit {
        room.worker.pointee.queue.deallocate()
        for source in sources { source.deallocate() }
        mesh.deallocate()
    }

    /// Seals and queues the next packets, the publishers' in turn, then takes the time in which the worker opens and
    /// keeps them.
    public mutating func round() throws(PortFailure) -> ForwardingCost.Round {
        let worker = room.worker
        let frames = worker.pointee.queue.frames
        guard room.pool.allocate(into: frames, count: Self.packetsPerRound) else {
            throw PortFailure("the pool has no buffers left for the load")
        }
        for place in 0..<Self.packetsPerRound { sources[place % Self.publishers].seal(frames + place, 1) }
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
        guard DropReason.allCases.allSatisfy({ worker.pointee.counters[$0] == 0 }) else {
            throw PortFailure("the worker refused a packet")
        }
        return ForwardingCost.Round(cycles: cycles, packets: Self.packetsPerRound)
    }
}
