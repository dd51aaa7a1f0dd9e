import Mailbox
import Wire

/// The C side of the test (Hooks.c).
@_silgen_name("hooks_start") func hooksStart() -> Int32
@_silgen_name("hooks_enter") func hooksEnter()
@_silgen_name("hooks_leave") func hooksLeave()
@_silgen_name("hooks_count") func hooksCount(_ kind: Int32) -> UInt64
@_silgen_name("hooks_first_call") func hooksFirstCall() -> Int
@_silgen_name("hooks_print_trace") func hooksPrintTrace()
@_silgen_name("hooks_reset") func hooksReset()
@_silgen_name("hooks_offend") func hooksOffend(_ kind: Int32)

/// One participant: a transport, two sources and a Slot for each source of the meeting.
final class Member {
    let peer: BenchmarkPeer
    let profile: SRTPProfile
    let isPublisher: Bool
    /// What it seals with.
    let transform: SRTPTransform
    let camera: TrackHandle
    let microphone: TrackHandle
    var slots: [SlotHandle] = []
    var indices: [UInt32: UInt64] = [:]
    var rtcpIndex: UInt32 = 0
    /// The latest number that each Slot sent, by SSRC.
    var received: [UInt32: UInt16] = [:]

    init(index: Int, worker: Int, profile: SRTPProfile, isPublisher: Bool, engine: borrowing SRTPEngine) {
        peer = BenchmarkPeer(index: index, worker: worker, mac: Meeting.mac)
        self.profile = profile
        self.isPublisher = isPublisher
        transform = .install(
            at: .allocate(byteCount: SRTPTransform.byteCount, alignment: SRTPTransform.alignment), engine: engine,
            profile: profile, master: peer.master(profile, isSend: false))
        camera = TrackHandle(worker: UInt8(worker), index: UInt32(index * 2), generation: 1)
        microphone = TrackHandle(worker: UInt8(worker), index: UInt32(index * 2 + 1), generation: 1)
    }

    var number: UInt32 { UInt32(peer.session.worker) << 8 | UInt32(peer.session.index) }
    func cameraSsrc(_ layer: Int) -> UInt32 { 0x2000_0000 | number << 4 | UInt32(layer) }
    func repairSsrc(_ layer: Int) -> UInt32 { 0x2100_0000 | number << 4 | UInt32(layer) }
    var microphoneSsrc: UInt32 { 0x2200_0000 | number << 4 }
    func slotSsrc(_ slot: SlotHandle) -> UInt32 { 0x1000_0000 | UInt32(slot.worker) << 20 | UInt32(slot.index) << 1 }
}

/// Two workers on virtual time, with ports in memory, and a meeting across both.
final class Meeting {
    static let mac = MACAddress(0x02_0000_0000_02)
    static let interval: UInt64 = 1_000_000
    static let viewers = 15

    let pool: BufferPool
    let queues: [MemoryQueue]
    let mailboxes = (0..<2).map { _ in WorkerMailbox(taps: TapReaders(count: 1, capacity: 64)) }
    let mesh = HandoverMesh(workers: 2)
    let kind: SRTPEngine.Kind
    let workers: [UnsafeMutablePointer<Worker<MemoryQueue>>]
    let engine = UnsafeMutablePointer<SRTPEngine>.allocate(capacity: 1)
    var members: [[Member]] = [[], []]
    var now: UInt64 = interval
    var random = RandomSource(seed: 3)
    var isMeasuring = false
    var events: [String: Int] = [:]
    /// When, who, layer, and the number of the packet that a publisher is to repeat.
    var repairs: [(due: UInt64, member: Member, layer: Int, lost: UInt64)] = []

