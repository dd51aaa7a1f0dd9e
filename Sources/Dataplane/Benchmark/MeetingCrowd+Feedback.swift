import Mailbox
import Wire

/// What people tell of what they got, as browsers do.
extension MeetingCrowd {
    private mutating func sendRTCP(
        _ person: UnsafeMutablePointer<MeetingPerson>, at time: UInt64, _ build: (inout RTCPWriter) -> Void
    ) {
        let engine = engine
        deliver(person, at: time) { start in
            var writer = RTCPWriter(into: UnsafeMutableRawBufferPointer(start: start, count: 1_200))
            build(&writer)
            person.pointee.rtcpIndex += 1
            return engine.pointee.sealRTCP(
                person.pointee.sealing, start.assumingMemoryBound(to: UInt8.self), writer.count,
                index: person.pointee.rtcpIndex)
        }
        tally.sentRTCP += 1
    }

    /// Transport-wide feedback on what was sent a round trip ago.
    mutating func sendFeedback(_ person: UnsafeMutablePointer<MeetingPerson>) {
        let now = person.pointee.feedbackDue
        person.pointee.feedbackDue += Self.feedbackInterval
        let start = person.pointee.toldEnd
        let row = times + person.pointee.number * Self.heard
        var known = 0
        var hasCome = false
        while start + UInt64(known) < person.pointee.heardEnd {
            let time = row[Int((start + UInt64(known)) % UInt64(Self.heard))]
            guard time / 2 + 2 * Self.delay <= now else { break }
            let isLost = time & 1 != 0
            ticks[known] = isLost ? RTCPWriter.lost : Int64((time / 2 + Self.delay) / 250_000)
            hasCome = hasCome || !isLost
            known += 1
        }
        guard hasCome else { return }
        var covered = 0
        let arrivals = UnsafeBufferPointer(start: ticks, count: known)
        sendRTCP(person, at: now) { writer in
            covered = writer.addTransportFeedback(
                senderSSRC: 1, mediaSSRC: 1, baseSequence: UInt16(truncatingIfNeeded: start),
                feedbackCount: person.pointee.feedbackCount, arrivals: arrivals)
        }
        person.pointee.feedbackCount &+= 1
        person.pointee.toldEnd += UInt64(covered)
    }

    /// Asks for what is missing, and each 100 ms again.
    mutating func askAgain(_ person: UnsafeMutablePointer<MeetingPerson>, now: UInt64) {
        let list = losses + person.pointee.number * MeetingLoss.most
        var kept = 0
        for place in 0..<person.pointee.missing {
            var loss = list[place]
            if loss.due < now {
                let ssrc = BenchmarkSource.firstSlotSsrc + loss.slot * 2
                sendRTCP(person, at: loss.due) { writer in
                    withUnsafePointer(to: &loss.sequence) {
                        _ = writer.addNack(
                            senderSSRC: 1, mediaSSRC: ssrc, sequences: UnsafeBufferPointer(start: $0, count: 1))
                    }
                }
                loss.tries += 1
                loss.due += 100_000_000
            }
            guard loss.tries < 10 else {
                tally.unrepaired += 1
                continue
            }
            list[kept] = loss
            kept += 1
        }
        person.pointee.missing = kept
    }

    /// Somebody's decoder lost a picture: each 20 s.
    mutating func indicateLoss(_ person: UnsafeMutablePointer<MeetingPerson>) {
        let slot = person.pointee.slot(Int(random.next() % UInt64(MeetingPerson.videoSlots)))
        let ssrc = BenchmarkSource.firstSlotSsrc + UInt32(slot.index) * 2
        sendRTCP(person, at: person.pointee.lossIndicationDue) { writer in
            _ = writer.addPictureLossIndication(senderSSRC: 1, mediaSSRC: ssrc)
        }
        person.pointee.lossIndicationDue += 20_000_000_000
    }

    /// Each second: sender reports of all that it sends, and a receiver report on all that it gets.
    mutating func sendReports(_ person: UnsafeMutablePointer<MeetingPerson>) {
        let now = person.pointee.reportDue
        person.pointee.reportDue += 1_000_000_000
        let seconds = now / 1_000_000_000
        let ntp = (3_900_000_000 + seconds) << 32 | (now % 1_000_000_000) << 32 / 1_000_000_000
        // It left its sender a while ago; by then the latest sender report may not have been there.
        let left = now - min(now, Self.delay)
        let delay = left - min(left, person.pointee.senderReportAt)
        let first = slots + person.pointee.number * MeetingPerson.slots
        var blocks: [ReportBlock] = []
        for place in 0..<MeetingPerson.slots where first[place].hasStarted {
            let ssrc = BenchmarkSource.firstSlotSsrc + UInt32(person.pointee.slot(place).index) * 2
            blocks.append(
                ReportBlock(
                    ssrc: ssrc, fractionLost: UInt8(person.pointee.loss * 256 / 1_000),
                    highestSequence: UInt32(first[place].lastSequence), lastSenderReport: person.pointee.senderReport,
                    delaySinceLastSenderReport: UInt32(truncatingIfNeeded: delay * 65_536 / 1_000_000_000)))
            if first[place].hasRepairs { blocks.append(ReportBlock(ssrc: ssrc + 1)) }
        }
        let streams = layers + person.pointee.number * 3
        sendRTCP(person, at: now) { writer in
            for layer in 0..<3 {
                _ = writer.addSenderReport(
                    ssrc: person.pointee.cameraSsrc(layer), ntpTime: ntp, rtpTimestamp: Self.timestamp(now, 90_000),
                    packetCount: UInt32(streams[layer].index), octetCount: 0)
            }
            _ = writer.addSenderReport(
                ssrc: person.pointee.microphoneSsrc, ntpTime: ntp,
                rtpTimestamp: UInt32(truncatingIfNeeded: person.pointee.audioIndex * 960),
                packetCount: UInt32(person.pointee.audioIndex), octetCount: 0)
            blocks.withUnsafeBufferPointer { blocks in
                _ = writer.addReceiverReport(ssrc: 1, blocks: blocks)
            }
        }
    }
}
