import Mailbox
import Wire

@testable import Dataplane

/// The TURN state machine of a worker: what several clients send in turn, over UDP and as streams, with and without
/// credentials, to it and to each other's relayed addresses, with a control that grants, refuses, forgets and closes, and
/// time that goes by. After each step the tables agree with each other, and in the end everything is free.
///
/// A step: a byte of what, a byte of who, and what the step reads. ASan watches the tables, not the packets.
func fuzzTURNMessages(_ input: UnsafeRawBufferPointer) {
    var script = TURNScript(input: input[...])
    for _ in 0..<48 where !script.isAtEnd {
        script.step()
        script.check()
    }
    script.finish()
}

private struct TURNScript {
    private static let key = Array("0123456789abcdef".utf8)
    private static let clients = (1...4).map { Endpoint(address: IPAddress(v4: 0x0a00_0040 + $0), port: 4_000) }
    private static let peers = [
        Endpoint(address: IPAddress(v4: 0x0a00_00c8), port: 9_000), Endpoint("[fd00::c8]:9000")!,
        Endpoint("10.0.0.201:9000")!, Endpoint(address: Ground.address, port: Ground.mediaPort),
        Endpoint(address: Ground.address, port: 50_003), Endpoint("192.168.0.1:1")!,
    ]

    private let worker: UnsafeMutablePointer<Worker<MemoryQueue>>
    private let mailbox = WorkerMailbox(
        depth: 16, datagrams: 2, turn: TURNMailbox(requests: 8, events: 8, messages: 4))
    private let mesh = HandoverMesh(workers: 1, depth: 4)
    private let queue = MemoryQueue(
        offload: ChecksumOffload(), received: Ring(capacity: 64), transmitted: Ring(capacity: 512))
    private var now: UInt64 = 1_000_000
    private var input: Slice<UnsafeRawBufferPointer>
    private var lastMessage: [UInt8] = []
    private var ticket: [UInt8] = []
    private var token: [UInt8] = []
    private var handles: [AllocationHandle] = []
    private var requests: [TURNRequest] = []
    private var transactions: UInt64 = 0

    init(input: Slice<UnsafeRawBufferPointer>) {
        self.input = input
        let host = HostConfiguration(
            mac: Ground.mac,
            interfaces: [
                .init(address: Ground.address, prefixLength: 24), .init(address: Ground.addressV6, prefixLength: 64),
            ])
        let relay = RelayConfiguration(
            realm: "fuzz", secret: (1, 2, 3, 4), v4: .init(local: Ground.address), v6: .init(local: Ground.addressV6),
            ports: 50_000...50_007,
            allowedPeers: [
                .init(address: Ground.address, length: 24), .init(address: Ground.addressV6, length: 64),
            ], limits: RelayLimits(sources: 8, permissions: 3, channels: 3))
        worker = .allocate(capacity: 1)
        worker.initialize(
            to: Worker(
                configuration: WorkerConfiguration(
                    pop: Ground.pop, number: 0, capacity: Capacity(sessions: 1, tracks: 1, slots: 1, allocations: 3),
                    mediaPort: Ground.mediaPort, seed: 1, ntpEpoch: 0, relay: relay),
                mailbox: mailbox, siblings: mesh.siblings(of: 0, transmitters: 1), pool: Ground.pool, queue: queue,
                host: host, engine: SRTPEngine()))
    }

    var isAtEnd: Bool { input.isEmpty }

    private mutating func u8() -> UInt8 { input.popFirst() ?? 0 }
    private mutating func take(_ count: Int) -> [UInt8] {
        defer { input = input.dropFirst(count) }
        return Array(input.prefix(count))
    }

