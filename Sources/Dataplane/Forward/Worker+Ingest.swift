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
            prefetchForward(
                track: Int(session.pointee.streams[stream].track), layer: Int(session.pointee.streams[stream].layer),
                index)
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

    /// Prefetches what is read of a Track and its Layer when the packet is opened: by then most of its burst is.
    @inline(__always)
    private func prefetchForward(track index: Int, layer: Int, _ sequence: UInt64) {
        prefetch(tracks.element(at: index), layer: layer)
        slabs.prefetchCache(index, layer: layer, sequence)
    }

    /// What each packet reads of a Track and of one of its Layers.
    @inline(__always)
    func prefetch(_ track: UnsafeMutablePointer<Track>, layer: Int) {
        prefetch(track, lines: 2)
        withUnsafeMutablePointer(to: &track.pointee.layers[layer]) { prefetch($0, lines: 5) }
        withUnsafeMutablePointer(to: &track.pointee.sinks) { prefetch($0, lines: 1) }
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
            // Padding of a stream that nothing is known of yet is no fault of anybody's.
            return rtp.payloadLength == 0 ? entry.packet.free() : drop(entry.packet, .rtpUnknownSource)
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
        record.isUpper = binding.layer != track.pointee.lowestLayer
        readExtensions(rtp, into: &record, frame: packet.data, session: session, now: now)
        let layer = Int(binding.layer)
        if binding.isRetransmission {
            // A sender without anything to repeat pads its retransmission stream: nothing to forward.
            // Before any media its type may be that of another codec.
            guard rtp.payloadType == track.pointee.payloadTypes.rtx,
                let original = RTX.originalSequence(rtp.payload), track.pointee.layers[layer].isStarted,
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
        readPayload(&record, frame: packet.data, of: track)
        packet.record.initialize(to: record)
        if record.captureTimeLength != 0 && !binding.isRetransmission {
            noteCaptureTime(of: packet, track: track, session: session, now: now)
        }
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
            case ids.absCaptureTime:
                record.captureTimeOffset = UInt16(truncatingIfNeeded: value - UnsafeRawPointer(frame))
                record.captureTimeLength = UInt8(truncatingIfNeeded: element.value.count)
            default: break
            }
        }
    }

    /// Takes what Sinks need out of the payload and the dependency descriptor: where a keyframe starts, and the counters of the
    /// source. With the descriptor that says more, publishers leave VP8's counters out.
    func readPayload(
        _ record: inout PacketRecord, frame: UnsafeMutableRawPointer, of track: UnsafeMutablePointer<Track>
    ) {
        let descriptor = UnsafeRawBufferPointer(
            start: UnsafeRawPointer(frame) + Int(record.descriptorOffset), count: Int(record.descriptorLength))
        record.descriptorLength = 0
        let codec = track.pointee.codec
        guard codec != .opus, record.payloadLength > 0 else { return }
        let payload = UnsafeRawBufferPointer(
            start: UnsafeRawPointer(frame) + Int(record.payloadOffset), count: Int(record.payloadLength))
        switch codec {
        case .vp8: readVP8(payload, into: &record)
        case .vp9: readVP9(payload, into: &record)
        default: record.startsKeyframe = codec.startsKeyframe(payload)
        }
        if record.startsKeyframe, let height = codec.pictureHeight(payload) { record.height = height }
        if descriptor.count > 0 { read(descriptor, into: &record, of: track) }
    }

    private func readVP8(_ payload: UnsafeRawBufferPointer, into record: inout PacketRecord) {
        guard let vp8 = VP8Descriptor(payload) else { return }
        record.startsKeyframe = vp8.startsKeyframe
        if let pictureID = vp8.pictureID {
            record.note(pictureID: pictureID, at: vp8.pictureIDOffset, isLong: vp8.hasLongPictureID)
        }
        if let index = vp8.tl0PictureIndex { record.note(temporalIndex: index, at: vp8.tl0Offset) }
        record.temporal = TemporalLayer(vp8.temporalID ?? 0)
        if vp8.startsFrame, vp8.isLayerSync, record.temporal.id > 0 { record.temporal.setSync() }
        if vp8.startsKeyframe { record.temporal.setSwitchToAll() }
    }

    private func readVP9(_ payload: UnsafeRawBufferPointer, into record: inout PacketRecord) {
        guard let vp9 = VP9Descriptor(payload) else { return }
        record.startsKeyframe = vp9.startsKeyframe
        if let pictureID = vp9.pictureID {
            record.note(pictureID: pictureID, at: vp9.pictureIDOffset, isLong: vp9.hasLongPictureID)
        }
        if let index = vp9.tl0PictureIndex { record.note(temporalIndex: index, at: vp9.tl0Offset) }
        record.temporal = TemporalLayer(vp9.temporalID ?? 0)
        let isSwitch = vp9.startsFrame && vp9.isSwitchingUpPoint && vp9.spatialID ?? 0 == 0
        if isSwitch || vp9.startsKeyframe { record.temporal.setSwitchToAll() }
    }

    /// The descriptor decides where a keyframe starts, as the payload may be encrypted end to end.
    private func read(
        _ value: UnsafeRawBufferPointer, into record: inout PacketRecord, of track: UnsafeMutablePointer<Track>
    ) {
        guard let descriptor = DependencyDescriptor(value) else { return }
        let layer = Int(record.layer)
        record.startsKeyframe = false
        if descriptor.hasStructure, let structure = DependencyStructure(value) {
            record.startsKeyframe = descriptor.startsFrame
            track.pointee.layers[layer].templates = TemporalTemplates(structure)
            if let size = structure.size(spatialID: structure.maximumSpatialID) {
                record.height = UInt16(truncatingIfNeeded: size.height)
            }
        }
        if !record.startsKeyframe { record.height = 0 }
        let isShort = value.count == DependencyDescriptor.mandatoryLength && !record.hasRareElements
        record.descriptorForm = isShort ? .short : .long
        record.descriptorLength = UInt8(truncatingIfNeeded: value.count)
        record.descriptorHead = value[0]
        record.counters.kinds.insert(.frame)
        record.counters.frameNumber = descriptor.frameNumber
        record.counters.firstTemplate = track.pointee.layers[layer].templates.first
        record.counters.endTemplate = track.pointee.layers[layer].templates.end
        record.temporal = track.pointee.layers[layer].templates.layer(of: descriptor, value)
        if record.startsKeyframe { record.temporal.setSwitchToAll() }
    }
}
