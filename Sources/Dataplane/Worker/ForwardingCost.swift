import CDPDK
import CSRTP
import Mailbox
import Wire

/// Work for benchmarks: the worker forwards a camera's packets to receivers with a key each, and sends on a real device.
///
/// Everything is set up the way control and peers do it: by commands, connectivity checks and sealed packets. The
/// clock is the time that the worker itself spent, so that housekeeping and feedback take the share that they have on
/// a busy core. One thread uses it (`pinned`).
@_spi(Benchmark)
public struct ForwardingCost: ~Copyable {
    /// What is forwarded.
    public struct Load: Sendable {
        public var profile: SrtpProfile
        public var receivers: Int
        /// RTP payload with its VP8 descriptor, bytes; 100 to 1300.
        public var payloadLength: Int
        /// Packets that come in with one turn; 1 to 32.
        public var burst: Int
        /// Leaves the UDP checksum to the device, which a null device does not fill, instead of computing it.
        public var offloadsChecksum: Bool
        /// The Slots showed another camera before: VP8's picture ids are rewritten in every packet.
        public var changesSource: Bool

        public init(
            profile: SrtpProfile, receivers: Int = 64, payloadLength: Int = 1_100, burst: Int = 32,
            offloadsChecksum: Bool = true, changesSource: Bool = false
        ) {
            self.profile = profile
            self.receivers = receivers
            self.payloadLength = payloadLength
            self.burst = burst
            self.offloadsChecksum = offloadsChecksum
            self.changesSource = changesSource
        }
    }

    /// One measured round.
    public struct Round: Sendable {
        /// Of the time stamp counter, inside `Worker.turn`.
        public var cycles: UInt64
        /// Forwarded: received packets times receivers.
        public var packets: Int
    }

    /// Packets that come in with one round: few, so that most rounds end before a busy system takes the core away.
    public static let packetsPerRound = 64

    private let load: Load
    private let worker: UnsafeMutablePointer<Worker<ArrivalQueue>>
    private let mailbox: WorkerMailbox
    private let mesh: HandoverMesh
    private let pool: BufferPool
    private let clock = CycleClock()
    private var camera: BenchmarkCamera
    /// The worker's time, ns.
    private var now: UInt64 = 1_000_000

    /// A worker with sessions, a Track and a Slot for each receiver, after a first round. `port` has one worker's queue
    /// and pool; several loads may use it one after the other.
    public static func prepare(_ load: Load, port: borrowing DPDKPort) throws(PortFailure) -> ForwardingCost {
        guard load.receivers > 0, (100...1_300).contains(load.payloadLength), (1...32).contains(load.burst) else {
            throw PortFailure("no such load")
        }
        var cost = ForwardingCost(load, port: port)
        try cost.setUp(mac: port.mac)
        return cost
    }

    private init(_ load: Load, port: borrowing DPDKPort) {
        self.load = load
        pool = port.pool(ofWorker: 0)
        mailbox = WorkerMailbox()
        mesh = HandoverMesh(workers: 1)
        let host = HostConfiguration(
            mac: port.mac, interfaces: [.init(address: BenchmarkPeer.us.address, prefixLength: 8)])
        let queue = ArrivalQueue(
            device: port.queue(ofWorker: 0), offload: ChecksumOffload(udp: load.offloadsChecksum),
            capacity: Self.packetsPerRound, burst: load.burst)
        worker = .allocate(capacity: 1)
        worker.initialize(
            to: Worker(
                configuration: WorkerConfiguration(
                    pop: 1, number: 0,
                    capacity: Capacity(sessions: load.receivers + 2, tracks: 2, slots: load.receivers),
                    mediaPort: BenchmarkPeer.us.port, seed: 1, ntpEpoch: 3_900_000_000 << 32),
                mailbox: mailbox, siblings: mesh.siblings(of: 0, transmitters: 1), pool: pool, queue: queue,
                host: host, engine: SrtpEngine()))
        camera = BenchmarkCamera(BenchmarkPeer(index: 0, mac: port.mac), load: load)
    }

    deinit {
        worker.pointee.shutDown()
        worker.pointee.queue.deallocate()
        worker.deinitialize(count: 1)
        worker.deallocate()
        camera.deallocate()
        mesh.deallocate()
        mailbox.deallocate()
    }

