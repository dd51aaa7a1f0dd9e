import Mailbox
import Wire

/// From a Track's packets to one Slot's: rewritten header, sealed payload.
extension Worker where Queue: ~Copyable {
    /// Room for an RTP header with extensions.
    static var headerRoom: Int { 320 }

    /// Sends those of the run's `count` packets that the Slot shows.
    @inline(__always)
    mutating func send(
        _ run: UnsafeMutablePointer<Mbuf>, _ count: Int, to slot: UnsafeMutablePointer<Slot>,
        of track: UnsafeMutablePointer<Track>
    ) {
        var path: SinkPath?
        var sent: UInt32 = 0
        var omitted: UInt64 = 0
        for place in 0..<count {
            let record = UnsafePointer(run[place].record)
            guard admit(record, to: slot, of: track) else { continue }
            if path == nil { path = self.path(to: slot) }
            guard let path, slot.pointee.types.hasMedia else { return }
            if outbox.isFull { drain() }
            var deltas = Rewriter.Deltas(
                sequence: slot.pointee.rewriter.present.sequenceDelta,
                picture: slot.pointee.rewriter.present.pictureDelta)
            if slot.pointee.isThinned {
                guard let selected = select(record, for: slot, of: track) else {
                    omitted &+= 1
                    continue
                }
                deltas = selected
            }
            let number = record.pointee.sequence &+ deltas.sequence
            let isAudio = slot.pointee.kind == .audio
            let heading = PacketHeading(
                // A talkspurt begins with another speaker too (RFC 3551 section 4.1).
                marker: record.pointee.marker || isAudio && number == slot.pointee.rewriter.present.first,
                payloadType: slot.pointee.types.media, number: number,
                timestamp: record.pointee.timestamp &+ slot.pointee.rewriter.present.timestampDelta,
                ssrc: slot.pointee.ssrc, mayVary: slot.pointee.types.hasRtx || isAudio,
                priority: FramePriority(slot.pointee.kind, isUpper: record.pointee.isUpper),
                descriptorDelta: slot.pointee.rewriter.present.descriptorDelta)
            let patch = record.pointee.descriptorPatch(
                pictureDelta: deltas.picture, temporalDelta: slot.pointee.rewriter.present.temporalDelta)
            var octets = Int(record.pointee.payloadLength)
            let earlier = isAudio ? redundancy(of: slot, over: path) : 0
            if earlier > 0 {
                guard
                    let length = emitRedundant(run[place], heading, count: earlier, to: slot, of: track, over: path)
                else { continue }
                octets = length
            } else if !isAudio, holdsBack(path.session) {
                guard hold(run[place], heading, patch: patch, of: slot, over: path) else {
                    breakOff(slot)
                    break
                }
            } else {
                guard
                    emit(
                        run[place], record, heading, patch: patch, over: path,
                        isShared: track.pointee.sinks.shared.contains(record.pointee.layer))
                else { continue }
            }
            slot.pointee.rewriter.note(record, deltas)
            sent &+= 1
            slot.pointee.octetsSent &+= UInt32(truncatingIfNeeded: octets)
        }
        slot.pointee.packetsSent &+= sent
        counters.add(.forwardedPackets, UInt64(sent))
        if omitted > 0 { counters.add(.omittedPackets, omitted) }
    }

    /// For a Slot that does not get all temporal layers, or did not lately; nil when it does not get this packet.
    @inline(never)
    private func select(
        _ record: UnsafePointer<PacketRecord>, for slot: UnsafeMutablePointer<Slot>,
        of track: UnsafeMutablePointer<Track>
    ) -> Rewriter.Deltas? {
        let wanted = slot.pointee.temporalLimit
        // VP9's references are told by picture ids.
        let deltas = slot.pointee.rewriter.select(
            record, upTo: wanted, closesPictures: track.pointee.codec == .vp8)
        if wanted == TemporalLayer.highest, slot.pointee.rewriter.isSelectionOver { slot.pointee.isThinned = false }
        return deltas
    }

    /// Whether packets of the Session's pictures have to wait.
    @inline(__always)
    func holdsBack(_ session: UnsafeMutablePointer<Session>) -> Bool {
        guard let congestion = session.pointee.congestion else { return false }
        return congestion.pointee.holdsBack(now: relay.now)
    }

    /// Nil while its Session has no keys. A Slot never outlives its Session.
    @inline(__always)
    func path(to slot: UnsafeMutablePointer<Slot>) -> SinkPath? {
        let session = sessions.element(at: slot.pointee.session.index)
        guard let transform = session.pointee.send else { return nil }
        let ids = session.pointee.extensions
        let largest = max(max(ids.transportSequence, ids.audioLevel), ids.videoOrientation)
        return SinkPath(
            session: session, transform: transform, template: templatePointer(session),
            headerOffset: session.pointee.template.length,
            maximumLength: queue.maximumFrame &- session.pointee.template.length, descriptorID: ids.slotDescriptor,
            isShort: largest <= ShortExtension.maximumID && (!slot.pointee.isNamed || ids.mid == 0),
            slot: UnsafePointer(slot))
    }

