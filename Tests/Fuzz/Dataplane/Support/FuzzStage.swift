import Mailbox
import Wire

@testable import Dataplane

/// A worker on virtual time in a small meeting, made anew for each input: two publishers that watch each other, a
/// place for a third, and the witness. What it sends is opened and compared.
final class FuzzStage {
    static let capacity = Capacity(sessions: 4, tracks: 8, slots: 8, taps: 4, lanes: 2, crossings: 4)
    static let witness = FuzzPeer.count - 1

    let peers: [FuzzPeer]
    let codec: Codec
    let worker: UnsafeMutablePointer<Worker<MemoryQueue>>
    let mailbox = WorkerMailbox(depth: 256, datagrams: 16, taps: TapReaders(count: 1, capacity: 8))
    let mesh = HandoverMesh(workers: 2, depth: 64)
    /// The other worker's ends: it is not there, the input plays it.
    let sibling: Siblings
    private let queue = MemoryQueue(
        offload: ChecksumOffload(), received: Ring(capacity: 128), transmitted: Ring(capacity: 1_024))
    private(set) var now: UInt64 = 1_000_000
    /// Control made a mistake that may break the keys' rules (a SSRC twice in a session, a key twice).
    var controlErred = false
    var hasReplied = false

    /// What was sealed, by key, SSRC and index: never twice with two contents (RFC 7714 section 8.1).
    private struct Nonce: Hashable {
        var key: ObjectIdentifier
        var ssrc: UInt32
        var index: UInt64
    }
    private var sealed: [Nonce: [UInt8]] = [:]
    /// What a Tap's reader has at present, and what was in it.
    private var tapped: TapPacket?
    private var tappedBytes: [UInt8] = []
    private(set) var witnessAnswers = 0
    private(set) var witnessPackets = 0

    init(profile: Int, codec: Codec, namesLayers: Bool) {
        peers = Ground.peers[profile % Ground.peers.count]
        self.codec = codec
        sibling = mesh.siblings(of: 1, transmitters: 2)
        let host = HostConfiguration(
            mac: Ground.mac,
            interfaces: [
                .init(address: Ground.address, prefixLength: 24), .init(address: Ground.addressV6, prefixLength: 64),
            ])
        worker = .allocate(capacity: 1)
        worker.initialize(
            to: Worker(
                configuration: WorkerConfiguration(
                    pop: Ground.pop, number: 0, capacity: Self.capacity, mediaPort: Ground.mediaPort, seed: 1,
                    ntpEpoch: 3_900_000_000 << 32, cacheBudget: 1_024),
                mailbox: mailbox, siblings: mesh.siblings(of: 0, transmitters: 2), pool: Ground.pool, queue: queue,
                host: host, engine: SRTPEngine()))
        for place in [0, 1, Self.witness] { command(peers[place].commands) }
        for place in [0, 1, Self.witness] { command(opening(of: place, namesLayers: namesLayers)) }
        turn()
        for place in [0, 1, Self.witness] { deliver(peers[place].check, from: peers[place]) }
        turn()
        openLane()
    }

    // MARK: handles, the same for every input

    static func track(_ place: Int) -> TrackHandle { TrackHandle(worker: 0, index: UInt32(place), generation: 1) }
    static func slot(_ place: Int) -> SlotHandle { SlotHandle(worker: 0, index: UInt32(place), generation: 1) }
    /// Of layer `layer` of a publisher's camera; 50 more is its retransmission.
    static func ssrc(_ place: Int, layer: Int) -> UInt32 {
        1_000 &* UInt32(truncatingIfNeeded: place &+ 1) &+ UInt32(layer)
    }
    static func slotSsrc(_ place: Int) -> UInt32 { 500_000 + UInt32(place) * 10 }

