import Mailbox
import Wire

/// Our own RTCP: feedback and receiver reports to publishers, sender reports to receivers (page Architecture).
extension Worker where Queue: ~Copyable {
    /// Plain bytes of one compound: within a datagram that crosses any network.
    static var rtcpRoom: Int { 1_100 }

    /// What has come in, by transport-wide sequence number.
    mutating func sendTransportFeedback(_ session: UnsafeMutablePointer<Session>, now: UInt64) {
        guard let packet = pool.allocate() else { return counters.drop(.noBuffer) }
        var writer = beginRTCP(packet, session)
        session.pointee.arrivals.sentAt = now
        let wrote = session.pointee.arrivals.report(
            to: &writer, scratch: scratch.ticks, senderSSRC: session.pointee.feedbackSsrc,
            mediaSSRC: anyMediaSsrc(of: session), now: now)
        if wrote { finishRTCP(packet, writer, session) } else { packet.free() }
    }

    /// The draft wants a media SSRC in the message though it speaks of all of them: the first that is bound.
    private func anyMediaSsrc(of session: UnsafeMutablePointer<Session>) -> UInt32 {
        session.pointee.streams.count > 0 ? session.pointee.streams[0].ssrc : 0
    }

    /// Reception of every layer of the Session's Tracks.
    mutating func sendReceiverReport(_ session: UnsafeMutablePointer<Session>, now: UInt64) {
        var count = 0
        var index = session.pointee.firstTrack
        while index != Link.none {
            let track = tracks.element(at: Int(index))
            for layer in 0..<track.pointee.layerCount
            where track.pointee.layers[layer].reception.hasReceived && count < WorkerScratch.reportBlocks {
                let ssrc = track.pointee.layers[layer].ssrc
                (scratch.blocks + count).initialize(
                    to: track.pointee.layers[layer].reception.block(ssrc: ssrc, now: now))
                count &+= 1
            }
            index = track.pointee.nextOfSession
        }
        guard count > 0 else { return }
        guard let packet = pool.allocate() else { return counters.drop(.noBuffer) }
        var writer = RTCPWriter(into: rtcpMemory(packet, session))
        _ = writer.addReceiverReport(
            ssrc: session.pointee.feedbackSsrc, blocks: UnsafeBufferPointer(start: scratch.blocks, count: count))
        addCname(&writer, ssrc: session.pointee.feedbackSsrc)
        finishRTCP(packet, writer, session)
    }

    /// One for every Slot that sends, as many in a datagram as fit.
    mutating func sendSenderReports(_ session: UnsafeMutablePointer<Session>, now: UInt64) {
        let ntp = ntpTime(now)
        var index = session.pointee.firstSlot
        while index != Link.none {
            guard let packet = pool.allocate() else { return counters.drop(.noBuffer) }
            var writer = RTCPWriter(into: rtcpMemory(packet, session))
            while index != Link.none {
                let slot = slots.element(at: Int(index))
                if let track = tracks.find(slot.pointee.track),
                    let timestamp = reportedTimestamp(of: slot, track, now: now)
                {
                    guard
                        writer.addSenderReport(
                            ssrc: slot.pointee.ssrc, ntpTime: ntp, rtpTimestamp: timestamp,
                            packetCount: slot.pointee.packetsSent, octetCount: slot.pointee.octetsSent)
                    else { break }
                    addCname(&writer, ssrc: slot.pointee.ssrc)
                }
                index = slot.pointee.nextOfSession
            }
            addEchoes(&writer, session, now: now)
            if writer.count > 0 { finishRTCP(packet, writer, session) } else { packet.free() }
            if outbox.needsFlush { flush() }
        }
    }

    /// Answers the reference times that came since the last reports, behind another report.
    private func addEchoes(_ writer: inout RTCPWriter, _ session: UnsafeMutablePointer<Session>, now: UInt64) {
        guard writer.count > 0, session.pointee.references.count > 0 else { return }
        let room = 12 &+ session.pointee.references.count &* ReferenceTimeEcho.length
        guard writer.count &+ room <= Self.rtcpRoom else { return }
        let count = session.pointee.references.take(into: scratch.echoes, now: now)
        _ = writer.addReferenceTimeEchoes(
            senderSSRC: session.pointee.feedbackSsrc, UnsafeBufferPointer(start: scratch.echoes, count: count))
    }

    /// Likewise where there was no other report to put them behind.
    mutating func sendEchoes(_ session: UnsafeMutablePointer<Session>, now: UInt64) {
        guard session.pointee.references.count > 0 else { return }
        guard let packet = pool.allocate() else { return counters.drop(.noBuffer) }
        var writer = beginRTCP(packet, session)
        addEchoes(&writer, session, now: now)
        finishRTCP(packet, writer, session)
    }

