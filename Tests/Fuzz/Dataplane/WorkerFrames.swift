import Mailbox
import Wire

@testable import Dataplane

/// A whole worker: hostile frames and datagrams, hostile media and RTCP behind authentication (the harness seals the
/// input with a peer's key), and control's mistakes. After each input a witness is still served, the tables are
/// consistent, everything that was sent opens with a key, and no packet buffer is lost.
///
/// The first byte chooses codec and profile. Then steps: a byte of what, a byte of how much, and that many bytes of
/// data. ASan watches the tables, not the packets: those lie in DPDK's memory.
func fuzzWorkerFrames(_ input: UnsafeRawBufferPointer) {
    var reader = InputReader(input[...])
    let setting = Int(reader.u8())
    let codecs: [Codec] = [.vp8, .h264, .vp9, .av1]
    var script = WorkerScript(
        stage: FuzzStage(profile: setting >> 2 & 3, codec: codecs[setting & 3], namesLayers: setting & 0x10 != 0))
    for _ in 0..<64 where !reader.isAtEnd { script.step(&reader) }
    script.stage.finish()
}

/// Bytes of the input, zeros behind its end.
private struct InputReader {
    private var bytes: Slice<UnsafeRawBufferPointer>

    init(_ bytes: Slice<UnsafeRawBufferPointer>) { self.bytes = bytes }

    var isAtEnd: Bool { bytes.isEmpty }
    var rest: [UInt8] { Array(bytes) }

    mutating func u8() -> UInt8 { bytes.popFirst() ?? 0 }
    mutating func u16() -> UInt16 { UInt16(u8()) << 8 | UInt16(u8()) }
    mutating func take(_ count: Int) -> InputReader {
        defer { bytes = bytes.dropFirst(count) }
        return InputReader(bytes.prefix(count))
    }
}

private struct WorkerScript {
    let stage: FuzzStage
    /// By SSRC.
    private var nextSequence: [UInt32: UInt16] = [:]
    private var rtcpIndex: UInt32 = 0
    private var laneSequences: [UInt16] = [1_000, 1_000, 65_000]
    private var laneNumber: UInt16 = 0
    /// Of Tracks and Slots opened by the input, so that right ones are never used twice.
    private var generation: UInt32 = 2

    init(stage: FuzzStage) { self.stage = stage }

    mutating func step(_ reader: inout InputReader) {
        let what = reader.u8()
        var data = reader.take(Int(reader.u8()) << (what & 0x10 == 0 ? 0 : 3))
        switch what & 0x2f {
        case 0x20...0x2f: crossLane(what & 0xf, &data)
        case 0: stage.deliver(frame: data.rest)
        case 1, 2:
            let peer = peer(data.u8())
            let from = what & 1 == 0 ? source(data.u8(), of: peer) : nil
            stage.deliver(data.rest, from: peer, source: from)
        case 3: sendPlain(&data)
        case 4, 5, 6: sendMedia(&data)
        case 7: sendPlainRTCP(&data)
        case 8, 9: sendFeedback(&data)
        case 10: obey(&data)
        case 11: mistake(&data)
        case 12: check(&data)
        case 13: handOver(&data)
        case 14: reply(&data)
        default:
            let (count, milliseconds) = (data.u8() & 0x1f, UInt64(data.u8()))
            for _ in 0..<count { stage.turn(after: milliseconds * milliseconds) }
        }
        // Without a turn the next one finds a burst.
        if what & 0x80 == 0 { stage.turn() }
    }

    /// Never the witness.
    private func peer(_ byte: UInt8) -> FuzzPeer { stage.peers[Int(byte) % FuzzStage.witness] }

    private func source(_ byte: UInt8, of peer: FuzzPeer) -> Endpoint {
        switch byte & 7 {
        case 0: peer.endpoint
        case 1: stage.peers[FuzzStage.witness].endpoint
        case 2: stage.peers[0].endpoint
        case 3, 4: Endpoint(address: IPAddress("fd00::1")!, port: UInt16(byte))
        default: Endpoint(address: IPAddress("10.0.0.99")!, port: UInt16(byte))
        }
    }