    /// Seals and queues the next packets, then takes the time in which the worker forwards them.
    public mutating func round() throws(PortFailure) -> Round {
        guard pool.allocate(into: worker.pointee.queue.frames, count: Self.packetsPerRound) else {
            throw PortFailure("the pool has no buffers left for the load")
        }
        worker.pointee.queue.fill(Self.packetsPerRound)
        camera.seal(worker.pointee.queue.frames, Self.packetsPerRound)
        let before = worker.pointee.counters[.forwardedPackets]
        let cycles = runTurns()
        let packets = Int(worker.pointee.counters[.forwardedPackets] &- before)
        guard packets == Self.packetsPerRound * load.receivers else {
            throw PortFailure("of \(Self.packetsPerRound * load.receivers) packets the worker forwarded \(packets)")
        }
        return Round(cycles: cycles, packets: packets)
    }

    /// Turns until nothing waits any more; the cycles that they took.
    private mutating func runTurns() -> UInt64 {
        var cycles: UInt64 = 0
        while worker.pointee.queue.hasArrivals {
            let began = clock.cycles()
            _ = worker.pointee.turn(now: now)
            let spent = clock.cycles() &- began
            cycles &+= spent
            now &+= clock.nanoseconds(spent)
        }
        return cycles
    }

    /// The thread that measures: on one core and known to DPDK's pools.
    public static func pinned(to core: Int, _ body: @escaping @Sendable () -> Void) throws(PortFailure) {
        try PinnedThread(name: "benchmark", core: core, body: body).join()
    }

    /// The cores that this process may use.
    public static var cores: [Int] { PinnedThread.allowedCores }

    /// `libsrtp2 2.5.0`
    public static var libsrtpVersion: String { String(cString: srtp_get_version_string()) }
}

extension ForwardingCost {
    private mutating func setUp(mac: MACAddress) throws(PortFailure) {
        let peers = (0...load.receivers).map { BenchmarkPeer(index: $0, mac: mac) }
        for peer in peers { command(peer.commands(profile: load.profile)) }
        command([camera.openTrack])
        for index in 0..<load.receivers {
            let slot = SlotHandle(worker: 0, index: UInt32(index), generation: 1)
            var types = PayloadTypeMap()
            types[.vp8] = PayloadTypes(media: 120, rtx: 121)
            let ssrc = 0x1000_0000 + UInt32(index) * 2
            command([
                .openSlot(
                    OpenSlot(
                        slot: slot, session: peers[index + 1].session, kind: .video, mid: ShortText(), ssrc: ssrc,
                        rtxSsrc: ssrc + 1, payloadTypes: types)),
                .mapSlot(MapSlot(slot: slot, track: camera.track, maxHeight: 720)),
            ])
        }
        for peer in peers { try check(peer) }
        _ = try round()
        if load.changesSource {
            // A new SSRC of the layer is a change of source for every Slot.
            now &+= Layer.bindingInterval
            camera.restart()
            _ = try round()
        }
    }

    /// Gives the worker commands, and turns in which it takes them.
    private mutating func command(_ commands: [Command]) {
        for command in commands { _ = mailbox.commands.stage(command) }
        mailbox.commands.commit()
        now &+= HousekeepingSchedule.interval
        _ = worker.pointee.turn(now: now)
        while mailbox.events.pop() != nil {}
    }

    /// A peer's connectivity check, which makes it known to the flow table.
    private mutating func check(_ peer: BenchmarkPeer) throws(PortFailure) {
        guard let packet = pool.allocate() else { throw PortFailure("the pool has no buffers left for the load") }
        peer.writeCheck(into: packet)
        worker.pointee.queue.frames[0] = packet
        worker.pointee.queue.fill(1)
        let before = worker.pointee.counters[.stunRequests]
        _ = runTurns()
        guard worker.pointee.counters[.stunRequests] == before + 1 else {
            throw PortFailure("the worker refused a connectivity check")
        }
    }
}

/// Receives what the benchmark put there, and transmits on the device.
struct ArrivalQueue: PortQueue {
    let device: DPDKQueue
    let offload: ChecksumOffload
    let frames: UnsafeMutablePointer<Mbuf>
    private let burst: Int
    private var next = 0
    private var end = 0