    /// Asks a publisher for the packets of a layer that did not come, or for a keyframe where it repeats none.
    mutating func sendNack(_ track: UnsafeMutablePointer<Track>, layer: Int, now: UInt64) {
        let session = track.pointee.source.session.flatMap { sessions.find($0) }
        // Over a Lane its own numbers are asked for; what is given up there breaks the picture here.
        guard session?.pointee.send != nil && session?.pointee.remote != nil || track.pointee.source.lane != nil else {
            return
        }
        let (count, isBroken) = track.pointee.layers[layer].missing.takeDue(
            now: now, roundTrip: session?.pointee.roundTrip.smoothed ?? 0, into: scratch.sequences)
        // Not every receiver asks by itself, and none before it has waited in vain.
        if isBroken, track.pointee.sinks.wanted.contains(UInt8(truncatingIfNeeded: layer)) {
            requestKeyframe(track.pointee.handle, layer: layer, isOwn: true, now: now)
        }
        guard count > 0, let session else { return }
        guard track.pointee.feedback.contains(.nack) else {
            track.pointee.layers[layer].missing.clear()
            return requestKeyframe(track.pointee.handle, layer: layer, now: now)
        }
        guard let packet = pool.allocate() else { return counters.drop(.noBuffer) }
        var writer = beginRTCP(packet, session)
        _ = writer.addNack(
            senderSSRC: session.pointee.feedbackSsrc, mediaSSRC: track.pointee.layers[layer].ssrc,
            sequences: UnsafeBufferPointer(start: scratch.sequences, count: count))
        counters.add(.nacksSent)
        finishRTCP(packet, writer, session)
    }

    /// Asks a publisher for keyframes of those `layers` of its Track that it sends, as it agreed to be asked. False when
    /// nothing was sent.
    mutating func sendKeyframeRequests(
        _ session: UnsafeMutablePointer<Session>, _ layers: LayerSet, of track: UnsafeMutablePointer<Track>
    ) -> Bool {
        let feedback = track.pointee.feedback
        guard session.pointee.send != nil, session.pointee.remote != nil, !feedback.isDisjoint(with: [.pli, .fir])
        else { return false }
        guard let packet = pool.allocate() else {
            counters.drop(.noBuffer)
            return false
        }
        var writer = beginRTCP(packet, session)
        var count: UInt64 = 0
        for layer in 0..<track.pointee.layerCount where layers.contains(UInt8(truncatingIfNeeded: layer)) {
            let ssrc = track.pointee.layers[layer].ssrc
            guard ssrc != 0, track.isActive(layer) else { continue }
            if feedback.contains(.pli) {
                _ = writer.addPictureLossIndication(senderSSRC: session.pointee.feedbackSsrc, mediaSSRC: ssrc)
            } else {
                track.pointee.intraRequest &+= 1
                _ = writer.addFullIntraRequest(
                    senderSSRC: session.pointee.feedbackSsrc, mediaSSRC: ssrc, sequence: track.pointee.intraRequest)
            }
            count &+= 1
        }
        guard count > 0 else {
            packet.free()
            return false
        }
        counters.add(.keyframeRequestsSent, count)
        finishRTCP(packet, writer, session)
        return true
    }

    private func rtcpMemory(
        _ packet: Mbuf, _ session: UnsafeMutablePointer<Session>
    ) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(
            start: packet.data + session.pointee.template.length, count: Self.rtcpRoom)
    }

    /// A compound for feedback begins with an empty receiver report, so that peers without reduced-size RTCP take it
    /// too (RFC 4585 section 3.1).
    private func beginRTCP(_ packet: Mbuf, _ session: UnsafeMutablePointer<Session>) -> RTCPWriter {
        var writer = RTCPWriter(into: rtcpMemory(packet, session))
        _ = writer.addReceiverReport(ssrc: session.pointee.feedbackSsrc)
        return writer
    }

    private func addCname(_ writer: inout RTCPWriter, ssrc: UInt32) {
        let name: StaticString = "needletail"
        _ = writer.addSourceDescription(
            ssrc: ssrc, cname: UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    /// Seals and queues a compound; takes over `packet`.
    private mutating func finishRTCP(
        _ packet: Mbuf, _ writer: RTCPWriter, _ session: UnsafeMutablePointer<Session>
    ) {
        guard let transform = session.pointee.send, writer.count > 0 else { return packet.free() }
        let offset = session.pointee.template.length
        let length = engine.sealRTCP(
            transform, (packet.data + offset).assumingMemoryBound(to: UInt8.self), writer.count,
            index: session.pointee.rtcpIndex)
        session.pointee.rtcpIndex = (session.pointee.rtcpIndex &+ 1) & 0x7fff_ffff
        guard packet.setLength(offset + length) else { return packet.free() }
        outbox.add(packet, template: templatePointer(session), payloadLength: length, offload: queue.offload)
    }

    /// 64-bit NTP time (RFC 5905 section 6) of a moment of the worker's clock.
    func ntpTime(_ now: UInt64) -> UInt64 {
        let seconds = now / 1_000_000_000
        let fraction = (now % 1_000_000_000) << 32 / 1_000_000_000
        return configuration.ntpEpoch &+ (seconds << 32 | fraction)
    }
}