    // MARK: behind authentication

    /// A plain RTP packet of the input's own, sealed.
    private mutating func sendPlain(_ data: inout InputReader) {
        let peer = peer(data.u8())
        let from = source(data.u8(), of: peer)
        let plain = data.rest
        guard plain.count <= 1_472, let header = plain.withUnsafeBytes({ RTPPacket(encrypted: $0) }) else { return }
        let index = stage.index(peer, ssrc: header.ssrc, sequence: header.sequence)
        stage.deliver(peer.seal(plain, index: index)!, from: peer, source: from)
    }

    /// A packet of a camera's layer (or its retransmission) with a right header, whose payload is the input.
    private mutating func sendMedia(_ data: inout InputReader) {
        let (stream, flags, jump) = (data.u8(), data.u8(), Int8(bitPattern: data.u8()))
        let peer = peer(stream & 1)
        let layer = Int(stream >> 1) % 3
        let isRepair = stream & 0x80 != 0
        // A publisher that starts anew takes another SSRC.
        var ssrc = FuzzStage.ssrc(Int(stream & 1), layer: layer) + UInt32(stream >> 4 & 3) * 100
        if isRepair { ssrc += 50 }
        var sequence = nextSequence[ssrc] ?? 32_700
        sequence &+= UInt16(truncatingIfNeeded: jump & 0xf == 0 ? Int(jump) * 255 : Int(jump) >> 4)
        nextSequence[ssrc] = sequence &+ 1
        var packet: [UInt8] = [
            flags & 0x80 == 0 ? 0x80 : 0xa0, (isRepair ? 97 : 96) | (flags & 1) << 7, UInt8(sequence >> 8),
            UInt8(sequence & 0xff), 0, 0, 0, UInt8(sequence & 0xff),
        ]
        packet += bigEndian(ssrc)
        addExtension(&packet, flags, layer: layer, isRepair: isRepair, sequence: sequence, &data)
        if isRepair {
            let original = (nextSequence[ssrc - 50] ?? 32_700) &- UInt16(data.u8())
            packet += [UInt8(original >> 8), UInt8(original & 0xff)]
        }
        if flags & 2 != 0 { packet += keyframe(sequence) }
        packet += data.rest
        guard packet.count <= 1_472 else { return }
        let index = stage.index(peer, ssrc: ssrc, sequence: sequence)
        stage.deliver(peer.seal(packet, index: index)!, from: peer)
    }

    private func addExtension(
        _ packet: inout [UInt8], _ flags: UInt8, layer: Int, isRepair: Bool, sequence: UInt16,
        _ data: inout InputReader
    ) {
        guard flags & 0x7e != 0 else { return }
        packet[0] |= 0x10
        var elements: [UInt8] = []
        func add(_ id: UInt8, _ value: [UInt8]) { elements += [id, UInt8(value.count)] + value }
        let ids = FuzzPeer.extensions
        if flags & 4 != 0 { add(ids.mid, Array("v".utf8)) }
        if flags & 8 != 0 { add(isRepair ? ids.repairedRid : ids.rid, Array(["q", "h", "f"][layer].utf8)) }
        if flags & 0x10 != 0 { add(ids.videoOrientation, [data.u8()]) }
        if flags & 0x20 != 0 { add(ids.transportSequence, [UInt8(sequence >> 8), UInt8(sequence & 0xff)]) }
        if flags & 2 != 0 { add(ids.absCaptureTime, data.take(8 * Int(1 + data.u8() & 1)).rest) }
        if flags & 0x40 != 0 { add(ids.dependencyDescriptor, data.take(Int(data.u8())).rest) }
        while elements.count % 4 != 0 { elements.append(0) }
        packet += [0x10, 0] + bigEndian(UInt16(elements.count / 4)) + elements
    }

