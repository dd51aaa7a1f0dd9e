import Mailbox
import Wire

/// What people send: pictures in three sizes, sounds, reports and checks.
extension MeetingCrowd {
    /// Adds all that arrives before `end` to the queue.
    mutating func send(until end: UInt64, to queue: inout MeetingQueue) throws(PortFailure) {
        for number in 0..<count {
            let person = people + number
            // In the order of time, as they are numbered together.
            while min(person.pointee.videoDue, person.pointee.audioDue) < end {
                if person.pointee.videoDue <= person.pointee.audioDue { sendVideo(person) } else { sendAudio(person) }
            }
            if person.pointee.feedbackDue < end { sendFeedback(person) }
            if person.pointee.missing > 0 { askAgain(person, now: end) }
            if person.pointee.reportDue < end { sendReports(person) }
            if person.pointee.lossIndicationDue < end { indicateLoss(person) }
            if person.pointee.checkDue < end { sendCheck(person) }
        }
        fresh.sort { $0.time < $1.time }
        guard queue.append(fresh) else {
            throw PortFailure("the worker is far behind: nothing fits before it any more")
        }
        fresh.removeAll(keepingCapacity: true)
    }

    /// Sends what `write` puts behind the outer headers, of which it tells the length.
    mutating func deliver(
        _ person: UnsafeMutablePointer<MeetingPerson>, at time: UInt64, _ write: (UnsafeMutableRawPointer) -> Int
    ) {
        guard let packet = pool.allocate() else {
            tally.overruns += 1
            return
        }
        let template = person.pointee.peer.template
        let length = write(packet.data + template.length)
        template.write(into: packet.data, payloadLength: length)
        _ = packet.setLength(template.length + length)
        fresh.append(MeetingQueue.Arrival(time: time, packet: packet))
    }

    // MARK: media

    /// The next packet of a picture: all three sizes are of one moment, the smallest comes first.
    private mutating func sendVideo(_ person: UnsafeMutablePointer<MeetingPerson>) {
        let isKeyframe = person.pointee.isKeyframe
        let factor = isKeyframe ? MeetingLayer.keyframeFactor : 1
        var (layer, place) = (0, person.pointee.place)
        while place >= MeetingLayer.counts[layer] * factor {
            place -= MeetingLayer.counts[layer] * factor
            layer += 1
        }
        let isLast = place == MeetingLayer.counts[layer] * factor - 1
        let time = person.pointee.videoDue
        sealVideo(person, layer: layer, isFirst: place == 0, isLast: isLast)
        person.pointee.place += 1
        person.pointee.videoDue = time + UInt64(MeetingLayer.payloads[layer]) * MeetingLayer.byteTime
        guard layer == 2, isLast else { return }
        endPicture(person)
    }

    private mutating func endPicture(_ person: UnsafeMutablePointer<MeetingPerson>) {
        if person.pointee.isKeyframe { tally.keyframes += 1 }
        person.pointee.place = 0
        person.pointee.picture += 1
        person.pointee.pictureBegan = max(
            person.pointee.pictureBegan + MeetingLayer.pictureInterval, person.pointee.videoDue)
        person.pointee.videoDue = person.pointee.pictureBegan
        person.pointee.isKeyframe = person.pointee.wantsKeyframe
        person.pointee.wantsKeyframe = false
        if person.pointee.isKeyframe { person.pointee.keyframe = person.pointee.picture }
        if temporalLayer(person) == 0 { person.pointee.temporalIndex &+= 1 }
    }

    /// 0, 2, 1, 2 from each keyframe on, as browsers encode VP8.
    private func temporalLayer(_ person: UnsafeMutablePointer<MeetingPerson>) -> UInt8 {
        switch (person.pointee.picture - person.pointee.keyframe) % 4 {
        case 0: 0
        case 2: 1
        default: 2
        }
    }

    private mutating func sealVideo(
        _ person: UnsafeMutablePointer<MeetingPerson>, layer: Int, isFirst: Bool, isLast: Bool
    ) {
        let stream = layers + person.pointee.number * 3 + layer
        let index = stream.pointee.index
        let length = MeetingLayer.payloads[layer]
        let engine = engine
        let temporal = temporalLayer(person)
        deliver(person, at: person.pointee.videoDue) { start in
            let headerLength = Self.writeHeader(
                person, to: start, marker: isLast, type: 96, index: index, ssrc: person.pointee.cameraSsrc(layer),
                timestamp: Self.timestamp(person.pointee.pictureBegan, 90_000), layer: layer)
            Self.writeVP8(
                person.pointee, to: start + headerLength, length: length, layer: layer, temporal: temporal,
                isFirst: isFirst)
            return Self.seal(person, engine, start, headerLength, length, index, person.pointee.cameraSsrc(layer))
        }
        stream.pointee.index += 1
        stream.pointee.packets += 1
        tally.sentVideo[layer] += 1
    }