    init(device: DPDKQueue, offload: ChecksumOffload, capacity: Int, burst: Int) {
        self.device = device
        self.offload = offload
        self.burst = burst
        frames = .allocate(capacity: capacity)
    }

    func deallocate() { frames.deallocate() }

    var hasReceive: Bool { true }
    var hasTransmit: Bool { true }
    var hasArrivals: Bool { next < end }

    /// The first `count` of `frames` are to be received.
    mutating func fill(_ count: Int) {
        next = 0
        end = count
    }

    @inline(__always)
    mutating func receive(into packets: UnsafeMutablePointer<Mbuf>, capacity: Int) -> Int {
        let count = min(min(burst, capacity), end &- next)
        packets.update(from: frames + next, count: count)
        next &+= count
        return count
    }

    @inline(__always)
    func transmit(_ packets: UnsafeMutablePointer<Mbuf>, count: Int) -> Int { device.transmit(packets, count: count) }
}

/// One participant's transport: its address, its password and its keys, which need not be secret.
private struct BenchmarkPeer {
    static let us = Endpoint(address: IPAddress(v4: 0x0a00_0001), port: 3478)
    private static let password = "benchmark-password-00001"

    let session: SessionHandle
    let endpoint: Endpoint
    let template: FrameTemplate
    private let index: Int

    /// Number 0 is the camera's.
    init(index: Int, mac: MACAddress) {
        self.index = index
        session = SessionHandle(worker: 0, index: UInt32(index), generation: 1)
        endpoint = Endpoint(address: IPAddress(v4: 0x0a01_0000 + UInt32(index)), port: 40_000)
        template = FrameTemplate(
            source: endpoint, destination: Self.us, sourceMAC: MACAddress(0x02_0000_0000_00 + UInt64(index)),
            destinationMAC: mac)
    }

    private var ufrag: OwnerUfrag { OwnerUfrag(pop: 1, worker: 0, index: UInt32(index), secret: UInt64(index)) }

    /// What the peer seals with, and what the worker seals with.
    func master(_ profile: SrtpProfile, isSend: Bool) -> SrtpMasterKey {
        var random = RandomSource(seed: UInt64(index * 2 + (isSend ? 1 : 0)))
        var master = SrtpMasterKey()
        for place in 0..<profile.keyLength { master.key[place] = UInt8(truncatingIfNeeded: random.next()) }
        for place in 0..<profile.saltLength { master.salt[place] = UInt8(truncatingIfNeeded: random.next()) }
        return master
    }

    func commands(profile: SrtpProfile) -> [Command] {
        var extensions = ExtensionMap()
        extensions.transportSequence = 3
        return [
            .openSession(
                OpenSession(session: session, ufragSecret: UInt64(index), password: ShortText(Self.password)!)),
            .configureSession(session, extensions),
            .installKeys(
                InstallKeys(
                    session: session, profile: profile, receive: master(profile, isSend: false),
                    send: master(profile, isSend: true))),
        ]
    }

    /// A Binding request with USE-CANDIDATE (RFC 8445 section 7.2.2).
    func writeCheck(into packet: Mbuf) {
        let room = UnsafeMutableRawBufferPointer(start: packet.data + template.length, count: 256)
        var writer = STUNWriter(
            into: room, class: .request, method: STUNMethod.binding,
            transactionID: STUNTransactionID(high: 1, low: UInt64(index)))!
        Array("\(ufrag.text):peer".utf8).withUnsafeBytes { writer.add(STUNAttributeType.username, $0) }
        writer.add(STUNAttributeType.iceControlling, UInt64(1))
        writer.addFlag(STUNAttributeType.useCandidate)
        let key = Array(Self.password.utf8).withUnsafeBytes { MessageIntegrity(key: $0) }
        if let covered = writer.beginIntegrity() {
            var tag = key.digest(of: UnsafeRawBufferPointer(covered))
            withUnsafeBytes(of: &tag) { writer.endIntegrity($0.baseAddress!) }
        }
        writer.addFingerprint()
        let length = writer.finish()
        template.write(into: packet.data, payloadLength: length)
        _ = packet.setLength(template.length + length)
    }
}