    /// The start of a payload with which decoding can begin.
    private func keyframe(_ sequence: UInt16) -> [UInt8] {
        switch stage.codec {
        case .vp8: [0x90, 0xc0, 0x80, UInt8(sequence & 0xff), 7, 0, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0x68, 0x01]
        case .h264: [0x65]
        case .vp9: [0x08]
        default: [0x18, 0x08]
        }
    }

    /// A compound of the input's own, sealed.
    private mutating func sendPlainRTCP(_ data: inout InputReader) {
        let peer = peer(data.u8())
        let plain = data.rest
        guard plain.count >= SRTCPPacket.clearLength, plain.count <= 1_400 else { return }
        rtcpIndex += 1
        stage.deliver(peer.sealRTCP(plain, index: rtcpIndex), from: peer)
    }

    /// A compound of well-formed messages about what the worker sends and receives.
    private mutating func sendFeedback(_ data: inout InputReader) {
        let place = Int(data.u8() & 1)
        var compound: [UInt8] = []
        repeat {
            let kind = data.u8()
            let slot = 2 * place + Int(kind >> 7)
            let ssrc = bigEndian(FuzzStage.slotSsrc(slot))
            switch kind & 3 {
            case 0:
                var list: [UInt8] = []
                for _ in 0...(kind >> 2 & 0x1f) {
                    list += bigEndian(sentSequence(slot) &- UInt16(data.u8())) + bigEndian(data.u16())
                }
                add(&compound, type: 205, format: 1, bigEndian(UInt32(1)) + ssrc + list)
            case 1: add(&compound, type: 206, format: 1, bigEndian(UInt32(1)) + ssrc)
            case 2:
                add(&compound, type: 206, format: 4, bigEndian(UInt32(1)) + bigEndian(UInt32(0)) + ssrc + [1, 0, 0, 0])
            default:
                let source = bigEndian(FuzzStage.ssrc(place, layer: Int(kind >> 2) % 3))
                add(&compound, type: 200, format: 0, source + data.take(20).rest + [UInt8](repeating: 0, count: 20))
            }
        } while !data.isAtEnd && compound.count < 1_000
        rtcpIndex += 1
        stage.deliver(stage.peers[place].sealRTCP(compound, index: rtcpIndex), from: stage.peers[place])
    }

    private func sentSequence(_ slot: Int) -> UInt16 {
        guard let slot = stage.worker.pointee.slots.find(FuzzStage.slot(slot)) else { return 0 }
        return UInt16(truncatingIfNeeded: slot.pointee.rewriter.highest)
    }

    private func add(_ compound: inout [UInt8], type: UInt8, format: UInt8, _ body: [UInt8]) {
        let words = body.count / 4
        compound += [0x80 | format, type] + bigEndian(UInt16(words)) + body.prefix(words * 4)
    }

    // MARK: a Lane's far end

    private mutating func crossLane(_ what: UInt8, _ data: inout InputReader) {
        switch what {
        case 0, 1: stage.deliver(data.rest, from: Ground.farEnd)
        case 2: sendLaneRTCP(bigEndian(FuzzStage.laneName.raw) + data.rest)
        case 3...7: sendLaneFeedback(&data)
        case 8: stage.command([.closeCrossing(FuzzStage.crossing)])
        case 9: stage.command([.closeLane(FuzzStage.lane)])
        default: sendLaneMedia(&data)
        }
    }

