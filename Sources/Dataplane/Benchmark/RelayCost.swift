import Mailbox
import Wire

/// Work for benchmarks: the worker relays ChannelData to peers and peers' packets to clients, for many allocations in
/// no order that a cache could know.
@_spi(Benchmark)
public struct RelayCost: ~Copyable {
    private static let packetsPerRound = 256
    private static let realm = "benchmark"
    private static let key = Array("0123456789abcdef".utf8)
    private static let channel: UInt16 = 0x4000

    let allocations: Int
    private let payloadLength: Int
    let worker: UnsafeMutablePointer<Worker<ArrivalQueue>>
    let mailbox: WorkerMailbox
    private let mesh: HandoverMesh
    let pool: BufferPool
    private let mac: MACAddress
    let clock = CycleClock()
    var now: UInt64 = 1_000_000
    private var relayed: [UInt16] = []
    var position = 0

    /// A worker with so many allocations, each with a channel, after a first packet on each.
    public static func prepare(
        allocations: Int, payloadLength: Int, port: borrowing DPDKPort
    ) throws(PortFailure) -> RelayCost {
        guard (1...40_000).contains(allocations), (1...1_400).contains(payloadLength) else {
            throw PortFailure("no such load")
        }
        var cost = RelayCost(allocations, payloadLength, port: port)
        for index in 0..<allocations { try cost.allocate(index) }
        for _ in 0...allocations / packetsPerRound { _ = try cost.round(toPeer: false) }
        return cost
    }

    private init(_ allocations: Int, _ payloadLength: Int, port: borrowing DPDKPort) {
        self.allocations = allocations
        self.payloadLength = payloadLength
        pool = port.pool(ofWorker: 0)
        mac = port.mac
        mailbox = WorkerMailbox()
        mesh = HandoverMesh(workers: 1)
        let us = BenchmarkPeer.us.address
        let queue = ArrivalQueue(
            device: port.queue(ofWorker: 0), offload: ChecksumOffload(), capacity: Self.packetsPerRound,
            burst: Worker<ArrivalQueue>.burst)
        let relay = RelayConfiguration(
            realm: Self.realm, secret: (1, 2, 3, 4), v4: .init(local: us), v6: nil, ports: 10_000...65_535,
            allowedPeers: [.init(address: us, length: 8)],
            limits: RelayLimits(requestRate: 1_000_000, requestBurst: 1_000_000))
        worker = .allocate(capacity: 1)
        worker.initialize(
            to: Worker(
                configuration: WorkerConfiguration(
                    pop: 1, number: 0,
                    capacity: Capacity(
                        sessions: 2, tracks: 2, slots: 2, allocations: allocations + Self.newcomersPerRound),
                    mediaPort: BenchmarkPeer.us.port, seed: 1, ntpEpoch: 3_900_000_000 << 32, relay: relay),
                mailbox: mailbox, siblings: mesh.siblings(of: 0, transmitters: 1), pool: pool, queue: queue,
                host: HostConfiguration(mac: port.mac, interfaces: [.init(address: us, prefixLength: 8)]),
                engine: SRTPEngine()))
    }

    deinit {
        worker.pointee.shutDown()
        worker.pointee.queue.deallocate()
        worker.deinitialize(count: 1)
        worker.deallocate()
        mesh.deallocate()
        mailbox.deallocate()
    }

    /// Queues packets of clients (`toPeer`) or of peers, then takes the time in which the worker relays them.
    public mutating func round(toPeer: Bool) throws(PortFailure) -> ForwardingCost.Round {
        let frames = worker.pointee.queue.frames
        guard pool.allocate(into: frames, count: Self.packetsPerRound) else {
            throw PortFailure("the pool has no buffers left for the load")
        }
        for place in 0..<Self.packetsPerRound {
            // A stride without a common divisor with any round number visits all, far from each other.
            write(to: frames[place], index: position &* 7_919 % allocations, toPeer: toPeer)
            position += 1
        }
        let counter = toPeer ? Counter.relayedPacketsToPeer : .relayedPacketsToClient
        let before = worker.pointee.counters[counter]
        worker.pointee.queue.fill(Self.packetsPerRound)
        let cycles = runTurns()
        guard worker.pointee.counters[counter] == before + UInt64(Self.packetsPerRound) else {
            throw PortFailure("the worker did not relay a packet")
        }
        return ForwardingCost.Round(cycles: cycles, packets: Self.packetsPerRound)
    }

