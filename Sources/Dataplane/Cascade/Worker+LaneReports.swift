import Mailbox
import Wire

/// What a Lane's far end is told: what is missing, wanted and sent, and reports. Each compound is for one Lane and names it.
extension Worker where Queue: ~Copyable {
    /// About 1,000 times a second.
    mutating func tickLanes(now: UInt64) {
        guard cascade.isEnabled, cascade.lanes.count > 0 else { return }
        var next = cascade.lanes.nextOccupied(from: 0, before: cascade.lanes.capacity)
        while let index = next {
            tick(cascade.lanes.element(at: index), now: now)
            if outbox.needsFlush { flush() }
            next = cascade.lanes.nextOccupied(from: index + 1, before: cascade.lanes.capacity)
        }
    }

    private mutating func tick(_ lane: UnsafeMutablePointer<Lane>, now: UInt64) {
        if now >= lane.pointee.routeDue { findRoute(lane, now: now) }
        lane.pointee.isHeard = now &- lane.pointee.heardAt < Lane.silence
        lane.pointee.credits = min(lane.pointee.credits &+ Lane.creditsPerTick, Lane.mostCredits)
        if now >= lane.pointee.secondDue {
            lane.pointee.secondDue = now &+ 1_000_000_000
            var report = lane.pointee.report
            report.receivedPackets = lane.pointee.reception.received
            report.missingPackets = lane.pointee.reception.missed
            report.repairedPackets = lane.pointee.reception.repaired
            tell(.laneReport(lane.pointee.handle, report))
            sendStreamReports(lane, now: now)
        }
        guard lane.pointee.send != nil else { return }
        if lane.pointee.reception.missingCount > 0 { sendNack(lane, now: now) }
        if lane.pointee.hasNews {
            lane.pointee.hasNews = false
            lane.pointee.repeatsUntil = now &+ Lane.repetition
            lane.pointee.reportDue = min(lane.pointee.reportDue, now &+ Lane.activeInterval)
            sendWanted(lane, all: false)
            sendChoices(lane, all: false)
        }
        guard now >= lane.pointee.reportDue else { return }
        let isActive =
            lane.pointee.sent != lane.pointee.reportedSent
            || lane.pointee.reception.received != lane.pointee.reportedReceived || now < lane.pointee.repeatsUntil
        lane.pointee.reportedSent = lane.pointee.sent
        lane.pointee.reportedReceived = lane.pointee.reception.received
        lane.pointee.reportDue = now &+ (isActive ? Lane.activeInterval : Lane.idleInterval)
        sendReport(lane, now: now)
        if now < lane.pointee.repeatsUntil || now >= lane.pointee.repetitionDue {
            lane.pointee.repetitionDue = now &+ Lane.idleInterval
            sendWanted(lane, all: true)
            sendChoices(lane, all: true)
        }
    }

    private mutating func sendNack(_ lane: UnsafeMutablePointer<Lane>, now: UInt64) {
        let count = lane.pointee.reception.takeDue(
            now: now, roundTrip: lane.pointee.report.roundTrip, into: scratch.laneNumbers)
        guard count > 0, let packet = beginLaneRTCP(lane) else { return }
        var writer = packet.writer
        _ = writer.addNack(
            senderSSRC: lane.pointee.peer.raw, mediaSSRC: lane.pointee.peer.raw,
            sequences: UnsafeBufferPointer(start: scratch.laneNumbers, count: count))
        counters.add(.nacksSent)
        finish(packet.packet, writer, lane)
    }

    /// The Lane's own report: how many packets were sent, and what came.
    private mutating func sendReport(_ lane: UnsafeMutablePointer<Lane>, now: UInt64) {
        guard let packet = pool.allocate() else { return counters.drop(.noBuffer) }
        var writer = RTCPWriter(into: laneRTCPMemory(packet, lane))
        var block = lane.pointee.reception.block(ssrc: lane.pointee.name.raw, now: now)
        withUnsafePointer(to: &block) {
            _ = writer.addSenderReport(
                ssrc: lane.pointee.peer.raw, ntpTime: ntpTime(now), rtpTimestamp: 0, packetCount: lane.pointee.sent,
                octetCount: UInt32(truncatingIfNeeded: lane.pointee.report.sentBytes),
                blocks: UnsafeBufferPointer(start: $0, count: 1))
        }
        finish(packet, writer, lane)
    }

    /// Which Layers of the Lane's Tracks are wanted: of all, or of those whose wants changed.
    private mutating func sendWanted(_ lane: UnsafeMutablePointer<Lane>, all: Bool) {
        var index = lane.pointee.firstTrack
        while index != Link.none {
            var count = 0
            while index != Link.none, count < LaneMessage.mostEntries {
                let track = tracks.element(at: Int(index))
                if all || track.pointee.sinks.isUntold {
                    scratch.laneEntries[count] = (
                        name(of: track, layer: 0), 0, track.pointee.sinks.wanted.bits
                    )
                    track.pointee.sinks.isUntold = false
                    count &+= 1
                }
                index = track.pointee.nextOfSession
            }
            sendEntries(.wanted, count, lane)
        }
    }

    /// Which Layers there are of the Tracks that go over the Lane: of all, or of those where that changed.
    private mutating func sendChoices(_ lane: UnsafeMutablePointer<Lane>, all: Bool) {
        var index = lane.pointee.firstCrossing
        while index != Link.none {
            var count = 0
            while index != Link.none, count < LaneMessage.mostEntries {
                let crossing = cascade.crossings.element(at: Int(index))
                index = crossing.pointee.nextOfLane
                guard let track = tracks.find(crossing.pointee.track) else { continue }
                let choices = track.pointee.chosenBy
                guard all || crossing.pointee.toldChoices != choices else { continue }
                crossing.pointee.toldChoices = choices
                scratch.laneEntries[count] = (crossing.pointee.name, choices, crossing.pointee.wanted.bits)
                count &+= 1
            }
            sendEntries(.sent, count, lane)
        }
    }