    /// A packet of the Track that comes over the Lane; extension and payload are the input.
    private mutating func sendLaneMedia(_ data: inout InputReader) {
        let (stream, flags, jump) = (data.u8(), data.u8(), Int8(bitPattern: data.u8()))
        let layer = Int(stream) % 3
        laneSequences[layer] &+= UInt16(truncatingIfNeeded: jump & 0xf == 0 ? Int(jump) * 255 : Int(jump) >> 4)
        let sequence = laneSequences[layer]
        laneSequences[layer] = sequence &+ 1
        let type = LaneFormat.payloadType(stage.codec, phase: flags >> 6 & 1)
        var packet: [UInt8] =
            [0x90, type | (flags & 1) << 7] + bigEndian(sequence) + [0, 0, 0, UInt8(sequence & 0xff)]
        packet += bigEndian(FuzzStage.laneTrackName(UInt8(layer)).raw)
        var elements: [UInt8] = []
        if flags & 4 != 0 {
            laneNumber &+= flags & 8 == 0 ? 1 : data.u16()
            elements += [LaneFormat.sequenceID, 2] + bigEndian(laneNumber)
        }
        if flags & 0x10 != 0 {
            let descriptor = data.take(Int(data.u8())).rest
            elements += [LaneFormat.descriptorID, UInt8(descriptor.count)] + descriptor
        }
        if flags & 0x20 != 0 { elements += data.take(Int(data.u8() & 0x1f)).rest }
        while elements.count % 4 != 0 { elements.append(0) }
        packet += [0x10, 0] + bigEndian(UInt16(elements.count / 4)) + elements
        if flags & 2 != 0 { packet += keyframe(sequence) }
        packet += data.rest
        guard packet.count <= 1_472,
            let sealed = Ground.farEnd.seal(packet, index: stage.laneIndex(layer, sequence: sequence))
        else { return }
        stage.deliver(sealed, from: Ground.farEnd)
    }

    /// A compound that names the Lane.
    private mutating func sendLaneRTCP(_ body: [UInt8]) {
        guard body.count >= 4, body.count <= 1_400 else { return }
        rtcpIndex += 1
        stage.deliver(Ground.farEnd.sealRTCP([0x80, 201, 0, 1] + body, index: rtcpIndex), from: Ground.farEnd)
    }

    /// Well-formed messages about what goes over the Lane.
    private mutating func sendLaneFeedback(_ data: inout InputReader) {
        var compound = bigEndian(FuzzStage.laneName.raw)
        repeat {
            let kind = data.u8()
            let layer = kind >> 3 & 3
            let far = bigEndian(FuzzStage.farTrack.layer(layer).raw)
            let lane = bigEndian(FuzzStage.laneName.raw)
            switch kind & 7 {
            case 0, 1:
                var list: [UInt8] = []
                for _ in 0...(kind >> 5) { list += bigEndian(UInt16(data.u8())) + bigEndian(data.u16()) }
                add(&compound, type: 205, format: 1, lane + lane + list)
            case 2: add(&compound, type: 206, format: 1, lane + far)
            case 3, 4:
                add(
                    &compound, type: 204, format: 1,
                    lane + bigEndian(LaneMessage.name) + bigEndian(FuzzStage.farTrack.raw) + [0, 0, 0, data.u8()])
            case 5:
                add(
                    &compound, type: 204, format: 2,
                    lane + bigEndian(LaneMessage.name) + bigEndian(FuzzStage.laneTrackName(0).raw)
                        + [0, 0, 0, data.u8()] + data.take(8).rest)
            default:
                let name = kind & 0x80 == 0 ? FuzzStage.laneName : FuzzStage.laneTrackName(layer)
                let count: UInt8 = kind & 0x40 == 0 ? 0 : 1
                add(
                    &compound, type: 200, format: count,
                    bigEndian(name.raw) + data.take(44).rest + [UInt8](repeating: 0, count: 44))
            }
        } while !data.isAtEnd && compound.count < 1_000
        sendLaneRTCP(compound)
    }

    // MARK: control

    /// What control rightly does.
    private mutating func obey(_ data: inout InputReader) {
        let (what, place) = (data.u8(), Int(data.u8()) % 6)
        let session = peer(data.u8()).session
        switch what & 3 {
        case 0:
            stage.command([
                .mapSlot(
                    MapSlot(
                        slot: FuzzStage.slot(place), track: what & 4 == 0 ? FuzzStage.track(Int(data.u8()) % 8) : .none,
                        maxHeight: data.u16()))
            ])
        case 1:
            // The next publication takes the place.
            let old = stage.worker.pointee.tracks.handle(at: place)
            generation += 1
            let new = TrackHandle(worker: 0, index: UInt32(place), generation: generation)
            stage.command([.closeTrack(old), .openTrack(track(new, session, &data))])
        case 2: stage.command([.closeSession(session)])
        default: stage.command([.closeTrack(stage.worker.pointee.tracks.handle(at: place))])
        }
    }

