import Mailbox
import Wire

/// From a Lane's packets to the Track.
extension Worker where Queue: ~Copyable {
    /// A datagram from another PoP: the names in it tell whose it is.
    @inline(never)
    mutating func receiveFromTrunk(
        _ kind: PacketKind, _ datagram: DatagramFrame, in packet: Mbuf, isHandedOver: Bool, now: UInt64
    ) {
        let offset = kind == .rtp ? 8 : 4
        guard kind == .rtp || kind == .rtcp else { return drop(packet, .unknownProtocol) }
        guard datagram.payloadLength >= RTPPacket.fixedLength, let payload = datagram.payload.baseAddress else {
            return drop(packet, .rtpMalformed)
        }
        let name = LaneName(raw: payload.be32(offset))
        guard name.worker == configuration.number else {
            guard !isHandedOver, name.worker < siblings.count else { return drop(packet, .unknownFlow) }
            return handOver(packet, to: name.worker)
        }
        if kind == .rtp {
            queueLaneOpen(name, datagram, in: packet, now: now)
        } else {
            receiveLaneRTCP(name, datagram, in: packet, now: now)
        }
    }

    /// The Track that a name stands for.
    func track(named name: LaneName) -> UnsafeMutablePointer<Track>? {
        guard name.part < LaneName.lanePart, name.index < tracks.capacity else { return nil }
        let handle = tracks.handle(at: name.index)
        guard !handle.isNone, handle.generation & 0x3ff == name.generation, let track = tracks.find(handle),
            track.pointee.source.lane != nil, Int(name.part) < track.pointee.layerCount
        else { return nil }
        return track
    }

    private mutating func queueLaneOpen(
        _ name: LaneName, _ datagram: DatagramFrame, in packet: Mbuf, now: UInt64
    ) {
        guard let track = track(named: name), let handle = track.pointee.source.lane,
            let lane = cascade.lanes.find(handle), lane.pointee.remote == datagram.source
        else { return drop(packet, .rtpUnknownSource) }
        guard let header = RTPPacket(encrypted: datagram.payload) else { return drop(packet, .rtpMalformed) }
        guard let phase = LaneFormat.phase(ofType: header.payloadType, codec: track.pointee.codec),
            let transform = lane.pointee.receive[phase]
        else { return drop(packet, .srtpNoKeys) }
        let index = cascade.rollover(track: name.index, layer: Int(name.part)).pointee
            .estimate(sequence: header.sequence)
        // As far back as anything is repaired, which is further than the window of RFC 3711 section 3.3.2.
        guard !laneCache(name.index, Int(name.part)).hasSeen(index) else { return drop(packet, .srtpReplay) }
        if cascade.pending.isFull { openLanePackets(now: now) }
        let job = OpenJob(
            transform: transform, packet: (packet.data + datagram.payloadOffset).assumingMemoryBound(to: UInt8.self),
            headerLength: header.headerLength, length: header.count, index: index, ssrc: header.ssrc)
        cascade.pending.add(
            job, LaneOpens.Entry(packet: packet, lane: lane, track: track, header: header, layer: name.part))
    }

    /// That of a layer of the Track at `index`, without a look at the Track, of which all layers would be copied.
    @inline(__always)
    private func laneCache(_ index: Int, _ layer: Int) -> RetransmissionCache {
        RetransmissionCache(entries: slabs.caches(index) + layer * RetransmissionCache.depth)
    }

    /// Opens what waits, and forwards what is authentic.
    mutating func openLanePackets(now: UInt64) {
        guard cascade.pending.count > 0 else { return }
        engine.open(cascade.pending.jobs, cascade.pending.count)
        for index in 0..<cascade.pending.count {
            accept(cascade.pending.entries[index], cascade.pending.jobs[index], now: now)
            if outbox.needsFlush { flush() }
        }
        cascade.pending.removeAll()
        distribute()
    }

    private mutating func accept(_ entry: LaneOpens.Entry, _ job: OpenJob, now: UInt64) {
        guard job.ok else { return drop(entry.packet, .srtpAuthentication) }
        guard let rtp = RTPPacket(plain: entry.header, count: job.plainLength) else {
            return drop(entry.packet, .rtpMalformed)
        }
        let track = entry.track
        // Checked again: a burst may hold the same packet twice.
        guard !laneCache(track.pointee.handle.index, Int(entry.layer)).hasSeen(job.index) else {
            return drop(entry.packet, .srtpReplay)
        }
        cascade.rollover(track: track.pointee.handle.index, layer: Int(entry.layer)).pointee.accept(job.index)
        let payloadOffset = rtp.payload.baseAddress.unsafelyUnwrapped - UnsafeRawPointer(entry.packet.data)
        var record = PacketRecord(
            sequence: job.index, arrival: now, timestamp: rtp.timestamp,
            payloadOffset: UInt16(truncatingIfNeeded: payloadOffset),
            payloadLength: UInt16(truncatingIfNeeded: rtp.payloadLength), marker: rtp.marker, startsKeyframe: false)
        record.layer = entry.layer
        record.isUpper = entry.layer != track.pointee.lowestLayer
        readLaneExtensions(rtp, into: &record, frame: entry.packet.data, lane: entry.lane, now: now)
        readPayload(&record, frame: entry.packet.data, of: track)
        entry.packet.record.initialize(to: record)
        forward(entry.packet, track: track, now: now)
    }

    @inline(__always)
    private func readLaneExtensions(
        _ rtp: RTPPacket, into record: inout PacketRecord, frame: UnsafeMutableRawPointer,
        lane: UnsafeMutablePointer<Lane>, now: UInt64
    ) {
        var elements = rtp.elements
        while let element = elements.next() {
            guard let value = element.value.baseAddress, element.value.count > 0 else { continue }
            switch element.id {
            case LaneFormat.sequenceID where element.value.count >= 2:
                lane.pointee.reception.note(value.be16(0), now: now)
            case LaneFormat.audioLevelID: record.audioLevel = value.u8(0)
            case LaneFormat.orientationID: record.orientation = value.u8(0)
            case LaneFormat.descriptorID:
                record.descriptorOffset = UInt16(truncatingIfNeeded: value - UnsafeRawPointer(frame))
                record.descriptorLength = UInt8(truncatingIfNeeded: element.value.count)
            default: break
            }
        }
    }
}
