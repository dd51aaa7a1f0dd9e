import Mailbox
import Wire

/// From a Track's packet to one Slot's: rewritten header, sealed payload.
extension Worker where Queue: ~Copyable {
    /// Frames longer than this do not fit an Ethernet of 1500 bytes.
    static var maximumFrame: Int { 1_514 }
    /// Room for an RTP header with extensions.
    static var headerRoom: Int { 256 }

    /// Sends a packet of the Slot's present source.
    mutating func send(_ packet: Mbuf, _ record: PacketRecord, to slot: UnsafeMutablePointer<Slot>, codec: Codec) {
        let types = slot.pointee.payloadTypes[codec]
        guard types.hasMedia else { return }
        let epoch = slot.pointee.rewriter.present
        let number = record.sequence &+ epoch.sequenceDelta
        guard emit(packet, record, epoch: epoch, number: number, to: slot, types: types, original: nil) else { return }
        slot.pointee.rewriter.note(record)
        slot.pointee.packetsSent &+= 1
        slot.pointee.octetsSent &+= UInt32(record.payloadLength)
        counters.add(.forwardedPackets)
    }

    /// Sends a packet again (RFC 4588 where it was negotiated, else the very same packet): `number` is that which it had.
    mutating func resend(
        _ packet: Mbuf, epoch: Rewriter.Epoch, number: UInt64, to slot: UnsafeMutablePointer<Slot>, codec: Codec
    ) {
        let types = slot.pointee.payloadTypes[codec]
        guard types.hasMedia else { return }
        let record = packet.record.pointee
        if types.hasRtx && slot.pointee.rtxSsrc != 0 {
            let sequence = slot.pointee.rtxSequence
            slot.pointee.rtxSequence &+= 1
            guard emit(packet, record, epoch: epoch, number: sequence, to: slot, types: types, original: number) else {
                return
            }
        } else {
            guard emit(packet, record, epoch: epoch, number: number, to: slot, types: types, original: nil) else {
                return
            }
        }
        counters.add(.retransmittedPackets)
    }

    /// Writes and queues one packet for a Slot. With `original` it is a retransmission of that number.
    private mutating func emit(
        _ packet: Mbuf, _ record: PacketRecord, epoch: Rewriter.Epoch, number: UInt64,
        to slot: UnsafeMutablePointer<Slot>, types: PayloadTypes, original: UInt64?
    ) -> Bool {
        guard let session = sessions.find(slot.pointee.session), let transform = session.pointee.send else {
            return false
        }
        guard let out = pool.allocate() else {
            counters.drop(.noBuffer)
            return false
        }
        let headerOffset = session.pointee.template.length
        let destination = out.data + headerOffset
        let ssrc = original == nil ? slot.pointee.ssrc : slot.pointee.rtxSsrc
        // A talkspurt begins with another speaker too (RFC 3551 section 4.1).
        let marker = record.marker || slot.pointee.kind == .audio && number == epoch.first
        guard
            var header = RTPHeaderWriter(
                into: UnsafeMutableRawBufferPointer(start: destination, count: Self.headerRoom), marker: marker,
                payloadType: original == nil ? types.media : types.rtx,
                sequence: UInt16(truncatingIfNeeded: number), timestamp: record.timestamp &+ epoch.timestampDelta,
                ssrc: ssrc)
        else {
            out.free()
            return false
        }
        // Without RTX a repeated packet must be the same to the bit: one SRTP index never seals two contents.
        let mayVary = types.hasRtx || !slot.pointee.kind.isVideo
        addExtensions(&header, packet, record, session: session, mayVary: mayVary)
        let headerLength = header.finish()
        let payload = destination + headerLength
        let prefix = original == nil ? 0 : RTX.headerLength
        let length = Int(record.payloadLength) &+ prefix
        guard headerOffset &+ headerLength &+ length &+ transform.tagLength <= Self.maximumFrame else {
            drop(out, .oversize)
            return false
        }
        var source = UnsafeRawPointer(packet.data + Int(record.payloadOffset))
        if prefix != 0 || epoch.pictureDelta != 0 || epoch.temporalDelta != 0 {
            if let original { payload.setBE16(UInt16(truncatingIfNeeded: original), at: 0) }
            (payload + prefix).copyMemory(from: source, byteCount: Int(record.payloadLength))
            patchDescriptor(payload + prefix, record, epoch)
            source = UnsafeRawPointer(payload)
        }
        outbox.add(
            SealJob(
                transform: transform, source: source.assumingMemoryBound(to: UInt8.self),
                destination: destination.assumingMemoryBound(to: UInt8.self), headerLength: headerLength,
                payloadLength: length, index: number, ssrc: ssrc),
            in: out, template: templatePointer(session))
        return true
    }

    /// The header extension in the receiver's ids.
    private func addExtensions(
        _ header: inout RTPHeaderWriter, _ packet: Mbuf, _ record: PacketRecord,
        session: UnsafeMutablePointer<Session>, mayVary: Bool
    ) {
        let ids = session.pointee.extensions
        if ids.transportSequence != 0 && mayVary {
            header.add(ids.transportSequence, be16: session.pointee.transportSequence)
            session.pointee.transportSequence &+= 1
        }
        if ids.audioLevel != 0 && record.audioLevel != 0xff { header.add(ids.audioLevel, u8: record.audioLevel) }
        if ids.videoOrientation != 0 && record.orientation != 0xff {
            header.add(ids.videoOrientation, u8: record.orientation)
        }
        if ids.dependencyDescriptor != 0 && record.descriptorLength != 0 {
            header.add(
                ids.dependencyDescriptor,
                UnsafeRawBufferPointer(
                    start: packet.data + Int(record.descriptorOffset), count: Int(record.descriptorLength)))
        }
    }

    /// Makes VP8's picture id and TL0PICIDX go on where the last source ended (RFC 7741 section 4.2).
    private func patchDescriptor(
        _ payload: UnsafeMutableRawPointer, _ record: PacketRecord, _ epoch: Rewriter.Epoch
    ) {
        if record.pictureIDOffset != 0 {
            let pictureID = record.pictureID &+ epoch.pictureDelta
            let offset = Int(record.pictureIDOffset)
            if record.pictureIDIsLong {
                payload.setBE16(0x8000 | pictureID & 0x7fff, at: offset)
            } else {
                payload.setU8(UInt8(truncatingIfNeeded: pictureID & 0x7f), at: offset)
            }
        }
        if record.temporalIndexOffset != 0 {
            payload.setU8(record.temporalIndex &+ epoch.temporalDelta, at: Int(record.temporalIndexOffset))
        }
    }
}