    /// Two Slots, with and without RTX, and a camera of three layers; the witness hears itself.
    private func opening(of place: Int, namesLayers: Bool) -> [Command] {
        let session = peers[place].session
        var types = PayloadTypeMap()
        for codec in Codec.allCases { types[codec] = PayloadTypes(media: 110 + codec.rawValue) }
        guard place != Self.witness else {
            return [
                .openTrack(
                    OpenTrack(
                        track: Self.track(7), source: .session(session), mid: ShortText("a")!, kind: .audio,
                        codec: .opus,
                        payloadTypes: PayloadTypes(media: 111), layers: .init(repeating: LayerDescription()),
                        layerCount: 1)),
                openSlot(7, session, .audio, types),
                .mapSlot(MapSlot(slot: Self.slot(7), track: Self.track(7), maxHeight: 0)),
            ]
        }
        let layers = InlineArray<3, LayerDescription> { layer in
            namesLayers
                ? LayerDescription(rid: ShortText(["q", "h", "f"][layer])!)
                : LayerDescription(ssrc: Self.ssrc(place, layer: layer), rtxSsrc: Self.ssrc(place, layer: layer) + 50)
        }
        let other = Self.track(1 - place)
        var commands: [Command] = [
            .openTrack(
                OpenTrack(
                    track: Self.track(place), source: .session(session), mid: ShortText("v")!, kind: .video,
                    codec: codec,
                    payloadTypes: PayloadTypes(media: 96, rtx: 97), layers: layers, layerCount: 3))
        ]
        commands += [openSlot(2 * place, session, .video, types)]
        for codec in Codec.allCases { types[codec].rtx = 120 }
        commands += [openSlot(2 * place + 1, session, .video, types)]
        for slot in [2 * place, 2 * place + 1] {
            commands.append(.mapSlot(MapSlot(slot: Self.slot(slot), track: other, maxHeight: 360)))
        }
        return commands
    }

    private func openSlot(
        _ place: Int, _ session: SessionHandle, _ kind: MediaKind, _ types: PayloadTypeMap
    ) -> Command {
        .openSlot(
            OpenSlot(
                slot: Self.slot(place), session: session, kind: kind, mid: ShortText("s")!,
                ssrc: Self.slotSsrc(place), rtxSsrc: Self.slotSsrc(place) + 1, payloadTypes: types))
    }

    // MARK: in

    func command(_ commands: [Command]) {
        for command in commands { _ = mailbox.commands.stage(command) }
        mailbox.commands.commit()
    }

    /// A packet buffer with `bytes`, or nil when it does not fit or none is left.
    func buffer(_ bytes: some Collection<UInt8>) -> Mbuf? {
        guard let packet = Ground.pool.allocate() else { return nil }
        guard let place = packet.append(bytes.count) else {
            packet.free()
            return nil
        }
        UnsafeMutableRawBufferPointer(start: place, count: bytes.count).copyBytes(from: bytes)
        return packet
    }

    func deliver(frame: some Collection<UInt8>) {
        guard let packet = buffer(frame) else { return }
        if !queue.received.push(packet) { packet.free() }
    }

    func deliver(_ payload: some Collection<UInt8>, from peer: FuzzPeer, source: Endpoint? = nil) {
        let source = source ?? peer.endpoint
        let template = FrameTemplate(
            source: source,
            destination: Endpoint(
                address: source.address.isV4 ? Ground.address : Ground.addressV6, port: Ground.mediaPort),
            sourceMAC: peer.mac, destinationMAC: Ground.mac)
        var frame = [UInt8](repeating: 0, count: template.length) + payload
        frame.withUnsafeMutableBytes { template.write(into: $0.baseAddress!, payloadLength: payload.count) }
        deliver(frame: frame)
    }

    /// The SRTP index that the worker will take for a packet of `peer`.
    func index(_ peer: FuzzPeer, ssrc: UInt32, sequence: UInt16) -> UInt64 {
        guard let session = worker.pointee.sessions.find(peer.session),
            let stream = session.pointee.streams.find(ssrc)
        else { return RolloverCounter().estimate(sequence: sequence) }
        return session.pointee.streams[stream].rollover.estimate(sequence: sequence)
    }

    // MARK: time

    /// One turn after `milliseconds`, and what follows from it.
    func turn(after milliseconds: UInt64 = 1) {
        now += milliseconds * 1_000_000
        var turns = 0
        while worker.pointee.turn(now: now) > 0, turns < 16 { turns += 1 }
        while let frame = queue.transmitted.pop() {
            examine(frame.bytes)
            frame.free()
        }
        while mailbox.events.pop() != nil {}
        while mailbox.punts.pop() != nil {}
        while let message = sibling.inbound[0]?.pop() { message.packet?.free() }
        readTaps()
    }

    /// Reads a packet a turn, and gives it back in the next.
    private func readTaps() {
        if let packet = tapped {
            require(Array(packet.bytes) == tappedBytes, "a packet changed while a Tap's reader had it")
            mailbox.taps[0].giveBack(packet)
        }
        tapped = mailbox.taps[0].take()
        tappedBytes = tapped.map { Array($0.bytes) } ?? []
    }

