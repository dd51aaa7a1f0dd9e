import Mailbox
import Wire

/// RTCP from a Lane's far end: reports, requests, and what it wants and sends.
extension Worker where Queue: ~Copyable {
    /// Takes over a frame with an SRTCP packet for the Lane of this name.
    mutating func receiveLaneRTCP(_ name: LaneName, _ datagram: DatagramFrame, in packet: Mbuf, now: UInt64) {
        guard name.part == LaneName.lanePart, name.index < cascade.lanes.capacity,
            let lane = cascade.lanes.find(cascade.lanes.handle(at: name.index)), lane.pointee.name == name,
            lane.pointee.remote == datagram.source
        else { return drop(packet, .unknownFlow) }
        guard let phase = LaneFormat.phase(ofRTCP: datagram.payload), let transform = lane.pointee.receive[phase] else {
            return drop(packet, .srtpNoKeys)
        }
        let start = packet.data + datagram.payloadOffset
        guard
            let opened = engine.openRTCP(
                transform, start.assumingMemoryBound(to: UInt8.self), datagram.payloadLength)
        else { return drop(packet, .srtpAuthentication) }
        let index = opened.index & LaneFormat.indexMask
        guard lane.pointee.rtcpReplay[phase].check(UInt64(index)) else { return drop(packet, .srtpReplay) }
        lane.pointee.rtcpReplay[phase].accept(UInt64(index))
        var compound = RTCPCompound(UnsafeRawBufferPointer(start: start, count: opened.plainLength))
        while let part = compound.next() {
            switch part.type {
            case RTCPPacket.senderReport: noteLaneReport(part, lane, now: now)
            case RTCPPacket.receiverReport:
                if let report = ReceiverReport(part), report.blockCount > 0 {
                    noteRoundTrip(report.block(0), lane, now: now)
                }
            case RTCPPacket.transportFeedback:
                if let nack = GenericNack(part), nack.mediaSSRC == name.raw { resend(nack, over: lane) }
            case RTCPPacket.payloadFeedback: noteKeyframeRequest(part, lane, now: now)
            case RTCPPacket.application:
                if let message = LaneMessage(part) { take(message, at: index, phase: phase, lane, now: now) }
            default: break
            }
        }
        if !compound.isComplete { counters.drop(.rtcpMalformed) }
        packet.free()
    }

    /// Of the Lane as a whole, or of a Track: when its timestamps were taken.
    private mutating func noteLaneReport(_ part: RTCPPacket, _ lane: UnsafeMutablePointer<Lane>, now: UInt64) {
        guard let report = SenderReport(part) else { return }
        if report.ssrc == lane.pointee.name.raw {
            lane.pointee.reception.noteSenderReport(ntp: report.ntpTime, arrival: now)
            _ = lane.pointee.clock.note(ntp: report.ntpTime, arrival: now)
            lane.pointee.reception.noteSent(count: report.packetCount, now: now)
            if report.blockCount > 0 { noteRoundTrip(report.block(0), lane, now: now) }
            return
        }
        let name = LaneName(raw: report.ssrc)
        guard let track = track(named: name), track.pointee.source.lane == lane.pointee.handle,
            let moment = lane.pointee.clock.moment(ofNTP: report.ntpTime)
        else { return }
        noteClock(SourceClock(timestamp: report.rtpTimestamp, moment: moment), of: track, layer: Int(name.part))
    }

    /// RFC 3550 section 6.4.1: from our sender report to the far end and back, less what it waited there.
    private func noteRoundTrip(_ block: ReportBlock, _ lane: UnsafeMutablePointer<Lane>, now: UInt64) {
        guard block.lastSenderReport != 0 else { return }
        let middle = UInt32(truncatingIfNeeded: ntpTime(now) >> 16)
        let age = middle &- block.lastSenderReport
        if age < 60 << 16 {
            lane.pointee.heardAt = max(lane.pointee.heardAt, now &- min(now, (UInt64(age) &* 1_000_000_000) >> 16))
        }
        guard let sample = RoundTripTime.sample(block, ntp: ntpTime(now)) else { return }
        lane.pointee.report.roundTrip = RoundTripTime.smooth(lane.pointee.report.roundTrip, sample)
    }

    private mutating func noteKeyframeRequest(_ part: RTCPPacket, _ lane: UnsafeMutablePointer<Lane>, now: UInt64) {
        guard let loss = PictureLossIndication(part) else { return }
        let name = LaneName(raw: loss.mediaSSRC)
        guard name.part < LaneName.lanePart, let crossing = cascade.crossing(name, of: lane.pointee.handle) else {
            return
        }
        counters.add(.keyframeRequestsReceived)
        requestKeyframe(crossing.pointee.track, layer: Int(name.part), now: now)
    }

    /// `index`, `phase`: of the compound. Those that were overtaken say what does not hold any more.
    private mutating func take(
        _ message: LaneMessage, at index: UInt32, phase: Int, _ lane: UnsafeMutablePointer<Lane>, now: UInt64
    ) {
        if phase == lane.pointee.latestPhase {
            guard index >= lane.pointee.latestMessage else { return }
        } else {
            guard phase == lane.pointee.receivePhase else { return }
            lane.pointee.latestPhase = phase
        }
        lane.pointee.latestMessage = index
        for entry in 0..<message.count {
            let name = message.track(entry)
            switch message.kind {
            case .wanted:
                guard let crossing = cascade.crossing(name, of: lane.pointee.handle) else { continue }
                noteWanted(LayerSet(bits: message.layers(entry)), over: crossing, lane, now: now)
            case .sent:
                guard let track = track(named: name), track.pointee.source.lane == lane.pointee.handle else { continue }
                noteSent(message.choices(entry), of: track, over: lane, now: now)
                if message.layers(entry) != track.pointee.sinks.wanted.bits {
                    track.pointee.sinks.isUntold = true
                    lane.pointee.hasNews = true
                }
            }
            if outbox.needsFlush { flush() }
        }
    }

    /// What is refused for want of credits comes again.
    private mutating func noteSent(
        _ choices: UInt64, of track: UnsafeMutablePointer<Track>, over lane: UnsafeMutablePointer<Lane>, now: UInt64
    ) {
        guard lane.pointee.credits > 0 else { return }
        if choices != track.pointee.choices { lane.pointee.credits &-= 1 }
        noteSent(choices, of: track, now: now)
    }

    private mutating func noteWanted(
        _ layers: LayerSet, over crossing: UnsafeMutablePointer<Crossing>, _ lane: UnsafeMutablePointer<Lane>,
        now: UInt64
    ) {
        guard let track = tracks.find(crossing.pointee.track) else { return }
        let wanted = layers.intersection(track.pointee.allLayers)
        guard wanted != crossing.pointee.wanted, lane.pointee.credits > 0 else { return }
        lane.pointee.credits &-= 1
        // What came before is sent by what was wanted then.
        distribute()
        crossing.pointee.wanted = wanted
        reviseCrossed(track)
        want(wanted, of: track, now: now)
    }
}
