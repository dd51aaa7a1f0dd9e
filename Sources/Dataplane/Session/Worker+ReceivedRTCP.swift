import Mailbox
import Wire

/// RTCP from a Session's peer ends here (documentation, Architecture): reports are read, requests served or merged.
extension Worker where Queue: ~Copyable {
    /// Takes over a frame with an SRTCP packet.
    mutating func receiveRTCP(
        _ datagram: DatagramFrame, in packet: Mbuf, session: UnsafeMutablePointer<Session>, now: UInt64
    ) {
        guard let transform = session.pointee.receive else { return drop(packet, .srtpNoKeys) }
        let start = packet.data + datagram.payloadOffset
        guard
            let opened = engine.openRTCP(
                transform, start.assumingMemoryBound(to: UInt8.self), datagram.payloadLength)
        else { return drop(packet, .srtpAuthentication) }
        // The first packet's sender, which is in clear (RFC 3711 section 3.4); `openRTCP` has proved 8 bytes.
        let sender = UnsafeRawPointer(start).be32(4)
        guard session.pointee.rtcpReplay.accept(ssrc: sender, index: opened.index) else {
            return drop(packet, .srtpReplay)
        }
        if session.pointee.remote == datagram.source { session.pointee.heardAt = now }
        var compound = RTCPCompound(UnsafeRawBufferPointer(start: start, count: opened.plainLength))
        while let part = compound.next() {
            switch part.type {
            case RTCPPacket.senderReport:
                noteSenderReport(part, session: session, now: now)
                noteReception(part, session: session, now: now)
            case RTCPPacket.receiverReport: noteReception(part, session: session, now: now)
            case RTCPPacket.transportFeedback:
                answerNack(part, session: session, now: now)
                noteTransportFeedback(part, session: session, now: now)
            case RTCPPacket.payloadFeedback: mergeKeyframeRequests(part, session: session, now: now)
            case RTCPPacket.extendedReport:
                guard let report = ExtendedReport(part), let time = report.referenceTime else { break }
                session.pointee.references.note(time, of: report.senderSSRC, arrival: now)
            default: break
            }
        }
        if !compound.isComplete { counters.drop(.rtcpMalformed) }
        packet.free()
    }

    /// What a sender or receiver report says of the streams that its sender receives.
    private mutating func noteReception(_ part: RTCPPacket, session: UnsafeMutablePointer<Session>, now: UInt64) {
        confirmNames(part, of: session)
        noteLosses(part, of: session, now: now)
        noteRoundTrip(part, of: session, now: now)
    }

    private func noteRoundTrip(_ part: RTCPPacket, of session: UnsafeMutablePointer<Session>, now: UInt64) {
        let (sender, receiver) = (SenderReport(part), ReceiverReport(part))
        let ntp = ntpTime(now)
        for place in 0..<(sender?.blockCount ?? receiver?.blockCount ?? 0) {
            guard let block = sender?.block(place) ?? receiver?.block(place) else { continue }
            // The reports of all Slots went in one moment.
            if session.pointee.roundTrip.note(block, ntp: ntp) { return }
        }
    }

    private func noteSenderReport(_ part: RTCPPacket, session: UnsafeMutablePointer<Session>, now: UInt64) {
        guard let report = SenderReport(part), let stream = session.pointee.streams.find(report.ssrc) else { return }
        let binding = session.pointee.streams[stream]
        guard !binding.isRetransmission else { return }
        let track = tracks.element(at: Int(binding.track))
        track.pointee.layers[Int(binding.layer)].reception.noteSenderReport(ntp: report.ntpTime, arrival: now)
        let moment = session.pointee.clock.note(ntp: report.ntpTime, arrival: now)
        noteClock(SourceClock(timestamp: report.rtpTimestamp, moment: moment), of: track, layer: Int(binding.layer))
    }

