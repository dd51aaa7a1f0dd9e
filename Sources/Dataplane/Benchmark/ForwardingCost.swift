import CDPDK
import CSRTP
import Mailbox
import Wire

/// Work for benchmarks: the worker forwards one source's packets to receivers with a key each, and sends on a real device.
///
/// The clock is the time that the worker itself spent, so that housekeeping and feedback take the share that they have on
/// a busy core. One thread uses it (`pinned`).
@_spi(Benchmark)
public struct ForwardingCost: ~Copyable {
    /// What is forwarded.
    public struct Load: Sendable {
        public var media: BenchmarkMedia
        public var profile: SRTPProfile
        public var receivers: Int
        /// RTP payload, a camera's with its VP8 descriptor, bytes; 100 to 1300.
        public var payloadLength: Int
        /// Packets that come in with one turn, at most; 1 to 32.
        public var burst: Int
        /// Leaves the UDP checksum to the device, which a null device does not fill, instead of computing it.
        public var offloadsChecksum: Bool
        /// The Slots showed another camera before: VP8's picture ids are rewritten in every packet.
        public var changesSource: Bool

        public init(
            media: BenchmarkMedia = .camera, profile: SRTPProfile, receivers: Int = 64, payloadLength: Int = 1_100,
            burst: Int = 32, offloadsChecksum: Bool = true, changesSource: Bool = false
        ) {
            self.media = media
            self.profile = profile
            self.receivers = receivers
            self.payloadLength = payloadLength
            self.burst = burst
            self.offloadsChecksum = offloadsChecksum
            self.changesSource = changesSource
        }

        /// Packets that come in with one round: few, so that most rounds end before a busy system takes the core away.
        public var packetsPerRound: Int { receivers > 4_000 ? 1 : max(1, min(64, 8_000 / max(receivers, 1))) }

        /// Of the header extension in what receivers get, bytes.
        public var extensionLength: Int { media == .camera ? 8 : 12 }
    }

    /// One measured round.
    public struct Round: Sendable {
        /// Of the time stamp counter, inside `Worker.turn`.
        public var cycles: UInt64
        /// Forwarded: received packets times receivers.
        public var packets: Int
        /// What the probe counted in these turns.
        public var probed: UInt64 = 0
    }

    /// Counts something, from call to call: asked before and after each turn when there is one.
    public var probe: (@convention(c) () -> UInt64)?

    private let load: Load
    private var room: BenchmarkRoom<ArrivalQueue>
    private let mesh: HandoverMesh
    private let clock = CycleClock()
    private var source: BenchmarkSource

    /// A worker with sessions, a Track and a Slot for each receiver, after a first round. `port` has one worker's queue
    /// and pool; several loads may use it one after the other.
    public static func prepare(_ load: Load, port: borrowing DPDKPort) throws(PortFailure) -> ForwardingCost {
        guard load.receivers > 0, (100...1_300).contains(load.payloadLength), (1...32).contains(load.burst) else {
            throw PortFailure("no such load")
        }
        var cost = ForwardingCost(load, port: port)
        try cost.setUp()
        return cost
    }

    private init(_ load: Load, port: borrowing DPDKPort) {
        self.load = load
        mesh = HandoverMesh(workers: 1)
        let queue = ArrivalQueue(
            device: port.queue(ofWorker: 0), offload: ChecksumOffload(udp: load.offloadsChecksum),
            capacity: load.packetsPerRound, burst: load.burst)
        room = BenchmarkRoom(
            capacity: Capacity(sessions: load.receivers + 2, tracks: 2, slots: load.receivers), mesh: mesh,
            pool: port.pool(ofWorker: 0), queue: queue, mac: port.mac)
        source = BenchmarkSource(
            BenchmarkPeer(index: 0, mac: port.mac), media: load.media, profile: load.profile,
            payloadLength: load.payloadLength)
    }

    deinit {
        room.worker.pointee.queue.deallocate()
        source.deallocate()
        mesh.deallocate()
    }

    /// Seals and queues the next packets, then takes the time in which the worker forwards them.
    public mutating func round() throws(PortFailure) -> Round {
        let count = load.packetsPerRound
        let worker = room.worker
        guard room.pool.allocate(into: worker.pointee.queue.frames, count: count) else {
            throw PortFailure("the pool has no buffers left for the load")
        }
        source.seal(worker.pointee.queue.frames, count)
        worker.pointee.queue.fill(count)
        let before = worker.pointee.counters[.forwardedPackets]
        let (cycles, probed) = runTurns()
        let packets = Int(worker.pointee.counters[.forwardedPackets] &- before)
        room.forgetEvents()
        guard packets == count * load.receivers else {
            throw PortFailure("of \(count * load.receivers) packets the worker forwarded \(packets)")
        }
        return Round(cycles: cycles, packets: packets, probed: probed)
    }

    /// Turns until nothing waits any more; the cycles that they took, and what the probe counted.
    private mutating func runTurns() -> (cycles: UInt64, probed: UInt64) {
        var (cycles, probed): (UInt64, UInt64) = (0, 0)
        while room.worker.pointee.queue.hasArrivals {
            let before = probe?() ?? 0
            let began = clock.cycles()
            _ = room.worker.pointee.turn(now: room.now)
            let spent = clock.cycles() &- began
            probed &+= (probe?() ?? 0) &- before
            cycles &+= spent
            room.now &+= clock.nanoseconds(spent)
        }
        return (cycles, probed)
    }

    private mutating func setUp() throws(PortFailure) {
        let peers = (0...load.receivers).map { BenchmarkPeer(index: $0, mac: room.mac) }
        for peer in peers { try room.join(peer, profile: load.profile) }
        room.command([.openTrack(source.openTrack)])
        for index in 0..<load.receivers {
            let slot = SlotHandle(worker: 0, index: UInt32(index), generation: 1)
            room.command([
                source.openSlot(slot, of: peers[index + 1].session),
                .mapSlot(MapSlot(slot: slot, track: source.track, maxHeight: 720)),
            ])
        }
        _ = try round()
        if load.changesSource {
            // A new SSRC of the layer is a change of source for every Slot.
            room.now &+= Layer.bindingInterval
            source.restart()
            _ = try round()
        }
    }
}

extension ForwardingCost {
    /// The thread that measures: on one core and known to DPDK's pools.
    public static func pinned(to core: Int, _ body: @escaping @Sendable () -> Void) throws(PortFailure) {
        try PinnedThread(name: "benchmark", core: core, body: body).join()
    }

    /// The cores that this process may use.
    public static var cores: [Int] { PinnedThread.allowedCores }

    /// `libsrtp2 2.5.0`
    public static var libsrtpVersion: String { String(cString: srtp_get_version_string()) }
}
