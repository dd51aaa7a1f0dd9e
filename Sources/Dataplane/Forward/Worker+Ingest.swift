import Mailbox
import Wire

/// From a received SRTP packet to its Track.
extension Worker where Queue: ~Copyable {
    /// Takes over a frame with an SRTP packet; it is opened with the rest of its burst.
    mutating func queueOpen(
        _ datagram: DatagramFrame, in packet: Mbuf, session: UnsafeMutablePointer<Session>, isStray: Bool, now: UInt64
    ) {
        guard let transform = session.pointee.receive else { return drop(packet, .srtpNoKeys) }
        guard let header = RTPPacket(encrypted: datagram.payload) else { return drop(packet, .rtpMalformed) }
        var index: UInt64
        if let stream = session.pointee.streams.find(header.ssrc) {
            index = session.pointee.streams[stream].rollover.estimate(sequence: header.sequence)
            guard session.pointee.streams[stream].replay.check(index) else { return drop(packet, .srtpReplay) }
        } else {
            let rollover: UInt64 = session.pointee.secondRoundSsrc == header.ssrc ? 1 : 0
            index = rollover << 16 | UInt64(header.sequence)
        }
        if pending.isFull { openPending(now: now) }
        let job = OpenJob(
            transform: transform, packet: (packet.data + datagram.payloadOffset).assumingMemoryBound(to: UInt8.self),
            headerLength: header.headerLength, length: header.count, index: index, ssrc: header.ssrc)
        pending.add(
            job,
            PendingOpens.Entry(
                packet: packet, session: session, header: header, datagram: datagram, isStray: isStray))
    }

    /// Opens what waits, and forwards what is authentic.
    mutating func openPending(now: UInt64) {
        guard pending.count > 0 else { return }
        engine.open(pending.jobs, pending.count)
        for index in 0..<pending.count {
            accept(pending.entries[index], pending.jobs[index], now: now)
            if outbox.needsFlush { flush() }
        }
        pending.removeAll()
        distribute()
    }

    private mutating func accept(_ entry: PendingOpens.Entry, _ job: OpenJob, now: UInt64) {
        let session = entry.session
        let known = session.pointee.streams.find(job.ssrc)
        guard job.ok else {
            // A sender that began just before a wrap may be in its second round already.
            if known == nil {
                session.pointee.secondRoundSsrc = session.pointee.secondRoundSsrc == job.ssrc ? nil : job.ssrc
            }
            return drop(entry.packet, .srtpAuthentication)
        }
        guard let rtp = RTPPacket(plain: entry.header, count: job.plainLength) else {
            return drop(entry.packet, .rtpMalformed)
        }
        guard let stream = known ?? bind(rtp, of: session, now: now) else {
            return drop(entry.packet, .rtpUnknownSource)
        }
        // Checked again: a burst may hold the same packet twice.
        guard session.pointee.streams[stream].replay.check(job.index) else {
            return drop(entry.packet, .srtpReplay)
        }
        if session.pointee.remote == entry.datagram.source {
            session.pointee.heardAt = now
        } else if session.pointee.streams[stream].rollover.isAhead(job.index),
            entry.isStray || now &- session.pointee.heardAt > Session.remoteSilence
        {
            follow(entry.datagram, session: session, now: now)
        }
        session.pointee.streams[stream].replay.accept(job.index)
        session.pointee.streams[stream].rollover.accept(job.index)
        session.pointee.streams[stream].lastArrival = now
        ingest(
            entry.packet, rtp, index: job.index, binding: session.pointee.streams[stream], session: session, now: now)
    }

    /// One opened packet of a bound stream.
    private mutating func ingest(
        _ packet: Mbuf, _ rtp: RTPPacket, index: UInt64, binding: ReceiveStream,
        session: UnsafeMutablePointer<Session>, now: UInt64
    ) {
        let track = tracks.element(at: Int(binding.track))
        let payloadOffset = rtp.payload.baseAddress.unsafelyUnwrapped - UnsafeRawPointer(packet.data)
        var record = PacketRecord(
            sequence: index, arrival: now, timestamp: rtp.timestamp,
            payloadOffset: UInt16(truncatingIfNeeded: payloadOffset),
            payloadLength: UInt16(truncatingIfNeeded: rtp.payloadLength), marker: rtp.marker, startsKeyframe: false)
        record.layer = binding.layer
        readExtensions(rtp, into: &record, frame: packet.data, session: session, now: now)
        let layer = Int(binding.layer)
        if binding.isRetransmission {
            // A sender without anything to repeat pads its retransmission stream: nothing to forward.
            guard let original = RTX.originalSequence(rtp.payload), track.pointee.layers[layer].isStarted,
                let sequence = SequenceNumber.extended(original, near: track.pointee.layers[layer].highest)
            else { return packet.free() }
            record.sequence = sequence
            record.payloadOffset &+= UInt16(RTX.headerLength)
            record.payloadLength &-= UInt16(RTX.headerLength)
        } else {
            guard rtp.payloadType == track.pointee.payloadTypes.media else { return drop(packet, .rtpUnknownSource) }
            record.sequence = index &+ track.pointee.layers[layer].sequenceBase
            track.pointee.layers[layer].reception.count(
                sequence: index, timestamp: rtp.timestamp, arrival: now, clockRate: track.pointee.codec.clockRate)
        }
        readPayload(&record, frame: packet.data, codec: track.pointee.codec)
        packet.record.initialize(to: record)
        forward(packet, track: track, now: now)
    }