/// Seals a VP8 stream of one layer: 10 packets a frame, a keyframe first.
private struct BenchmarkCamera {
    private static let payloadType: UInt8 = 96
    private static let packetsPerFrame: UInt64 = 10
    /// Fixed part, extension header, one element and its padding.
    private static let headerLength = 20

    let track = TrackHandle(worker: 0, index: 0, generation: 1)
    private let peer: BenchmarkPeer
    private let load: ForwardingCost.Load
    private let engine: UnsafeMutablePointer<SrtpEngine>
    private let memory: UnsafeMutableRawPointer
    private let transform: SrtpTransform
    private var ssrc: UInt32 = 0x2000_0000
    private var sent: UInt64 = 0
    /// Sequence number with its roll-overs.
    private var index: UInt64 = 1_000

    init(_ peer: BenchmarkPeer, load: ForwardingCost.Load) {
        self.peer = peer
        self.load = load
        engine = .allocate(capacity: 1)
        engine.initialize(to: SrtpEngine())
        memory = .allocate(byteCount: SrtpTransform.byteCount, alignment: SrtpTransform.alignment)
        transform = .install(
            at: memory, engine: engine.pointee, profile: load.profile,
            master: peer.master(load.profile, isSend: false))
    }

    func deallocate() {
        transform.erase()
        memory.deallocate()
        engine.deinitialize(count: 1)
        engine.deallocate()
    }

    /// The layer has no fixed SSRC: it is found by its payload type.
    var openTrack: Command {
        .openTrack(
            OpenTrack(
                track: track, session: peer.session, mid: ShortText(), kind: .video, codec: .vp8,
                payloadTypes: PayloadTypes(media: Self.payloadType, rtx: 97), layers: .init(repeating: .init()),
                layerCount: 1))
    }

    /// Begins anew with another SSRC, other numbers and a keyframe.
    mutating func restart() {
        ssrc += 1
        index += 5_000
        sent = 0
    }

    mutating func seal(_ packets: UnsafeMutablePointer<Mbuf>, _ count: Int) {
        for place in 0..<count {
            let packet = packets[place]
            let start = packet.data + peer.template.length
            write(to: start)
            let bytes = start.assumingMemoryBound(to: UInt8.self)
            var job = SealJob(
                transform: transform, source: bytes + Self.headerLength, destination: bytes,
                headerLength: Self.headerLength, payloadLength: load.payloadLength, index: index, ssrc: ssrc)
            engine.pointee.seal(&job, 1)
            peer.template.write(into: packet.data, payloadLength: job.sealedLength)
            _ = packet.setLength(peer.template.length + job.sealedLength)
            index += 1
            sent += 1
        }
    }

    /// The next packet in clear: picture id and TL0PICIDX as browsers send them (RFC 7741 section 4.2).
    private func write(to start: UnsafeMutableRawPointer) {
        let frame = sent / Self.packetsPerFrame
        let place = sent % Self.packetsPerFrame
        var header = RTPHeaderWriter(
            into: UnsafeMutableRawBufferPointer(start: start, count: Self.headerLength),
            marker: place == Self.packetsPerFrame - 1, payloadType: Self.payloadType,
            sequence: UInt16(truncatingIfNeeded: index), timestamp: UInt32(truncatingIfNeeded: frame * 3_000),
            ssrc: ssrc)!
        header.add(3, be16: UInt16(truncatingIfNeeded: index))
        _ = header.finish()
        let payload = start + Self.headerLength
        payload.initializeMemory(as: UInt8.self, repeating: 0x5a, count: load.payloadLength)
        let descriptor: [UInt8] = [
            place == 0 ? 0x90 : 0x80, 0xc0, 0x80 | UInt8(truncatingIfNeeded: frame >> 8 & 0x7f),
            UInt8(truncatingIfNeeded: frame), UInt8(truncatingIfNeeded: frame),
        ]
        // A VP8 frame's first bytes: keyframe or not, and 1280x720 of a keyframe (RFC 6386 section 9.1).
        let beginning: [UInt8] = [frame == 0 ? 0x10 : 0x11, 0x02, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02]
        (descriptor + (place == 0 ? beginning : [])).withUnsafeBytes {
            payload.copyMemory(from: $0.baseAddress!, byteCount: $0.count)
        }
    }
}
