import Mailbox
import Wire

/// From a Track's packets to Lanes: sealed once for each, as the publisher made them.
extension Worker where Queue: ~Copyable {
    /// Sends a run of `count` packets over the Lanes whose far ends want them.
    @inline(never)
    mutating func sendToLanes(
        _ run: UnsafeMutablePointer<Mbuf>, _ count: Int, of track: UnsafeMutablePointer<Track>
    ) {
        var index = track.pointee.sinks.firstCrossing
        while index != Link.none {
            let crossing = cascade.crossings.element(at: Int(index))
            index = crossing.pointee.nextOfTrack
            guard !crossing.pointee.wanted.isEmpty else { continue }
            // A Crossing never outlives its Lane.
            let lane = cascade.lanes.element(at: crossing.pointee.lane.index)
            guard lane.pointee.send != nil, lane.pointee.isHeard else { continue }
            for place in 0..<count {
                let packet = run[place]
                if crossing.pointee.wanted.contains(packet.record.pointee.layer) {
                    send(packet, of: track, crossing, lane)
                }
                if outbox.isFull { drain() }
            }
        }
    }

    @inline(__always)
    private mutating func send(
        _ packet: Mbuf, of track: UnsafeMutablePointer<Track>, _ crossing: UnsafeMutablePointer<Crossing>,
        _ lane: UnsafeMutablePointer<Lane>
    ) {
        let record = UnsafePointer(packet.record)
        let layer = Int(record.pointee.layer)
        guard let index = crossing.pointee.numbering[layer].next(record.pointee.sequence) else { return }
        let number = lane.pointee.sent
        guard emit(packet, record, index: index, number: number, of: track, crossing, lane) else { return }
        lane.pointee.history.note(
            number,
            LaneHistory.Entry(
                crossing: UInt16(truncatingIfNeeded: crossing.pointee.handle.index),
                generation: LaneHistory.generation(crossing.pointee.handle), layer: record.pointee.layer,
                index: UInt32(truncatingIfNeeded: index)))
        lane.pointee.sent &+= 1
        crossing.pointee.packetsSent[layer] &+= 1
        crossing.pointee.octetsSent[layer] &+= UInt32(record.pointee.payloadLength)
    }

    /// Seals and queues one packet; the same arguments make the same bytes, so that it can be sent again.
    @inline(__always)
    private mutating func emit(
        _ packet: Mbuf, _ record: UnsafePointer<PacketRecord>, index: UInt64, number: UInt32,
        of track: UnsafeMutablePointer<Track>, _ crossing: UnsafeMutablePointer<Crossing>,
        _ lane: UnsafeMutablePointer<Lane>
    ) -> Bool {
        guard let transform = lane.pointee.send else { return false }
        guard let out = stock.take(from: pool) else {
            counters.drop(.noBuffer)
            return false
        }
        let offset = lane.pointee.template.length
        let destination = out.data + offset
        let type = LaneFormat.payloadType(track.pointee.codec, phase: lane.pointee.sendPhase)
        let name = crossing.pointee.name.layer(record.pointee.layer)
        let headerLength = writeLaneHeader(
            packet, record, type: type, index: index, number: number, name: name, to: destination)
        let job = SealJob(
            transform: transform,
            source: (packet.data + Int(record.pointee.payloadOffset)).assumingMemoryBound(to: UInt8.self),
            destination: destination.assumingMemoryBound(to: UInt8.self), headerLength: headerLength,
            payloadLength: Int(record.pointee.payloadLength), index: index, ssrc: name.raw)
        guard offset &+ job.sealedLength <= queue.maximumFrame else {
            stock.putBack(out)
            counters.drop(.oversize)
            return false
        }
        lane.pointee.report.sentPackets &+= 1
        lane.pointee.report.sentBytes &+= UInt64(truncatingIfNeeded: job.sealedLength)
        outbox.seal(
            job, in: out, template: templatePointer(lane),
            priority: FramePriority(track.pointee.kind, isUpper: record.pointee.isUpper), engine: engine,
            offload: queue.offload)
        return true
    }