    /// Writes and queues one packet for a Slot, sealed from where `packet` lies.
    @inline(__always)
    mutating func emit(
        _ packet: Mbuf, _ record: UnsafePointer<PacketRecord>, _ heading: PacketHeading, patch: UInt64,
        over path: SinkPath,
        isShared: Bool
    ) -> Bool {
        guard let out = stock.take(from: pool) else {
            counters.drop(.noBuffer)
            return false
        }
        let destination = out.data + path.headerOffset
        let headerLength = writeHeader(heading, packet, record, over: path, to: destination)
        let job = SealJob(
            transform: path.transform,
            source: (packet.data + Int(record.pointee.payloadOffset)).assumingMemoryBound(to: UInt8.self),
            destination: destination.assumingMemoryBound(to: UInt8.self), headerLength: headerLength,
            payloadLength: Int(record.pointee.payloadLength), index: heading.number, ssrc: heading.ssrc,
            patch: patch, mayPatchSource: !isShared)
        guard job.sealedLength <= path.maximumLength else {
            stock.putBack(out)
            counters.drop(.oversize)
            return false
        }
        outbox.seal(
            job, in: out, template: path.template, priority: heading.priority, engine: engine, offload: queue.offload)
        noteSent(heading, bytes: job.sealedLength, over: path)
        return true
    }

    /// What was sent with the latest transport-wide number is waited for. Bytes of the RTP packet.
    @inline(__always)
    func noteSent(_ heading: PacketHeading, bytes: Int, over path: SinkPath) {
        switch heading.kind {
        case .media: break
        case .retransmission: counters.add(.retransmittedBytes, UInt64(truncatingIfNeeded: bytes))
        case .probe, .padding: counters.add(.probeBytes, UInt64(truncatingIfNeeded: bytes))
        }
        guard heading.mayVary, let congestion = path.session.pointee.congestion else { return }
        congestion.pointee.noteSent(
            path.session.pointee.transportSequence &- 1, bytes: bytes, kind: heading.kind, now: relay.now)
    }

    /// The RTP header with its extension in the receiver's ids: its length.
    ///
    /// Without RTX a repeated packet must be the same to the bit, as one SRTP index never seals two contents: it has
    /// nothing that varies then.
    @inline(__always)
    func writeHeader(
        _ heading: PacketHeading, _ packet: Mbuf, _ record: UnsafePointer<PacketRecord>, over path: SinkPath,
        to memory: UnsafeMutableRawPointer
    ) -> Int {
        let ids = path.session.pointee.extensions
        let hasDescriptor = path.descriptorID != 0 && record.pointee.descriptorForm != .none
        guard path.isShort && (!hasDescriptor || record.pointee.descriptorForm == .short) else {
            return writeLongHeader(heading, packet, record, over: path, to: memory)
        }
        var elements = ShortExtension()
        if hasDescriptor {
            elements.add(
                path.descriptorID,
                be24: record.pointee.shortDescriptor(adding: heading.descriptorDelta))
        }
        if ids.transportSequence != 0 && heading.mayVary {
            elements.add(ids.transportSequence, be16: path.session.pointee.transportSequence)
            path.session.pointee.transportSequence &+= 1
        }
        if ids.audioLevel != 0 && record.pointee.audioLevel != 0xff {
            elements.add(ids.audioLevel, u8: record.pointee.audioLevel)
        }
        if ids.videoOrientation != 0 && record.pointee.orientation != 0xff {
            elements.add(ids.videoOrientation, u8: record.pointee.orientation)
        }
        return elements.write(
            to: memory, marker: heading.marker, payloadType: heading.payloadType,
            sequence: UInt16(truncatingIfNeeded: heading.number), timestamp: heading.timestamp, ssrc: heading.ssrc)
    }

    /// Likewise with elements of any size and id.
    @inline(never)
    private func writeLongHeader(
        _ heading: PacketHeading, _ packet: Mbuf, _ record: UnsafePointer<PacketRecord>, over path: SinkPath,
        to memory: UnsafeMutableRawPointer
    ) -> Int {
        let room = UnsafeMutableRawBufferPointer(start: memory, count: Self.headerRoom)
        guard
            var header = RTPHeaderWriter(
                into: room, marker: heading.marker, payloadType: heading.payloadType,
                sequence: UInt16(truncatingIfNeeded: heading.number), timestamp: heading.timestamp, ssrc: heading.ssrc)
        else { return 0 }
        let ids = path.session.pointee.extensions
        if ids.mid != 0 && path.slot.isNamed(by: heading.number, of: heading.ssrc) {
            let name = path.slot.pointee.name
            if let room = header.reserve(ids.mid, count: Int(name.count)) {
                for index in 0..<Int(name.count) { room.setU8(name.bytes[index], at: index) }
            }
        }
        if ids.transportSequence != 0 && heading.mayVary {
            header.add(ids.transportSequence, be16: path.session.pointee.transportSequence)
            path.session.pointee.transportSequence &+= 1
        }
        if ids.audioLevel != 0 && record.pointee.audioLevel != 0xff {
            header.add(ids.audioLevel, u8: record.pointee.audioLevel)
        }
        if ids.videoOrientation != 0 && record.pointee.orientation != 0xff {
            header.add(ids.videoOrientation, u8: record.pointee.orientation)
        }
        let length = Int(record.pointee.descriptorLength)
        if path.descriptorID != 0, length != 0, let room = header.reserve(path.descriptorID, count: length) {
            room.copyMemory(from: packet.data + Int(record.pointee.descriptorOffset), byteCount: length)
            DependencyDescriptor.shift(
                room, count: length, frames: heading.descriptorDelta.frames,
                templates: heading.descriptorDelta.templates)
        }
        return header.finish()
    }
}

extension UnsafePointer<Slot> {
    /// Whether a packet of the media or the retransmission stream names the m-line.
    fileprivate func isNamed(by number: UInt64, of ssrc: UInt32) -> Bool {
        ssrc == pointee.ssrc ? number < pointee.name.until : pointee.name.isInRetransmissions
    }
}