    private mutating func sendAudio(_ person: UnsafeMutablePointer<MeetingPerson>) {
        let (index, length) = (person.pointee.audioIndex, MeetingLayer.soundBytes)
        let engine = engine
        deliver(person, at: person.pointee.audioDue) { start in
            let headerLength = Self.writeHeader(
                person, to: start, marker: false, type: 111, index: index, ssrc: person.pointee.microphoneSsrc,
                timestamp: UInt32(truncatingIfNeeded: index * 960), layer: nil)
            let payload = start + headerLength
            payload.initializeMemory(as: UInt8.self, repeating: 0x5a, count: length)
            payload.setBE32(UInt32(person.pointee.number), at: 20)
            return Self.seal(person, engine, start, headerLength, length, index, person.pointee.microphoneSsrc)
        }
        person.pointee.audioIndex += 1
        person.pointee.audioDue += MeetingLayer.soundInterval
        tally.sentAudio += 1
    }

    /// Of the virtual clock, in units of so many a second.
    static func timestamp(_ time: UInt64, _ rate: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: time / 1_000 * rate / 1_000_000)
    }

    private static func writeHeader(
        _ person: UnsafeMutablePointer<MeetingPerson>, to start: UnsafeMutableRawPointer, marker: Bool, type: UInt8,
        index: UInt64, ssrc: UInt32, timestamp: UInt32, layer: Int?
    ) -> Int {
        var header = RTPHeaderWriter(
            into: UnsafeMutableRawBufferPointer(start: start, count: 64), marker: marker, payloadType: type,
            sequence: UInt16(truncatingIfNeeded: index), timestamp: timestamp, ssrc: ssrc)!
        header.add(BenchmarkPeer.transportSequenceID, be16: person.pointee.transportSequence)
        person.pointee.transportSequence &+= 1
        if let layer {
            if index < namedPackets {
                header.add(midID, u8: UInt8(ascii: "0"))
                header.add(ridID, u8: UInt8(ascii: "0") + UInt8(layer))
            }
        } else {
            if index < namedPackets { header.add(midID, u8: UInt8(ascii: "1")) }
            header.add(BenchmarkPeer.audioLevelID, u8: 0x80 | person.pointee.level)
        }
        return header.finish()
    }

    /// Picture id, TL0PICIDX and temporal layer as browsers send them (RFC 7741 section 4.2), and how a frame begins (RFC 6386
    /// section 9.1). Whose it is stands further behind.
    private static func writeVP8(
        _ person: MeetingPerson, to payload: UnsafeMutableRawPointer, length: Int, layer: Int, temporal: UInt8,
        isFirst: Bool
    ) {
        payload.initializeMemory(as: UInt8.self, repeating: 0x5a, count: length)
        payload.setU8(0x80 | (temporal == 2 ? 0x20 : 0) | (isFirst ? 0x10 : 0), at: 0)
        payload.setU8(0xe0, at: 1)
        payload.setBE16(0x8000 | UInt16(truncatingIfNeeded: person.picture & 0x7fff), at: 2)
        payload.setU8(person.temporalIndex, at: 4)
        payload.setU8(temporal << 6 | (temporal > 0 ? 0x20 : 0), at: 5)
        payload.setBE32(UInt32(person.number), at: 20)
        guard isFirst else { return }
        payload.setU8(person.isKeyframe ? 0x10 : 0x11, at: 6)
        guard person.isKeyframe else { return }
        payload.setBE16(0, at: 7)
        payload.setBE24(0x9d012a, at: 9)
        for (place, size) in [UInt16(320 << layer), 180 << UInt16(layer)].enumerated() {
            payload.setBE16(size.byteSwapped, at: 12 + 2 * place)
        }
    }

    private static func seal(
        _ person: UnsafeMutablePointer<MeetingPerson>, _ engine: UnsafeMutablePointer<SRTPEngine>,
        _ start: UnsafeMutableRawPointer, _ headerLength: Int, _ length: Int, _ index: UInt64, _ ssrc: UInt32
    ) -> Int {
        let bytes = start.assumingMemoryBound(to: UInt8.self)
        var job = SealJob(
            transform: person.pointee.sealing, source: bytes + headerLength, destination: bytes,
            headerLength: headerLength, payloadLength: length, index: index, ssrc: ssrc)
        engine.pointee.seal(&job, 1)
        return job.sealedLength
    }

    /// Each 2.5 s, as Chromium does where it is the controlling side.
    private mutating func sendCheck(_ person: UnsafeMutablePointer<MeetingPerson>) {
        guard let packet = pool.allocate() else {
            tally.overruns += 1
            return
        }
        person.pointee.peer.writeCheck(into: packet)
        fresh.append(MeetingQueue.Arrival(time: person.pointee.checkDue, packet: packet))
        person.pointee.checkDue += 2_500_000_000
        tally.sentChecks += 1
    }
}