    @inline(__always)
    private func writeLaneHeader(
        _ packet: Mbuf, _ record: UnsafePointer<PacketRecord>, type: UInt8, index: UInt64, number: UInt32,
        name: LaneName,
        to memory: UnsafeMutableRawPointer
    ) -> Int {
        let form = record.pointee.descriptorForm
        guard form == .none || form == .short && !record.pointee.hasRareElements else {
            return writeLongLaneHeader(packet, record, type: type, index: index, number: number, name: name, to: memory)
        }
        var elements = ShortExtension()
        elements.add(LaneFormat.sequenceID, be16: UInt16(truncatingIfNeeded: number))
        if form == .short {
            elements.add(
                LaneFormat.descriptorID, be24: record.pointee.shortDescriptor(adding: Rewriter.DescriptorDelta()))
        } else {
            if record.pointee.audioLevel != 0xff {
                elements.add(LaneFormat.audioLevelID, u8: record.pointee.audioLevel)
            }
            if record.pointee.orientation != 0xff {
                elements.add(LaneFormat.orientationID, u8: record.pointee.orientation)
            }
        }
        return elements.write(
            to: memory, marker: record.pointee.marker, payloadType: type, sequence: UInt16(truncatingIfNeeded: index),
            timestamp: record.pointee.timestamp, ssrc: name.raw)
    }

    /// Likewise with a dependency descriptor of any length.
    @inline(never)
    private func writeLongLaneHeader(
        _ packet: Mbuf, _ record: UnsafePointer<PacketRecord>, type: UInt8, index: UInt64, number: UInt32,
        name: LaneName,
        to memory: UnsafeMutableRawPointer
    ) -> Int {
        let room = UnsafeMutableRawBufferPointer(start: memory, count: Self.headerRoom)
        guard
            var header = RTPHeaderWriter(
                into: room, marker: record.pointee.marker, payloadType: type,
                sequence: UInt16(truncatingIfNeeded: index), timestamp: record.pointee.timestamp, ssrc: name.raw)
        else { return 0 }
        header.add(LaneFormat.sequenceID, be16: UInt16(truncatingIfNeeded: number))
        if record.pointee.audioLevel != 0xff { header.add(LaneFormat.audioLevelID, u8: record.pointee.audioLevel) }
        if record.pointee.orientation != 0xff { header.add(LaneFormat.orientationID, u8: record.pointee.orientation) }
        let length = Int(record.pointee.descriptorLength)
        if length != 0 {
            header.add(
                LaneFormat.descriptorID,
                UnsafeRawBufferPointer(start: packet.data + Int(record.pointee.descriptorOffset), count: length))
        }
        return header.finish()
    }

    /// Sends again what the far end misses, by the Lane's numbers, as long as it is kept.
    mutating func resend(_ nack: GenericNack, over lane: UnsafeMutablePointer<Lane>) {
        var nack = nack
        counters.add(.nacksReceived)
        // A datagram could name 6,000 numbers, again and again.
        while lane.pointee.credits > 0, let short = nack.next() {
            lane.pointee.credits &-= 1
            let number = LaneHistory.extended(short, next: lane.pointee.sent)
            guard let entry = lane.pointee.history.find(number, next: lane.pointee.sent) else { continue }
            let handle = cascade.crossings.handle(at: Int(entry.crossing))
            guard !handle.isNone, LaneHistory.generation(handle) == entry.generation,
                let crossing = cascade.crossings.find(handle), crossing.pointee.lane == lane.pointee.handle,
                let track = tracks.find(crossing.pointee.track), Int(entry.layer) < track.pointee.layerCount
            else { continue }
            guard let found = crossing.pointee.numbering[Int(entry.layer)].find(entry.index),
                let packet = track.pointee.layers[Int(entry.layer)].cache.find(found.sequence)
            else { continue }
            let record = UnsafePointer(packet.record)
            if emit(packet, record, index: found.index, number: number, of: track, crossing, lane) {
                counters.add(.retransmittedPackets)
            }
            if outbox.needsFlush { flush() }
        }
    }
}
