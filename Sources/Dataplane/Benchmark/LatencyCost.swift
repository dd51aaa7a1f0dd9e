import CDPDK
import Mailbox
import Wire

/// Work for benchmarks: a worker whose packets another thread puts in at a pace of its own, and the time from there to
/// the transmission of each Sink's packet.
@_spi(Benchmark)
public final class LatencyCost: @unchecked Sendable {
    /// How packets come in.
    public enum Pace: Sendable {
        /// All at once: the worker works at its limit.
        case atOnce
        /// As a Poisson process with so many cycles between two packets, on average.
        case poisson(cycles: Double)
    }

    /// A short time, so that some are left alone on a busy machine.
    public struct Window: Sendable {
        /// Of the time stamp counter, for the worker to be done with all packets.
        public var cycles: UInt64
        /// How often a thread had to give way to others.
        public var interruptions: Int
    }

    /// The latencies of windows, as a histogram.
    public struct Latencies: Sendable {
        private var counts = [Int](repeating: 0, count: PacedQueue.steps)

        public init() {}

        /// The cycles that a share of the packets do not exceed.
        public func quantile(_ share: Double) -> UInt64 {
            let rank = Int(Double(counts.reduce(0, +)) * share)
            var seen = 0
            for (place, count) in counts.enumerated() {
                seen += count
                // The end of the step.
                if seen > rank { return UInt64(place + 1) &* PacedQueue.step }
            }
            return 0
        }

        public mutating func add(_ others: Latencies) {
            for place in 0..<PacedQueue.steps { counts[place] += others.counts[place] }
        }

        fileprivate init(_ histogram: UnsafeMutablePointer<UInt32>) {
            for place in 0..<PacedQueue.steps { counts[place] = Int(histogram[place]) }
        }
    }

    public static let receivers = 20
    /// Packets of a window.
    public static let packets = 512
    /// Those at its beginning that are not noted: the window's threads are new, and what they need is not near their cores.
    static let warmUp = 128

    let room: UnsafeMutablePointer<BenchmarkRoom<PacedQueue>>
    private let mesh: HandoverMesh
    let frames: UnsafeMutablePointer<Mbuf>
    let clock = CycleClock()
    var camera: BenchmarkSource
    private let other: TrackHandle
    private var random = RandomSource(seed: 7)
    private var isChanged = false
    private var nextSlot = 0

