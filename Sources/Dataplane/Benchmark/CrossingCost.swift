import Mailbox
import Wire

/// Work for benchmarks: workers on a core each whose Tracks are watched on all of them.
///
/// Each worker has a camera and receivers. Half of a camera's Sinks are on its own worker, and half on the other, where
/// a replica of the Track gets references through the ring between the workers. With one worker all Sinks are its own.
@_spi(Benchmark)
public final class CrossingCost: @unchecked Sendable {
    /// What the workers did together.
    public struct Window: Sendable {
        /// Of the time stamp counter, from the first worker's beginning to the last one's end.
        public var cycles: UInt64
        public var forwarded: Int
        /// How often the workers' threads had to give way to others.
        public var interruptions: Int
    }

    /// Sinks of each camera.
    private static let receivers = 64
    /// Packets of each camera in a window.
    private static let packets = 256

    private let workers: Int
    private let rooms: UnsafeMutablePointer<BenchmarkRoom<ArrivalQueue>>
    private let mesh: HandoverMesh
    private let clock = CycleClock()
    private var sources: [BenchmarkSource] = []

    /// `port` has as many workers' queues.
    public init(workers: Int, port: DPDKPort) throws(PortFailure) {
        guard (1...2).contains(workers), port.queueCount >= workers else { throw PortFailure("too few queues") }
        self.workers = workers
        mesh = HandoverMesh(workers: workers)
        rooms = .allocate(capacity: workers)
        for number in 0..<workers {
            let queue = ArrivalQueue(
                device: port.queue(ofWorker: number), offload: ChecksumOffload(udp: true), capacity: Self.packets,
                burst: Worker<ArrivalQueue>.burst)
            (rooms + number).initialize(
                to: BenchmarkRoom(
                    number: number, capacity: Capacity(sessions: Self.receivers + 1, tracks: 2, slots: Self.receivers),
                    mesh: mesh, pool: port.pool(ofWorker: number), queue: queue, mac: port.mac))
        }
        for number in 0..<workers { try open(number) }
        // A first packet of each is the keyframe that lets its Slots begin.
        try fill(1)
        for _ in 0..<3 {
            for number in 0..<workers { rooms[number].turn() }
        }
        for number in 0..<workers where forwarded(number) != Self.receivers {
            throw PortFailure("of \(Self.receivers) packets worker \(number) forwarded \(forwarded(number))")
        }
    }

    deinit {
        for number in 0..<workers {
            let queue = rooms[number].worker.pointee.queue
            (rooms + number).deinitialize(count: 1)
            queue.deallocate()
        }
        rooms.deallocate()
        mesh.deallocate()
        for source in sources { source.deallocate() }
    }

    /// The camera, the receivers, and the replica of the other worker's camera.
    private func open(_ number: Int) throws(PortFailure) {
        let mac = rooms[number].mac
        let profile = SRTPProfile.aeadAes128Gcm
        let camera = BenchmarkPeer(index: Self.receivers, worker: number, mac: mac)
        try rooms[number].join(camera, profile: profile)
        let source = BenchmarkSource(camera, media: .camera, profile: profile, payloadLength: 1_100)
        sources.append(source)
        rooms[number].command([.openTrack(source.openTrack)])
        let other = workers - 1 - number
        let replica = TrackHandle(worker: UInt8(number), index: 1, generation: 1)
        if other != number {
            var open = source.openTrack
            open.source = .sibling(TrackHandle(worker: UInt8(other), index: 0, generation: 1))
            open.track = replica
            rooms[number].command([
                .openTrack(open),
                .feed(source.track, replica: TrackHandle(worker: UInt8(other), index: 1, generation: 1)),
            ])
        }
        for index in 0..<Self.receivers {
            let peer = BenchmarkPeer(index: index, worker: number, mac: mac)
            try rooms[number].join(peer, profile: profile)
            let slot = SlotHandle(worker: UInt8(number), index: UInt32(index), generation: 1)
            let shown = other != number && index % 2 == 1 ? replica : source.track
            rooms[number].command([
                source.openSlot(slot, of: peer.session), .mapSlot(MapSlot(slot: slot, track: shown, maxHeight: 720)),
            ])
        }
    }

    private func forwarded(_ number: Int) -> Int { Int(rooms[number].worker.pointee.counters[.forwardedPackets]) }

    /// Seals and queues each camera's next packets.
    private func fill(_ count: Int) throws(PortFailure) {
        for number in 0..<workers {
            let worker = rooms[number].worker
            guard rooms[number].pool.allocate(into: worker.pointee.queue.frames, count: count) else {
                throw PortFailure("the pool has no buffers left for the load")
            }
            sources[number].seal(worker.pointee.queue.frames, count)
            worker.pointee.queue.fill(count)
        }
    }

    /// Lets the workers forward what is queued for them, each on its core, as fast as they can. The caller sleeps.
    public func window(cores: [Int]) throws(PortFailure) -> Window {
        try fill(Self.packets)
        let before = (0..<workers).map { forwarded($0) }
        let start = (0..<workers).map { rooms[$0].now }.max() ?? 0
        let origin = clock.cycles()
        let spans = try BenchmarkThreads.run(on: Array(cores.prefix(workers))) { number in
            self.forward(number, until: before[number] + Self.packets * Self.receivers, start: start, origin: origin)
        }
        var total = 0
        for number in 0..<workers {
            rooms[number].forgetEvents()
            rooms[number].now = start &+ clock.nanoseconds(clock.cycles() &- origin)
            total += forwarded(number) - before[number]
        }
        guard total == workers * Self.packets * Self.receivers else {
            throw PortFailure("of \(workers * Self.packets * Self.receivers) packets the workers forwarded \(total)")
        }
        return Window(
            cycles: (spans.map(\.ended).max() ?? 0) &- (spans.map(\.began).min() ?? 0), forwarded: total,
            interruptions: spans.map(\.interruptions).reduce(0, +))
    }

    /// A worker's loop; ends after two seconds in any case.
    private func forward(_ number: Int, until end: Int, start: UInt64, origin: UInt64) {
        let worker = rooms[number].worker
        var elapsed: UInt64 = 0
        while Int(worker.pointee.counters[.forwardedPackets]) < end, elapsed < 2_000_000_000 {
            _ = worker.pointee.turn(now: start &+ elapsed)
            elapsed = clock.nanoseconds(clock.cycles() &- origin)
        }
    }
}