    mutating func step() {
        let what = u8()
        let who = Int(u8())
        switch what % 12 {
        case 0: send(take(Int(u8())), from: who)
        case 1, 2, 3, 4: send(request(who, isSigned: true), from: who)
        case 5: send(request(who, isSigned: u8() & 1 == 0), from: who)
        case 6:
            let data = take(Int(u8() & 31))
            send([0x40, UInt8(who >> 4 & 3), 0, UInt8(data.count)] + data, from: who)
        case 7:
            let isV4 = who & 1 == 0
            let relay = Endpoint(address: isV4 ? Ground.address : Ground.addressV6, port: 50_000 + UInt16(u8() & 7))
            deliver(take(Int(u8())), from: Self.peers[isV4 ? who >> 1 & 1 == 0 ? 0 : 2 : 1], to: relay)
        case 8: now += UInt64(u8()) << UInt64(who % 34)
        case 9: control(who)
        case 10: stream(who)
        default: send(lastMessage, from: who)
        }
        turn()
    }

    /// A request or Send indication with attributes that the input names.
    private mutating func request(_ who: Int, isSigned: Bool) -> [UInt8] {
        let methods: [UInt16] = [
            STUNMethod.allocate, STUNMethod.refresh, STUNMethod.createPermission, STUNMethod.channelBind,
            STUNMethod.send,
            STUNMethod.binding, STUNMethod.allocate, STUNMethod.data,
        ]
        let method = methods[Int(u8() & 7)]
        transactions += 1
        return withUnsafeTemporaryAllocation(byteCount: 1_024, alignment: 8) { room in
            var writer = STUNWriter(
                into: room, class: method == STUNMethod.send ? .indication : .request, method: method,
                transactionID: STUNTransactionID(high: UInt32(who), low: transactions))!
            if method == STUNMethod.allocate { writer.add(STUNAttributeType.requestedTransport, UInt32(17) << 24) }
            for _ in 0..<min(u8(), 5) { addAttribute(&writer) }
            if isSigned { sign(&writer, address: Self.clients[who & 3].address) }
            lastMessage = Array(room.prefix(writer.finish()))
            return lastMessage
        }
    }

    private mutating func addAttribute(_ writer: inout STUNWriter) {
        let value = u8()
        switch u8() % 12 {
        case 0, 1: writer.add(STUNAttributeType.xorPeerAddress, xored: Self.peers[Int(value) % Self.peers.count])
        case 2: writer.add(STUNAttributeType.channelNumber, UInt32(0x4000 + UInt32(value & 3)) << 16)
        case 3: writer.add(STUNAttributeType.lifetime, UInt32(value) * 8)
        case 4: writer.add(STUNAttributeType.requestedAddressFamily, UInt32(value & 3) << 24)
        case 5: writer.add(STUNAttributeType.additionalAddressFamily, UInt32(value & 3) << 24)
        case 6: writer.reserve(STUNAttributeType.evenPort, count: 1)?.setU8(value, at: 0)
        case 7: add(STUNAttributeType.reservationToken, token, &writer)
        case 8: add(STUNAttributeType.mobilityTicket, value & 1 == 0 ? [] : ticket, &writer)
        case 9: add(STUNAttributeType.data, take(Int(value & 31)), &writer)
        case 10: writer.addFlag(STUNAttributeType.dontFragment)
        default: add(UInt16(value) << 4 & 0x80f0 | UInt16(value & 15), take(Int(value & 7)), &writer)
        }
    }

    private func add(_ type: UInt16, _ bytes: [UInt8], _ writer: inout STUNWriter) {
        bytes.withUnsafeBytes { writer.add(type, $0) }
    }

    private func sign(_ writer: inout STUNWriter, address: IPAddress) {
        writer.add(STUNAttributeType.username, text: "user")
        writer.add(STUNAttributeType.realm, text: "fuzz")
        if let nonce = writer.reserve(STUNAttributeType.nonce, count: TURNNonces.length) {
            worker.pointee.relay.nonces.write(to: nonce, address: address, now: now)
        }
        Self.key.withUnsafeBytes { TURNIntegrityKey(key: $0, usesSHA256: false) }.sign(&writer)
    }