    private func track(_ handle: TrackHandle, _ session: SessionHandle, _ data: inout InputReader) -> OpenTrack {
        let (kind, count) = (data.u8(), data.u8())
        let codec = Codec(rawValue: kind >> 2 & 7) ?? stage.codec
        let layers = InlineArray<3, LayerDescription> { layer in
            LayerDescription(
                rid: kind & 0x80 == 0 ? ShortText() : ShortText(["q", "h", "f"][layer])!,
                ssrc: kind & 0x40 == 0 ? 0 : FuzzStage.ssrc(session.index, layer: layer) &+ 100)
        }
        return OpenTrack(
            track: handle,
            source: session.isNone
                ? .sibling(TrackHandle(worker: count & 3, index: 1, generation: 1)) : .session(session),
            mid: ShortText(kind & 1 == 0 ? "v" : "")!, kind: MediaKind(rawValue: kind & 3) ?? .video, codec: codec,
            payloadTypes: PayloadTypes(media: 96, rtx: kind & 0x20 == 0 ? 97 : 0xff), layers: layers,
            layerCount: count, nominalHeight: data.u16())
    }

    /// A place that is not the witness's; some are outside of the tables.
    private func place(_ byte: UInt8, spare: Int) -> UInt32 {
        byte > 250 ? [100, 1 << 24, 0x7fff_ffff, 0xffff_fffe, 0xffff_ffff][Int(byte) - 251] : UInt32(Int(byte) % spare)
    }

    /// Any command with any handle.
    private mutating func mistake(_ data: inout InputReader) {
        let (what, owner) = (data.u8(), data.u8())
        let generation = UInt32(data.u8() & 3)
        let worker = owner & 0x80 == 0 ? 0 : owner & 3
        let session = SessionHandle(
            worker: worker, index: place(data.u8(), spare: FuzzStage.witness), generation: generation)
        let track = TrackHandle(worker: worker, index: place(data.u8(), spare: 7), generation: generation)
        let slot = SlotHandle(worker: worker, index: place(data.u8(), spare: 7), generation: generation)
        switch what % 16 {
        case 0:
            stage.controlErred = true
            stage.command([
                .openSession(
                    OpenSession(session: session, ufragSecret: peer(owner).secret, password: ShortText("short")!))
            ])
        case 1:
            stage.controlErred = true
            stage.command([.configureSession(session, extensions(&data))])
        case 2:
            stage.controlErred = true
            let other = Ground.peers[Int(data.u8()) % Ground.peers.count][Int(owner) % FuzzStage.witness]
            stage.command([
                .installKeys(
                    InstallKeys(
                        session: session, profile: other.profile, receive: other.toWorker, send: other.toPeer))
            ])
        case 3: stage.command([.closeSession(session)])
        case 4:
            stage.controlErred = true
            stage.command([.openTrack(self.track(track, owner & 0x40 == 0 ? session : .none, &data))])
        case 5: stage.command([.closeTrack(track)])
        case 6:
            stage.controlErred = true
            stage.command([.openSlot(openSlot(slot, session, &data))])
        case 7: stage.command([.mapSlot(MapSlot(slot: slot, track: track, maxHeight: data.u16()))])
        case 8: stage.command([.closeSlot(slot)])
        case 9: stage.command([.feed(track, replica: TrackHandle(worker: data.u8(), index: 1, generation: 1))])
        case 10: stage.command([.unfeed(track, replica: TrackHandle(worker: data.u8(), index: 1, generation: 1))])
        case 11:
            let tap = TapHandle(worker: worker, index: place(data.u8(), spare: 5), generation: generation)
            let layers = LayerSet(bits: data.u8())
            stage.command([.openTap(OpenTap(tap: tap, track: track, layers: layers, reader: owner & 1))])
        case 13:
            stage.command([
                .restartICE(
                    RestartICE(session: session, ufragSecret: peer(owner).secret, password: ShortText("another")!))
            ])
        case 14:
            // No mistake: what bandwidth there is.
            let grant = LayerGrant(layer: Int(owner & 3), upTo: owner >> 2 & 3)
            stage.worker.pointee.slots.find(slot)?.pointee.allow(grant)
        case 12:
            stage.command([
                .closeTap(TapHandle(worker: worker, index: place(data.u8(), spare: 5), generation: generation))
            ])
        default:
            stage.controlErred = true
            stage.command(peer(owner).commands)
        }
    }