    /// Everything that is sent is whole: a STUN message, or authentic for a peer.
    private func examine(_ frame: UnsafeRawBufferPointer) {
        guard let datagram = DatagramFrame(frame) else { return }
        let payload = Array(datagram.payload)
        switch PacketKind(datagram.payload) {
        case .stun:
            guard let message = STUNMessage(datagram.payload), message.isFingerprintValid else {
                fatalError("a STUN message that nobody can read was sent")
            }
            let peer = peers[Self.witness]
            if message.messageClass == .success, message.transactionID.high == UInt32(Self.witness),
                datagram.destination == peer.endpoint
            {
                witnessAnswers += 1
            }
        case .rtp: examineRTP(payload)
        case .rtcp:
            let isAuthentic =
                Ground.farEnd.opensRTCP(payload) || Ground.peers.contains { $0.contains { $0.opensRTCP(payload) } }
            require(isAuthentic, "RTCP that nobody can open was sent")
        default: require(hasReplied, "what is no packet was sent")
        }
    }

    private func examineRTP(_ packet: [UInt8]) {
        guard let header = packet.withUnsafeBytes({ RTPPacket(encrypted: $0) }) else {
            fatalError("RTP without a header was sent")
        }
        for index in candidates(header) {
            for peer in Ground.peers.joined() + [Ground.farEnd] where peer.opens(packet, header, index: index) {
                if peer.session == peers[Self.witness].session { witnessPackets += 1 }
                let before = sealed.updateValue(
                    packet, forKey: Nonce(key: ObjectIdentifier(peer), ssrc: header.ssrc, index: index))
                require(controlErred || before == nil || before == packet, "one index, two contents")
                return
            }
        }
        fatalError("RTP that nobody can open was sent")
    }

    /// The indices that a sequence number may mean: what the Slots say, then the first rounds.
    private func candidates(_ header: RTPPacket) -> [UInt64] {
        var indices: [UInt64] = []
        for place in 0..<worker.pointee.slots.capacity where !worker.pointee.slots.handle(at: place).isNone {
            let slot = worker.pointee.slots.element(at: place)
            for (ssrc, near) in [
                (slot.pointee.ssrc, slot.pointee.rewriter.highest), (slot.pointee.rtxSsrc, slot.pointee.rtxSequence),
            ] where ssrc == header.ssrc {
                if let index = SequenceNumber.extended(header.sequence, near: near) { indices.append(index) }
            }
        }
        return indices + (0..<64).map { $0 << 16 | UInt64(header.sequence) }
    }

    // MARK: the end

    /// The witness is served as ever; then all goes, and nothing is left.
    func finish() {
        checkTables()
        let witness = peers[Self.witness]
        // The input may have left more behind than one turn takes.
        for _ in 0..<8 { turn() }
        let (answers, packets) = (witnessAnswers, witnessPackets)
        deliver(witness.check, from: witness)
        turn()
        require(witnessAnswers == answers + 1, "a valid check was not answered")
        // Junk with the same SSRC from the same address may cost one packet, and no more.
        for sequence in UInt8(1)...2 {
            let packet: [UInt8] = [0x80, 111, 0, sequence, 0, 0, 0, 1, 0, 0, 0, 77, 1, 2, 3]
            deliver(witness.seal(packet, index: UInt64(sequence))!, from: witness)
            turn()
        }
        require(witnessPackets > packets, "a valid packet was not forwarded")
        checkTables()
        for place in 0..<Self.capacity.sessions {
            command([.closeSession(worker.pointee.sessions.handle(at: place))])
        }
        command([.closeLane(Self.lane), .closeTrunk(Ground.farEnd.endpoint)])
        for place in 0..<Self.capacity.tracks { command([.closeTrack(worker.pointee.tracks.handle(at: place))]) }
        for _ in 0..<3 { turn() }
        require(worker.pointee.sessions.count == 0 && worker.pointee.tracks.count == 0)
        require(worker.pointee.slots.count == 0 && worker.pointee.cachedPackets == 0)
        require(worker.pointee.taps.count == 0)
        require(worker.pointee.cascade.lanes.count == 0 && worker.pointee.cascade.crossings.count == 0)
        for _ in 0..<16 { readTaps() }
        require(worker.pointee.flows.count == 0 && worker.pointee.sources.count == 0)
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