    private func send(_ payload: [UInt8], from who: Int) {
        deliver(
            payload, from: Self.clients[who & 3], to: Endpoint(address: Ground.address, port: Ground.mediaPort))
    }

    private func deliver(_ payload: [UInt8], from source: Endpoint, to destination: Endpoint) {
        guard let packet = Ground.pool.allocate() else { return }
        let template = FrameTemplate(
            source: source, destination: destination, sourceMAC: MACAddress(0x02_0000_0000_99),
            destinationMAC: Ground.mac)
        guard packet.setLength(template.length + payload.count) else { return packet.free() }
        (packet.data + template.length).copyMemory(from: payload, byteCount: payload.count)
        template.write(into: packet.data, payloadLength: payload.count)
        if !queue.received.push(packet) { packet.free() }
    }

    private func stream(_ who: Int) {
        let client = TURNClient(
            stream: UInt64(who >> 6), transport: .tcp, remote: Self.clients[who & 3],
            local: Endpoint(address: Ground.address, port: 443))
        var message = TURNStreamMessage(client, closed: who & 0x3c == 0x3c)
        _ = lastMessage.withUnsafeBytes { message.fill($0) }
        _ = mailbox.turn.arrivals.push(message)
    }

    /// Control answers the oldest request, or makes a mistake.
    private mutating func control(_ who: Int) {
        if who & 7 == 7, let handle = handles.last {
            _ = mailbox.turn.commands.push(.close(handle))
            return
        }
        guard let request = requests.first else { return }
        if who & 8 == 0 { requests.removeFirst() }
        let command: TURNCommand =
            who & 6 == 6
            ? .refuse(RefuseAllocation(request, code: 401 + UInt16(who >> 4)))
            : .grant(GrantAllocation(request, key: Self.key, usesSHA256: false, user: 1, maximumLifetime: 1_000))
        _ = mailbox.turn.commands.push(command)
    }

    private mutating func turn() {
        now += 1_000_000
        var turns = 0
        while worker.pointee.turn(now: now) > 0, turns < 16 { turns += 1 }
        while let frame = queue.transmitted.pop() {
            if let datagram = DatagramFrame(frame.bytes), PacketKind(datagram.payload) == .stun {
                learn(datagram.payload)
            }
            frame.free()
        }
        while let request = mailbox.turn.requests.pop() { requests.append(request) }
        while mailbox.turn.departures.pop() != nil {}
        // Now and then control does not look.
        guard now >> 20 & 3 != 0 else { return }
        while let event = mailbox.turn.events.pop() {
            if case .allocationOpened(let handle, _, _) = event { handles.append(handle) }
        }
    }

    private mutating func learn(_ payload: UnsafeRawBufferPointer) {
        guard let message = STUNMessage(payload) else { return }
        require(message.messageClass == .indication || message.isFingerprintValid, "a message that nobody can read")
        if let value = message.attribute(STUNAttributeType.mobilityTicket)?.value { ticket = Array(value) }
        if let value = message.attribute(STUNAttributeType.reservationToken)?.value { token = Array(value) }
    }

    func check() {
        if let fault = worker.pointee.relay.fault() { fatalError(fault) }
    }

    mutating func finish() {
        requests.removeAll()
        for _ in 0..<12 {
            now += 1_000_000_000_000
            turn()
        }
        check()
        require(worker.pointee.relay.allocations.count == 0 && worker.pointee.relay.clients.count == 0)
        require(worker.pointee.relay.wheel.count == 0, "something is due that is gone")
        worker.pointee.shutDown()
        worker.deinitialize(count: 1)
        worker.deallocate()
        mesh.deallocate()
        while let frame = queue.received.pop() { frame.free() }
        while let frame = queue.transmitted.pop() { frame.free() }
        queue.received.deallocate()
        queue.transmitted.deallocate()
        mailbox.deallocate()
        require(Ground.pool.available == Ground.pool.count, "a packet buffer leaked")
    }
}