    /// A worker with a camera and its receivers. Each has a second Slot, which subscribes to the camera and to a second
    /// one, that sends nothing, in turn.
    public init(port: DPDKPort) throws(PortFailure) {
        mesh = HandoverMesh(workers: 1)
        frames = .allocate(capacity: Self.packets)
        room = .allocate(capacity: 1)
        let peer = BenchmarkPeer(index: Self.receivers, mac: port.mac)
        let profile = SRTPProfile.aeadAes128Gcm
        camera = BenchmarkSource(peer, media: .camera, profile: profile, payloadLength: 1_100)
        other = TrackHandle(worker: 0, index: 1, generation: 1)
        let queue = PacedQueue(
            device: port.queue(ofWorker: 0), depth: Self.packets, payloadType: BenchmarkSource.cameraPayloadType)
        room.initialize(
            to: BenchmarkRoom(
                capacity: Capacity(sessions: Self.receivers + 1, tracks: 2, slots: 2 * Self.receivers), mesh: mesh,
                pool: port.pool(ofWorker: 0), queue: queue, mac: port.mac))
        try room.pointee.join(peer, profile: profile)
        var silent = camera.openTrack
        silent.track = other
        silent.payloadTypes = PayloadTypes(media: 98, rtx: 99)
        room.pointee.command([.openTrack(camera.openTrack), .openTrack(silent)])
        for index in 0..<2 * Self.receivers {
            let receiver = BenchmarkPeer(index: index % Self.receivers, mac: port.mac)
            if index < Self.receivers { try room.pointee.join(receiver, profile: profile) }
            let slot = SlotHandle(worker: 0, index: UInt32(index), generation: 1)
            room.pointee.command([camera.openSlot(slot, of: receiver.session)])
            guard index < Self.receivers else { continue }
            room.pointee.command([.mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 720))])
        }
        try begin()
    }

    /// A first packet, the keyframe: the Slots begin, and it is known how they number.
    private func begin() throws(PortFailure) {
        try fill(1)
        let worker = room.pointee.worker
        put(0)
        room.pointee.turn()
        guard worker.pointee.counters[.forwardedPackets] == UInt64(Self.receivers) else {
            throw PortFailure("the worker did not forward the first packet")
        }
        for slot in 0..<Self.receivers {
            let delta = worker.pointee.slots.element(at: slot).pointee.rewriter.present.sequenceDelta
            worker.pointee.queue.deltas[slot] = UInt16(truncatingIfNeeded: delta)
        }
    }

    deinit {
        let queue = room.pointee.worker.pointee.queue
        room.deinitialize(count: 1)
        queue.deallocate()
        room.deallocate()
        mesh.deallocate()
        frames.deallocate()
        camera.deallocate()
    }

    /// The camera's next packets, which are then to be put in, all of them. On `core` when there is one: a device's
    /// writes too have to come from outside the worker's caches.
    func fill(_ count: Int, on core: Int? = nil) throws(PortFailure) {
        guard room.pointee.pool.allocate(into: frames, count: count) else {
            throw PortFailure("the pool has no buffers left for the load")
        }
        room.pointee.worker.pointee.queue.begin(at: camera.nextSequence, warmUp: count > Self.warmUp ? Self.warmUp : 0)
        guard let core else { return camera.seal(frames, count) }
        _ = try BenchmarkThreads.run(on: [core]) { _ in self.camera.seal(self.frames, count) }
    }

    /// One window: the worker on the first core, whoever puts packets in on the second; the caller sleeps. With
    /// `subscribes`, so many subscriptions a second arrive by the mailbox meanwhile.
    public func window(_ pace: Pace, subscribes: Int = 0, cores: [Int]) throws(PortFailure) -> Window {
        try fill(Self.packets, on: cores[1])
        let worker = room.pointee.worker
        let queue = worker.pointee.queue
        queue.histogram.update(repeating: 0, count: PacedQueue.steps)
        let end = worker.pointee.counters[.forwardedPackets] + UInt64(Self.packets * Self.receivers)
        let (start, origin) = (room.pointee.now, clock.cycles())
        let spans = try BenchmarkThreads.run(on: cores) { index in
            if index == 0 {
                self.forward(until: end, start: start, origin: origin)
            } else {
                self.inject(pace, subscribes: subscribes)
            }
        }
        room.pointee.forgetEvents()
        room.pointee.now = start &+ clock.nanoseconds(clock.cycles() &- origin)
        guard worker.pointee.counters[.forwardedPackets] == end else {
            throw PortFailure("of a window's packets the worker lost some")
        }
        return Window(
            cycles: spans[0].ended &- spans[0].began, interruptions: spans.map(\.interruptions).reduce(0, +))
    }

    /// The last window's.
    public var latencies: Latencies { Latencies(room.pointee.worker.pointee.queue.histogram) }

    /// The worker's loop; ends after two seconds in any case.
    private func forward(until end: UInt64, start: UInt64, origin: UInt64) {
        let worker = room.pointee.worker
        var elapsed: UInt64 = 0
        while worker.pointee.counters[.forwardedPackets] < end, elapsed < 2_000_000_000 {
            _ = worker.pointee.turn(now: start &+ elapsed)
            elapsed = clock.nanoseconds(clock.cycles() &- origin)
        }
    }

    /// There is room: all packets of a window fit.
    func put(_ place: Int) {
        let arrivals = room.pointee.worker.pointee.queue.arrivals
        _ = arrivals.push(PacedQueue.Stamped(packet: frames[place], stamp: clock.cycles()))
    }

    /// Puts the packets in when they are due, whether or not the worker has kept up.
    func inject(_ pace: Pace, subscribes: Int = 0) {
        guard case .poisson(let mean) = pace else {
            for place in 0..<Self.packets { put(place) }
            return
        }
        let commandGap = subscribes > 0 ? clock.frequency / UInt64(subscribes) : .max
        var due = clock.cycles()
        var commandDue = due &+ (subscribes > 0 ? commandGap : .max / 2)
        for place in 0..<Self.packets {
            due &+= UInt64(mean * exponential())
            while clock.cycles() < due {
                if clock.cycles() >= commandDue {
                    subscribe()
                    commandDue &+= commandGap
                }
                cpu_pause()
            }
            put(place)
        }
    }

    /// The next second Slot changes from one camera to the other.
    private func subscribe() {
        let slot = SlotHandle(worker: 0, index: UInt32(Self.receivers + nextSlot), generation: 1)
        let track = isChanged ? camera.track : other
        _ = room.pointee.mailbox.commands.push(.mapSlot(MapSlot(slot: slot, track: track, maxHeight: 720)))
        nextSlot += 1
        if nextSlot == Self.receivers {
            nextSlot = 0
            isChanged.toggle()
        }
    }

    /// A sample of the exponential distribution of mean 1, by von Neumann's comparison of uniform numbers: no logarithm.
    private func exponential() -> Double {
        var whole = 0.0
        while true {
            let first = uniform()
            var (last, isEven) = (first, true)
            while true {
                let next = uniform()
                if next > last { break }
                last = next
                isEven.toggle()
            }
            if isEven { return whole + first }
            whole += 1
        }
    }

    private func uniform() -> Double { Double(random.next() >> 11) / Double(1 << 53 as UInt64) }
}