    init(_ kind: SRTPEngine.Kind) throws {
        self.kind = kind
        try EAL.start(EAL.Configuration(hugepages: .never, memory: 192, logLevel: 4))
        pool = try BufferPool(name: "packetpath\(kind)", count: 16_383)
        queues = (0..<2).map { _ in
            MemoryQueue(offload: ChecksumOffload(), received: Ring(capacity: 4_096), transmitted: Ring(capacity: 8_192))
        }
        engine.initialize(to: SRTPEngine())
        let host = HostConfiguration(
            mac: Self.mac, interfaces: [.init(address: BenchmarkPeer.us.address, prefixLength: 8)])
        workers = (0..<2).map { _ in .allocate(capacity: 1) }
        for number in 0..<2 {
            workers[number].initialize(
                to: Worker(
                    configuration: WorkerConfiguration(
                        pop: 1, number: number, capacity: Capacity(sessions: 64, tracks: 128, slots: 512),
                        mediaPort: BenchmarkPeer.us.port, seed: UInt64(number), ntpEpoch: 3_900_000_000 << 32,
                        cacheBudget: 4_096),
                    mailbox: mailboxes[number], siblings: mesh.siblings(of: number, transmitters: 2), pool: pool,
                    queue: queues[number], host: host, engine: SRTPEngine(kind: kind)!))
        }
        let profiles: [SRTPProfile] = [.aeadAes128Gcm, .aes128CmHmacSha1, .aeadAes256Gcm]
        for worker in 0..<2 {
            members[worker] = (0...Self.viewers).map { index in
                Member(
                    index: index, worker: worker, profile: profiles[(index + worker) % 3], isPublisher: index == 0,
                    engine: engine.pointee)
            }
        }
        open()
    }

    var everyone: [Member] { members[0] + members[1] }

    func command(_ worker: Int, _ commands: Command...) {
        for command in commands { precondition(mailboxes[worker].commands.stage(command)) }
        mailboxes[worker].commands.commit()
    }

    /// What control does when people come: sessions, sources, their replicas on the other worker, Slots.
    private func open() {
        for member in everyone {
            for item in member.peer.commands(profile: member.profile) { command(member.peer.session.worker, item) }
        }
        for worker in 0..<2 { publish(members[worker][0], to: 1 - worker) }
        turns(200)
        for worker in 0..<2 {
            let publisher = members[worker][0]
            for (track, index) in [(publisher.camera, 100), (publisher.microphone, 101)] {
                command(worker, .feed(track, replica: replica(on: 1 - worker, index)))
            }
        }
        for worker in 0..<2 { tap(worker) }
        for member in everyone { subscribe(member) }
        for member in everyone { check(member) }
        turns(400)
    }

    private func replica(on worker: Int, _ index: Int) -> TrackHandle {
        TrackHandle(worker: UInt8(worker), index: UInt32(index), generation: 1)
    }

    /// A thread of control hears the worker's own microphone, and the camera of the other worker.
    private func tap(_ worker: Int) {
        for (index, track) in [members[worker][0].microphone, replica(on: worker, 100)].enumerated() {
            let tap = TapHandle(worker: UInt8(worker), index: UInt32(index), generation: 1)
            command(worker, .openTap(OpenTap(tap: tap, track: track, layers: .below(2), reader: 0)))
        }
    }

    private func publish(_ member: Member, to other: Int) {
        let layers = InlineArray<3, LayerDescription> {
            LayerDescription(ssrc: member.cameraSsrc($0), rtxSsrc: member.repairSsrc($0))
        }
        var camera = OpenTrack(
            track: member.camera, source: .session(member.peer.session), mid: ShortText("0")!, kind: .video,
            codec: .vp8,
            payloadTypes: PayloadTypes(media: 96, rtx: 97), layers: layers, layerCount: 3)
        var microphone = OpenTrack(
            track: member.microphone, source: .session(member.peer.session), mid: ShortText("1")!, kind: .audio,
            codec: .opus,
            payloadTypes: PayloadTypes(media: 111),
            layers: InlineArray { LayerDescription(ssrc: $0 == 0 ? member.microphoneSsrc : 0) }, layerCount: 1)
        command(member.peer.session.worker, .openTrack(camera), .openTrack(microphone))
        (camera.source, microphone.source) = (.sibling(camera.track), .sibling(microphone.track))
        (camera.track, microphone.track) = (replica(on: other, 100), replica(on: other, 101))
        camera.layers = .init(repeating: LayerDescription())
        microphone.layers = .init(repeating: LayerDescription())
        command(other, .openTrack(camera), .openTrack(microphone))
    }