    mutating func runTurns() -> UInt64 {
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

    private func client(_ index: Int) -> Endpoint {
        Endpoint(address: IPAddress(v4: 0x0a01_0000 + UInt32(index)), port: 40_000)
    }

    private func peer(_ index: Int) -> Endpoint {
        Endpoint(address: IPAddress(v4: 0x0a02_0000 + UInt32(index)), port: 50_000)
    }

    func write(to packet: Mbuf, index: Int, toPeer: Bool) {
        let source = toPeer ? client(index) : peer(index)
        let destination = Endpoint(
            address: BenchmarkPeer.us.address, port: toPeer ? BenchmarkPeer.us.port : relayed[index])
        let template = FrameTemplate(
            source: source, destination: destination, sourceMAC: MACAddress(0x02_0000_0000_00 + UInt64(index)),
            destinationMAC: mac)
        let headers = template.length
        let length = payloadLength + (toPeer ? ChannelData.headerLength : 0)
        let payload = packet.data + headers
        payload.initializeMemory(as: UInt8.self, repeating: 0x5a, count: length)
        if toPeer { ChannelData.write(to: payload, channel: Self.channel, payloadLength: payloadLength) }
        template.write(into: packet.data, payloadLength: length)
        template.fillChecksum(in: packet.data, payloadLength: length)
        _ = packet.setLength(headers + length)
    }

    /// An allocation and its channel, the way a client has them: by requests.
    private mutating func allocate(_ index: Int) throws(PortFailure) {
        deliver(index, STUNMethod.allocate) { $0.add(STUNAttributeType.requestedTransport, UInt32(17) << 24) }
        guard let request = mailbox.turn.requests.pop() else { throw PortFailure("the worker asked for no allocation") }
        let grant = GrantAllocation(request, key: Self.key, usesSHA256: false, user: UInt64(index))
        guard mailbox.turn.commands.push(.grant(grant)) else { throw PortFailure("the ring of commands is full") }
        now &+= HousekeepingSchedule.interval
        _ = worker.pointee.turn(now: now)
        guard case .allocationOpened(let handle, _, _) = mailbox.turn.events.pop(),
            let allocation = worker.pointee.relay.allocations.find(handle)
        else { throw PortFailure("the worker made no allocation") }
        relayed.append(allocation.pointee.portV4)
        let peer = peer(index)
        deliver(index, STUNMethod.channelBind) {
            $0.add(STUNAttributeType.channelNumber, UInt32(Self.channel) << 16)
            $0.add(STUNAttributeType.xorPeerAddress, xored: peer)
        }
        guard allocation.pointee.channelCount == 1 else { throw PortFailure("the worker bound no channel") }
    }

    private mutating func deliver(_ index: Int, _ method: UInt16, _ body: (inout STUNWriter) -> Void) {
        guard let packet = pool.allocate() else { return }
        compose(index, method, in: packet, username: Array("benchmark".utf8), key: Self.key, body)
        worker.pointee.queue.frames[0] = packet
        worker.pointee.queue.fill(1)
        _ = runTurns()
    }

    /// A client's request, with credentials unless there is no `username`.
    mutating func compose(
        _ index: Int, _ method: UInt16, in packet: Mbuf, username: [UInt8]?, key: [UInt8],
        _ body: (inout STUNWriter) -> Void
    ) {
        let source = client(index)
        let template = FrameTemplate(
            source: source, destination: BenchmarkPeer.us, sourceMAC: MACAddress(0x02_0000_0000_00 + UInt64(index)),
            destinationMAC: mac)
        let room = UnsafeMutableRawBufferPointer(start: packet.data + template.length, count: 512)
        let id = STUNTransactionID(high: UInt32(method), low: UInt64(index))
        guard var writer = STUNWriter(into: room, class: .request, method: method, transactionID: id) else { return }
        body(&writer)
        if let username {
            username.withUnsafeBytes { writer.add(STUNAttributeType.username, $0) }
            writer.add(STUNAttributeType.realm, text: "benchmark")
            if let nonce = writer.reserve(STUNAttributeType.nonce, count: TURNNonces.length) {
                worker.pointee.relay.nonces.write(to: nonce, address: source.address, now: now)
            }
            key.withUnsafeBytes { TURNIntegrityKey(key: $0, usesSHA256: false) }.sign(&writer)
        }
        let length = writer.finish()
        template.write(into: packet.data, payloadLength: length)
        _ = packet.setLength(template.length + length)
    }
}
