import Mailbox
import Wire

/// What goes to a Slot beside its Track's new packets: repetitions, and padding.
extension Worker where Queue: ~Copyable {
    /// Sends a packet again (RFC 4588 where it was negotiated, else the very same packet): `number` is that which it had.
    mutating func resend(
        _ packet: Mbuf, epoch: Rewriter.Epoch, number: UInt64, to slot: UnsafeMutablePointer<Slot>,
        of track: UnsafeMutablePointer<Track>, as kind: SentKind = .retransmission
    ) {
        let types = slot.pointee.payloadTypes[track.pointee.codec]
        guard types.hasMedia, var path = path(to: slot) else { return }
        let record = UnsafePointer(packet.record)
        let patch = record.pointee.descriptorPatch(
            pictureDelta: epoch.pictureDelta, temporalDelta: epoch.temporalDelta)
        var heading = PacketHeading(
            marker: record.pointee.marker, payloadType: types.media, number: number,
            timestamp: record.pointee.timestamp &+ epoch.timestampDelta, ssrc: slot.pointee.ssrc,
            mayVary: types.hasRtx || !slot.pointee.kind.isVideo,
            priority: FramePriority(slot.pointee.kind, isUpper: record.pointee.isUpper),
            descriptorDelta: epoch.descriptorDelta, kind: kind)
        if types.hasRtx && slot.pointee.rtxSsrc != 0 {
            heading.number = slot.pointee.rtxSequence
            heading.payloadType = types.rtx
            heading.ssrc = slot.pointee.rtxSsrc
            slot.pointee.rtxSequence &+= 1
            if slot.pointee.name.isInRetransmissions { path.isShort = false }
            if kind == .retransmission, holdsBack(path.session) {
                guard hold(packet, heading, patch: patch, original: number, of: slot, over: path) else {
                    return counters.drop(.pacerFull)
                }
            } else {
                guard emitRepetition(of: number, packet, record, heading, patch: patch, over: path) else { return }
            }
        } else {
            heading.marker = heading.marker || slot.pointee.kind == .audio && number == epoch.first
            // A worker whose replica was closed since may still read it, or a Tap's reader.
            let isShared =
                track.pointee.sinks.shared.contains(record.pointee.layer) || packet.referenceCount > 1
            guard emit(packet, record, heading, patch: patch, over: path, isShared: isShared) else { return }
        }
        counters.add(kind == .probe ? .probePackets : .retransmittedPackets)
    }

    /// Tells the receiver of a Slot that the packet of this number does not come any more: by an empty one, as padding is
    /// (RFC 4588 leaves that open; libwebrtc takes it so), under a number of the retransmission stream, since under its own
    /// something else may have been sealed before. Receivers without that stream have to wait.
    mutating func fill(_ number: UInt64, of slot: UnsafeMutablePointer<Slot>, _ track: UnsafeMutablePointer<Track>) {
        let types = slot.pointee.payloadTypes[track.pointee.codec]
        guard types.hasRtx, slot.pointee.rtxSsrc != 0, var path = path(to: slot) else { return }
        if slot.pointee.name.isInRetransmissions { path.isShort = false }
        let timestamp = slot.pointee.rewriter.lastTimestamp
        let heading = PacketHeading(
            marker: false, payloadType: types.rtx, number: slot.pointee.rtxSequence, timestamp: timestamp,
            ssrc: slot.pointee.rtxSsrc, mayVary: true, priority: FramePriority(slot.pointee.kind, isUpper: false),
            descriptorDelta: Rewriter.DescriptorDelta(), kind: .padding)
        let record = PacketRecord(
            sequence: 0, arrival: 0, timestamp: timestamp, payloadOffset: 0, payloadLength: 0, marker: false,
            startsKeyframe: false)
        let isSent = withUnsafePointer(to: record) {
            emitRepetition(of: number, nil, $0, heading, patch: 0, over: path)
        }
        if isSent { slot.pointee.rtxSequence &+= 1 }
    }