    /// Sends again what a receiver misses and the cache still has. What cannot come any more it is not left to wait for.
    private mutating func answerNack(_ part: RTCPPacket, session: UnsafeMutablePointer<Session>, now: UInt64) {
        guard var nack = GenericNack(part), let slot = slot(of: session, ssrc: nack.mediaSSRC) else { return }
        counters.add(.nacksReceived)
        // Nobody agreed on it for sound, which has no stream to be repeated on: its numbers would seal two contents.
        guard slot.pointee.kind.isVideo else { return }
        session.pointee.renewCredits(now: now)
        let pause = RepeatLog.pause(session.pointee.roundTrip)
        let patience = patience(with: session)
        // A datagram of 1500 bytes could name 6,000 numbers, again and again: what a Session may cost is bounded.
        var isBroken = false
        while session.pointee.resendCredits > 0, let sequence = nack.next() {
            guard let found = slot.pointee.rewriter.find(sequence), found.number > slot.pointee.cutAt,
                let track = tracks.find(TrackHandle(raw: found.epoch.track)),
                Int(found.epoch.layer) < track.pointee.layerCount
            else { continue }
            let (layer, original) = (Int(found.epoch.layer), found.sequence)
            let packet = track.pointee.layers[layer].cache.find(original)
            let isLost = track.pointee.kind.isVideo && !track.mayStillCome(original, layer: layer)
            guard packet != nil || isLost else { continue }
            if let packet, patience > 0, now &- packet.record.pointee.arrival < patience {
                counters.add(.resendsHeldBack)
                continue
            }
            guard
                session.pointee.repeats.admits(
                    slot: slot.pointee.handle.index, number: sequence, pause: pause, now: now)
            else {
                counters.add(.resendsHeldBack)
                continue
            }
            if let packet {
                if let epoch = slot.pointee.rewriter.epoch(of: found, UnsafePointer(packet.record)) {
                    resend(packet, epoch: epoch, number: found.number, to: slot, of: track)
                } else {
                    // It came late, and is above what the Slot gets.
                    fill(found.number, of: slot, track)
                }
            } else {
                fill(found.number, of: slot, track)
                isBroken = isBroken || !track.pointee.layers[layer].missing.isMended(original)
            }
            session.pointee.resendCredits &-= 1
            if outbox.needsFlush { flush() }
        }
        if isBroken { requestKeyframe(for: slot, now: now) }
    }

    /// On a path on which packets overtake each other, receivers ask for what is only late, and ask again a round trip later if
    /// it was lost: for how long after it came here nothing is sent again, ns; 0 on all other paths.
    private func patience(with session: UnsafeMutablePointer<Session>) -> UInt64 {
        guard let congestion = session.pointee.congestion else { return 0 }
        let lateness = congestion.pointee.estimator.lateness.notable
        guard lateness > 0 else { return 0 }
        // It may have waited for the pacer.
        return RepeatLog.pause(session.pointee.roundTrip) &+ lateness &+ congestion.pointee.waits.notable
    }

    /// PLI and FIR of all receivers become one request a Track.
    private mutating func mergeKeyframeRequests(
        _ part: RTCPPacket, session: UnsafeMutablePointer<Session>, now: UInt64
    ) {
        if let loss = PictureLossIndication(part) {
            requestKeyframe(for: loss.mediaSSRC, of: session, now: now)
        } else if let request = FullIntraRequest(part) {
            for index in 0..<min(request.entryCount, 32) {
                requestKeyframe(for: request.ssrc(index), of: session, now: now)
            }
        }
    }

    private mutating func requestKeyframe(
        for ssrc: UInt32, of session: UnsafeMutablePointer<Session>, now: UInt64
    ) {
        guard let slot = slot(of: session, ssrc: ssrc) else { return }
        counters.add(.keyframeRequestsReceived)
        requestKeyframe(for: slot, now: now)
    }

    /// The receiver of a Slot needs a keyframe of what it shows. False where it had one too lately.
    @discardableResult
    mutating func requestKeyframe(for slot: UnsafeMutablePointer<Slot>, now: UInt64) -> Bool {
        guard let layer = slot.pointee.current ?? slot.pointee.target,
            let track = tracks.find(slot.pointee.track), Int(layer) < track.pointee.layerCount
        else { return true }
        // One viewer's requests must not cost all others their picture: who has it already is served less often.
        let waits = slot.pointee.current != slot.pointee.target
        guard waits || track.pointee.keyframes.allowsRepetition(now: now) else { return false }
        requestKeyframe(slot.pointee.track, layer: Int(layer), now: now)
        return true
    }

    /// The Slot of a Session that sends with `ssrc`.
    func slot(of session: UnsafeMutablePointer<Session>, ssrc: UInt32) -> UnsafeMutablePointer<Slot>? {
        var index = session.pointee.firstSlot
        while index != Link.none {
            let slot = slots.element(at: Int(index))
            if slot.pointee.ssrc == ssrc { return slot }
            index = slot.pointee.nextOfSession
        }
        return nil
    }
}