    /// Takes what Sinks need out of the header extension, and notes the arrival for the sender's estimator.
    private func readExtensions(
        _ rtp: RTPPacket, into record: inout PacketRecord, frame: UnsafeMutableRawPointer,
        session: UnsafeMutablePointer<Session>, now: UInt64
    ) {
        guard rtp.hasExtension else { return }
        let ids = session.pointee.extensions
        var elements = rtp.elements
        while let element = elements.next() {
            guard let value = element.value.baseAddress, element.value.count > 0 else { continue }
            switch element.id {
            case ids.transportSequence where element.value.count >= 2:
                session.pointee.arrivals.note(value.be16(0), now: now)
            case ids.audioLevel: record.audioLevel = value.u8(0)
            case ids.videoOrientation: record.orientation = value.u8(0)
            case ids.dependencyDescriptor:
                record.descriptorOffset = UInt16(truncatingIfNeeded: value - UnsafeRawPointer(frame))
                record.descriptorLength = UInt8(truncatingIfNeeded: element.value.count)
            default: break
            }
        }
    }

    /// Takes what Sinks need out of the payload: where a keyframe starts, and VP8's counters.
    private func readPayload(_ record: inout PacketRecord, frame: UnsafeMutableRawPointer, codec: Codec) {
        guard codec != .opus, record.payloadLength > 0 else { return }
        let payload = UnsafeRawBufferPointer(
            start: UnsafeRawPointer(frame) + Int(record.payloadOffset), count: Int(record.payloadLength))
        let descriptor = UnsafeRawBufferPointer(
            start: UnsafeRawPointer(frame) + Int(record.descriptorOffset), count: Int(record.descriptorLength))
        record.startsKeyframe = codec.startsKeyframe(payload, dependencyDescriptor: descriptor)
        guard codec == .vp8, let vp8 = VP8Descriptor(payload) else { return }
        if let pictureID = vp8.pictureID {
            record.pictureID = pictureID
            record.pictureIDOffset = UInt8(truncatingIfNeeded: vp8.pictureIDOffset)
            record.pictureIDIsLong = vp8.hasLongPictureID
        }
        if let index = vp8.tl0PictureIndex {
            record.temporalIndex = index
            record.temporalIndexOffset = UInt8(truncatingIfNeeded: vp8.tl0Offset)
        }
        if let size = vp8.size { record.height = UInt16(truncatingIfNeeded: size.height) }
    }

    /// Finds out what an SSRC is that was not seen before: by the SSRCs of the offer, by MID and RID (RFC 8843 section 9.2,
    /// RFC 8852), or by a payload type that only one Track has.
    private mutating func bind(_ rtp: RTPPacket, of session: UnsafeMutablePointer<Session>, now: UInt64) -> Int? {
        let ids = session.pointee.extensions
        let mid = rtp.element(ids.mid)
        let repaired = rtp.element(ids.repairedRid)
        let rid = repaired ?? rtp.element(ids.rid)
        var index = session.pointee.firstTrack
        while index != Link.none {
            let track = tracks.element(at: Int(index))
            if let found = track.pointee.layer(
                of: rtp, mid: mid, rid: rid, isRepaired: repaired != nil)
            {
                let isRetransmission = rtp.payloadType == track.pointee.payloadTypes.rtx
                if !isRetransmission {
                    guard restart(track, layer: found, ssrc: rtp.ssrc, of: session, now: now) else { return nil }
                }
                if let victim = session.pointee.streams.victim { closeStream(at: victim, of: session) }
                noteSource(rtp.ssrc, of: session.pointee.handle)
                slabs.sessionsDue[session.pointee.handle.index] = now
                counters.drop(
                    .handoverFull, UInt64(siblings.tellAll(.sourceOpened(rtp.ssrc, session.pointee.handle))))
                return session.pointee.streams.insert(
                    ReceiveStream(
                        ssrc: rtp.ssrc, track: index, layer: UInt8(found), isRetransmission: isRetransmission,
                        lastArrival: now))
            }
            index = track.pointee.nextOfSession
        }
        return nil
    }

    /// A layer has a new SSRC: its numbers start anew, and what showed it waits for a keyframe. False when it had
    /// another just before: a publisher's churn must not keep the worker busy.
    private mutating func restart(
        _ track: UnsafeMutablePointer<Track>, layer: Int, ssrc: UInt32, of session: UnsafeMutablePointer<Session>,
        now: UInt64
    ) -> Bool {
        let old = track.pointee.layers[layer].ssrc
        guard old == 0 || now &- track.pointee.layers[layer].boundAt >= Layer.bindingInterval else { return false }
        track.pointee.layers[layer].ssrc = ssrc
        track.pointee.layers[layer].boundAt = now
        guard old != 0 else { return true }
        if let stream = session.pointee.streams.find(old) { closeStream(at: stream, of: session) }
        flush()
        emptyCache(track, layer: layer)
        track.pointee.layers[layer].sequenceBase = (track.pointee.layers[layer].highest >> 48 &+ 1) << 48
        track.pointee.layers[layer].isStarted = false
        track.pointee.layers[layer].activity = LayerActivity()
        track.pointee.layers[layer].missing.clear()
        track.pointee.layers[layer].reception = ReceptionReport()
        awaitKeyframe(track, layer: layer)
        return true
    }

    /// What shows a layer waits for its next keyframe.
    mutating func awaitKeyframe(_ track: UnsafeMutablePointer<Track>, layer: Int) {
        // Not what came before.
        distribute()
        track.pointee.choiceDue = 0
        var index = track.pointee.sinks.firstSlot
        while index != Link.none {
            let slot = slots.element(at: Int(index))
            if slot.pointee.current == UInt8(layer) { slot.pointee.current = nil }
            index = slot.pointee.next
        }
    }
}