    /// Sends padding of about so many bytes, and not more than a packet may have, on a Slot's retransmission stream: how many
    /// bytes it took, or would have.
    mutating func pad(_ slot: UnsafeMutablePointer<Slot>, _ track: UnsafeMutablePointer<Track>, bytes: Int) -> Int {
        let types = slot.pointee.payloadTypes[track.pointee.codec]
        let length = min(max(bytes &- CongestionConstants.paddingHeaders, 1), CongestionConstants.paddingBytes)
        let taken = length &+ CongestionConstants.paddingHeaders
        guard types.hasRtx, slot.pointee.rtxSsrc != 0, var path = path(to: slot), let out = stock.take(from: pool)
        else {
            return taken
        }
        if slot.pointee.name.isInRetransmissions { path.isShort = false }
        let heading = PacketHeading(
            marker: false, payloadType: types.rtx, number: slot.pointee.rtxSequence,
            timestamp: slot.pointee.rewriter.lastTimestamp, ssrc: slot.pointee.rtxSsrc, mayVary: true,
            priority: FramePriority(slot.pointee.kind, isUpper: true), descriptorDelta: Rewriter.DescriptorDelta(),
            kind: .probe)
        let record = PacketRecord(
            sequence: 0, arrival: 0, timestamp: heading.timestamp, payloadOffset: 0, payloadLength: 0, marker: false,
            startsKeyframe: false)
        let destination = out.data + path.headerOffset
        let headerLength = withUnsafePointer(to: record) {
            writeHeader(heading, out, $0, over: path, to: destination)
        }
        // RFC 3550 section 5.1: the last byte tells how many there are, and itself is one of them.
        destination.setU8(UnsafeRawPointer(destination).u8(0) | 0x20, at: 0)
        let padding = destination + headerLength
        padding.initializeMemory(as: UInt8.self, repeating: 0, count: length)
        padding.setU8(UInt8(truncatingIfNeeded: length), at: length &- 1)
        let job = SealJob(
            transform: path.transform, source: padding.assumingMemoryBound(to: UInt8.self),
            destination: destination.assumingMemoryBound(to: UInt8.self), headerLength: headerLength,
            payloadLength: length, index: heading.number, ssrc: heading.ssrc)
        slot.pointee.rtxSequence &+= 1
        counters.add(.probePackets)
        outbox.seal(
            job, in: out, template: path.template, priority: heading.priority, engine: engine, offload: queue.offload)
        noteSent(heading, bytes: job.sealedLength, over: path)
        return taken
    }

    /// As `emit`, with the number that it had before the payload (RFC 4588 section 4). Without a packet the payload is empty.
    mutating func emitRepetition(
        of original: UInt64, _ packet: Mbuf?, _ record: UnsafePointer<PacketRecord>, _ heading: PacketHeading,
        patch: UInt64,
        over path: SinkPath
    ) -> Bool {
        guard let out = stock.take(from: pool) else {
            counters.drop(.noBuffer)
            return false
        }
        let destination = out.data + path.headerOffset
        let headerLength = writeHeader(heading, packet ?? out, record, over: path, to: destination)
        let payload = destination + headerLength
        let job = SealJob(
            transform: path.transform, source: payload.assumingMemoryBound(to: UInt8.self),
            destination: destination.assumingMemoryBound(to: UInt8.self), headerLength: headerLength,
            payloadLength: Int(record.pointee.payloadLength) &+ RTX.headerLength, index: heading.number,
            ssrc: heading.ssrc)
        guard job.sealedLength <= path.maximumLength else {
            stock.putBack(out)
            counters.drop(.oversize)
            return false
        }
        payload.setBE16(UInt16(truncatingIfNeeded: original), at: 0)
        if let packet {
            let copy = payload + RTX.headerLength
            copy.copyMemory(
                from: packet.data + Int(record.pointee.payloadOffset), byteCount: Int(record.pointee.payloadLength))
            copy.xorFirst(patch)
        }
        outbox.seal(
            job, in: out, template: path.template, priority: heading.priority, engine: engine, offload: queue.offload)
        noteSent(heading, bytes: job.sealedLength, over: path)
        return true
    }
}