    private mutating func sendEntries(_ kind: LaneMessage.Kind, _ count: Int, _ lane: UnsafeMutablePointer<Lane>) {
        guard count > 0, let packet = beginLaneRTCP(lane) else { return }
        var writer = packet.writer
        if let message = writer.addLaneMessage(kind, lane: lane.pointee.peer, count: count) {
            for entry in 0..<count {
                let (track, choices, layers) = scratch.laneEntries[entry]
                message.set(entry, track: track, layers: layers, choices: choices)
            }
        }
        finish(packet.packet, writer, lane)
        if outbox.needsFlush { flush() }
    }

    /// When the timestamps of what crosses were taken: the capture clock, as the far end needs it for lip synchronisation. In
    /// reports and not in each packet, as a packet that is sent again must be the same to the bit.
    private mutating func sendStreamReports(_ lane: UnsafeMutablePointer<Lane>, now: UInt64) {
        guard lane.pointee.send != nil else { return }
        var index = lane.pointee.firstCrossing
        while index != Link.none {
            guard let packet = beginLaneRTCP(lane) else { return }
            var writer = packet.writer
            let empty = writer.count
            // As many as fit; the first that does not is in the next.
            while index != Link.none {
                let crossing = cascade.crossings.element(at: Int(index))
                guard addStreamReports(crossing, to: &writer) else { break }
                index = crossing.pointee.nextOfLane
            }
            if writer.count > empty { finish(packet.packet, writer, lane) } else { packet.packet.free() }
            if outbox.needsFlush { flush() }
        }
    }

    private func addStreamReports(_ crossing: UnsafeMutablePointer<Crossing>, to writer: inout RTCPWriter) -> Bool {
        guard let track = tracks.find(crossing.pointee.track) else { return true }
        guard writer.count &+ 28 &* track.pointee.layerCount <= Self.rtcpRoom else { return false }
        for layer in 0..<track.pointee.layerCount
        where crossing.pointee.wanted.contains(UInt8(truncatingIfNeeded: layer)) {
            guard let clock = track.pointee.layers[layer].clock else { continue }
            _ = writer.addSenderReport(
                ssrc: crossing.pointee.name.layer(UInt8(truncatingIfNeeded: layer)).raw, ntpTime: ntpTime(clock.moment),
                rtpTimestamp: clock.timestamp, packetCount: crossing.pointee.packetsSent[layer],
                octetCount: crossing.pointee.octetsSent[layer])
        }
        return true
    }

    /// Asks the far end for keyframes of those `layers` of a Track. False when nothing was sent.
    mutating func sendKeyframeRequests(
        _ lane: UnsafeMutablePointer<Lane>, _ layers: LayerSet, of track: UnsafeMutablePointer<Track>
    ) -> Bool {
        guard lane.pointee.send != nil, let packet = beginLaneRTCP(lane) else { return false }
        var writer = packet.writer
        for layer in 0..<UInt8(truncatingIfNeeded: track.pointee.layerCount) where layers.contains(layer) {
            _ = writer.addPictureLossIndication(
                senderSSRC: lane.pointee.peer.raw, mediaSSRC: name(of: track, layer: layer).raw)
            counters.add(.keyframeRequestsSent)
        }
        finish(packet.packet, writer, lane)
        return true
    }

    /// Our name for a Track that comes over a Lane.
    private func name(of track: UnsafeMutablePointer<Track>, layer: UInt8) -> LaneName {
        let handle = track.pointee.handle
        return LaneName(part: layer, worker: handle.worker, index: handle.index, generation: handle.generation)
    }

    private func laneRTCPMemory(_ packet: Mbuf, _ lane: UnsafeMutablePointer<Lane>) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: packet.data + lane.pointee.template.length, count: Self.rtcpRoom)
    }

    /// A compound that begins with an empty receiver report, which names the Lane.
    private func beginLaneRTCP(_ lane: UnsafeMutablePointer<Lane>) -> (packet: Mbuf, writer: RTCPWriter)? {
        guard let packet = pool.allocate() else {
            counters.drop(.noBuffer)
            return nil
        }
        var writer = RTCPWriter(into: laneRTCPMemory(packet, lane))
        _ = writer.addReceiverReport(ssrc: lane.pointee.peer.raw)
        return (packet, writer)
    }

    /// Seals and queues a compound; takes over `packet`.
    private mutating func finish(_ packet: Mbuf, _ writer: RTCPWriter, _ lane: UnsafeMutablePointer<Lane>) {
        // All indices of the present key are used: control gives another each hour.
        guard let transform = lane.pointee.send, writer.count > 0, lane.pointee.rtcpIndex < LaneFormat.indexMask else {
            return packet.free()
        }
        let offset = lane.pointee.template.length
        let index = LaneFormat.rtcpIndex(lane.pointee.rtcpIndex, phase: lane.pointee.sendPhase)
        let length = engine.sealRTCP(
            transform, (packet.data + offset).assumingMemoryBound(to: UInt8.self), writer.count, index: index)
        lane.pointee.rtcpIndex &+= 1
        guard packet.setLength(offset + length) else { return packet.free() }
        outbox.add(packet, template: templatePointer(lane), payloadLength: length, offload: queue.offload)
    }
}