    /// Slots for both cameras and both microphones; everybody sees itself too.
    private func subscribe(_ member: Member) {
        let worker = member.peer.session.worker
        var types = PayloadTypeMap()
        types[.vp8] = PayloadTypes(media: 120, rtx: 121)
        types[.opus] = PayloadTypes(media: 109)
        for place in 0..<4 {
            let isVideo = place < 2
            let slot = SlotHandle(
                worker: UInt8(worker), index: UInt32(member.peer.session.index * 4 + place), generation: 1)
            member.slots.append(slot)
            let ssrc = member.slotSsrc(slot)
            command(
                worker,
                .openSlot(
                    OpenSlot(
                        slot: slot, session: member.peer.session, kind: isVideo ? .video : .audio,
                        mid: ShortText("s\(place)")!, ssrc: ssrc, rtxSsrc: isVideo ? ssrc + 1 : 0, payloadTypes: types)),
                map(member, place, maxHeight: 720))
        }
    }

    /// Slot `place` shows the camera (0, 1) or plays the microphone (2, 3) of the publisher on worker 0 or 1.
    func map(_ member: Member, _ place: Int, maxHeight: UInt16) -> Command {
        let source = place % 2
        let worker = member.peer.session.worker
        let own = members[source][0]
        let track =
            source == worker ? (place < 2 ? own.camera : own.microphone) : replica(on: worker, place < 2 ? 100 : 101)
        return .mapSlot(MapSlot(slot: member.slots[place], track: track, maxHeight: maxHeight))
    }

    /// Turns of both workers, one more than half of them without a packet, then time passes.
    func turns(_ milliseconds: Int = 1) {
        for _ in 0..<milliseconds {
            for _ in 0..<4 { for worker in workers { turn(worker) } }
            now += Self.interval
            drain()
        }
    }

    /// What the test is about: nothing in here may allocate, lock or call the system.
    private func turn(_ worker: UnsafeMutablePointer<Worker<MemoryQueue>>) {
        if isMeasuring { hooksEnter() }
        _ = worker.pointee.turn(now: now)
        if isMeasuring { hooksLeave() }
    }

    private func drain() {
        for (number, queue) in queues.enumerated() {
            while let frame = queue.transmitted.pop() {
                if let datagram = DatagramFrame(frame.bytes), PacketKind(datagram.payload) == .rtp,
                    let header = RTPPacket(encrypted: datagram.payload)
                {
                    let place = Int(header.ssrc & 0xfffff) >> 3
                    if header.ssrc & 1 == 0, place < members[number].count {
                        members[number][place].received[header.ssrc] = header.sequence
                    }
                }
                frame.free()
            }
            while let event = mailboxes[number].events.pop() { events[name(event), default: 0] += 1 }
            while let packet = mailboxes[number].taps[0].take() {
                events["tap \(packet.tap.index)", default: 0] += 1
                mailboxes[number].taps[0].giveBack(packet)
            }
            while mailboxes[number].punts.pop() != nil { events["punt", default: 0] += 1 }
        }
    }

    private func name(_ event: Event) -> String {
        switch event {
        case .slotSwitched: "slotSwitched"
        case .audioLevel: "audioLevel"
        case .sessionClosed: "sessionClosed"
        case .sessionValidated: "sessionValidated"
        case .layersWanted: "layersWanted"
        case .slotPaused: "slotPaused"
        case .pathReport: "pathReport"
        default: "other"
        }
    }
}