    private func extensions(_ data: inout InputReader) -> ExtensionMap {
        var map = ExtensionMap()
        map.mid = data.u8()
        map.rid = data.u8()
        map.repairedRid = data.u8()
        map.audioLevel = data.u8()
        map.transportSequence = data.u8()
        map.videoOrientation = data.u8()
        map.absCaptureTime = data.u8()
        map.dependencyDescriptor = data.u8()
        map.slotDescriptor = map.dependencyDescriptor
        return map
    }

    private func openSlot(_ slot: SlotHandle, _ session: SessionHandle, _ data: inout InputReader) -> OpenSlot {
        var types = PayloadTypeMap()
        for codec in Codec.allCases { types[codec] = PayloadTypes(media: data.u8(), rtx: data.u8()) }
        let ssrc = FuzzStage.slotSsrc(Int(data.u8() & 7))
        return OpenSlot(
            slot: slot, session: session, kind: MediaKind(rawValue: data.u8() & 3) ?? .audio, mid: ShortText("x")!,
            ssrc: ssrc, rtxSsrc: data.u8() & 1 == 0 ? 0 : ssrc + 1, payloadTypes: types)
    }

    // MARK: the rest

    /// A valid check, perhaps from elsewhere.
    private func check(_ data: inout InputReader) {
        let peer = peer(data.u8())
        stage.deliver(peer.check, from: peer, source: source(data.u8(), of: peer))
    }

    /// What another worker hands over: its frames are hostile, its handles may be stale, its records are right.
    private func handOver(_ data: inout InputReader) {
        let (what, place) = (data.u8(), data.u8())
        let track = TrackHandle(worker: 0, index: UInt32(place % 7), generation: UInt32(place >> 6))
        guard let ring = stage.sibling.outbound[0] else { return }
        guard what & 3 != 3 else {
            let replica = TrackHandle(worker: 1, index: 1, generation: 1)
            let message: Handover =
                switch what >> 2 & 3 {
                case 0: .layersWanted(track, by: replica, LayerSet(bits: data.u8()))
                case 1:
                    .layersSent(
                        track, choices: UInt64(data.u16()) << 32 | UInt64(data.u16()),
                        kilobits: .init(repeating: data.u16()))
                default: .keyframe(track, layer: data.u8())
                }
            _ = ring.push(message)
            return
        }
        let sequence = UInt64(data.u16())
        guard let packet = stage.buffer(data.rest) else { return }
        let message: Handover
        switch what & 3 {
        case 0: message = .frame(packet)
        case 1: message = .neighbor(packet)
        default:
            var record = PacketRecord(
                sequence: sequence, arrival: stage.now, timestamp: UInt32(sequence) &* 3_000, payloadOffset: 0,
                payloadLength: UInt16(packet.length), marker: what & 4 != 0, startsKeyframe: what & 8 != 0)
            record.layer = what >> 4 & 3
            packet.record.initialize(to: record)
            message = .media(packet, track)
        }
        if !ring.push(message) { packet.free() }
    }

    /// What the slow path answers.
    private func reply(_ data: inout InputReader) {
        stage.hasReplied = true
        var datagram = Datagram(
            session: data.u8() & 1 == 0 ? peer(data.u8()).session : SessionHandle(raw: UInt64(data.u8())))
        let count = data.u16()
        ([22] + data.rest).withUnsafeBytes { datagram.fill($0) }
        if count & 1 != 0 { datagram.count = count }
        _ = stage.mailbox.replies.push(datagram)
    }
}

private func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
}
