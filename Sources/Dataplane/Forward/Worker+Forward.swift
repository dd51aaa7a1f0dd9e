import CDPDK
import Mailbox
import Wire

/// From an opened packet to every Sink of its Track.
extension Worker where Queue: ~Copyable {
    /// Takes over an opened packet with its record: gathers it for the Track's Slots, hands it to replicas, and keeps it
    /// for retransmission.
    mutating func forward(_ packet: Mbuf, track: UnsafeMutablePointer<Track>, now: UInt64) {
        let record = packet.record.pointee
        let layer = Int(record.layer)
        guard layer < track.pointee.layerCount, !track.pointee.layers[layer].cache.hasSeen(record.sequence) else {
            // A duplicate: it came as media and as a retransmission.
            return packet.free()
        }
        // Padding on a layer that has sent no picture yet: encoders probe so before they begin.
        guard record.payloadLength > 0 || track.pointee.layers[layer].isStarted else { return packet.free() }
        // The publisher's SSRC changed: another range of numbers (`Layer.sequenceBase`). A replica learns of it here.
        if track.pointee.layers[layer].isStarted, record.sequence >> 48 != track.pointee.layers[layer].highest >> 48 {
            guard record.sequence > track.pointee.layers[layer].highest else { return packet.free() }
            track.pointee.layers[layer].isStarted = false
            track.pointee.layers[layer].activity = LayerActivity()
            track.pointee.layers[layer].clock = nil
            awaitKeyframe(track, layer: layer)
        }
        noteArrival(record, track: track, layer: layer, now: now)
        if track.pointee.sinks.handedOver.contains(record.layer) { handOver(packet, layer: record.layer, of: track) }
        keep(packet, record, track: track, layer: layer)
        // Without a look at each Slot, as of a camera's layers most are shown to few.
        if track.pointee.sinks.isWanted(record.layer) {
            fanOut.add(packet, layer: record.layer, to: track)
            if fanOut.isFull { distribute() }
        }
    }

    /// Sends what was gathered to the Slots of its Tracks.
    mutating func distribute() {
        let trackCount = fanOut.trackCount
        guard trackCount > 0 else { return }
        for place in 0..<min(trackCount, 3) { prefetchSlots(ofTrackAt: place) }
        for place in 0..<min(trackCount, 2) { prefetchSessions(ofTrackAt: place) }
        prefetchKeys(ofTrackAt: 0)
        for place in 0..<trackCount {
            if place &+ 3 < trackCount { prefetchSlots(ofTrackAt: place &+ 3) }
            if place &+ 2 < trackCount { prefetchSessions(ofTrackAt: place &+ 2) }
            if place &+ 1 < trackCount { prefetchKeys(ofTrackAt: place &+ 1) }
            let (track, layers, count) = fanOut.take(at: place)
            if track.pointee.sinks.firstCrossing != Link.none { sendToLanes(fanOut.run, count, of: track) }
            var first = 0
            while first < count {
                let length = min(runLength, count &- first)
                distribute(fanOut.run + first, length, layers, of: track)
                first &+= length
            }
        }
        fanOut.removeAll()
    }

    // The first Slots of a Track, in three steps while those before it are served: in small meetings they are most of all, and a
    // burst has a packet each of many Tracks.

    @inline(__always)
    private func prefetchSlots(ofTrackAt place: Int) {
        let leading = fanOut.tracks[place].pointee.sinks.leading
        if leading.first != Link.none { prefetch(slots.element(at: Int(leading.first)), lines: 2) }
        if leading.second != Link.none { prefetch(slots.element(at: Int(leading.second)), lines: 2) }
        if leading.third != Link.none { prefetch(slots.element(at: Int(leading.third)), lines: 2) }
    }

    @inline(__always)
    private func prefetchSessions(ofTrackAt place: Int) {
        let track = fanOut.tracks[place]
        let (leading, layers) = (track.pointee.sinks.leading, track.pointee.gatheredLayers)
        if leading.first != Link.none { prefetchSession(of: slots.element(at: Int(leading.first)), layers) }
        if leading.second != Link.none { prefetchSession(of: slots.element(at: Int(leading.second)), layers) }
        if leading.third != Link.none { prefetchSession(of: slots.element(at: Int(leading.third)), layers) }
    }

    @inline(__always)
    private func prefetchKeys(ofTrackAt place: Int) {
        let track = fanOut.tracks[place]
        let (leading, layers) = (track.pointee.sinks.leading, track.pointee.gatheredLayers)
        if leading.first != Link.none { prefetchKeys(of: slots.element(at: Int(leading.first)), layers) }
        if leading.second != Link.none { prefetchKeys(of: slots.element(at: Int(leading.second)), layers) }
    }

    /// Packets of a Track that a Slot gets before the next Slot's turn. With longer runs the last Slot would wait longer for
    /// its first packet; with a port that wants large bursts a burst is one receiver's.
    private var runLength: Int { queue.transmitBurst / 2 }

    /// Sends a run of `count` packets to the Track's Slots, one Slot after the other; benchmarks/README.md compares that with
    /// one packet after the other. The state of Slots further down the list is prefetched; `layers`: the packets', by bits.
    private mutating func distribute(
        _ run: UnsafeMutablePointer<Mbuf>, _ count: Int, _ layers: UInt8, of track: UnsafeMutablePointer<Track>
    ) {
        var index = track.pointee.sinks.leading.first
        var second = track.pointee.sinks.leading.third
        var third = following(second)
        while index != Link.none {
            let slot = slots.element(at: Int(index))
            let ahead = slot.pointee.ahead
            if ahead != Link.none { prefetch(slots.element(at: Int(ahead)), lines: 2) }
            if third != Link.none { prefetchSession(of: slots.element(at: Int(third)), layers) }
            if second != Link.none { prefetchKeys(of: slots.element(at: Int(second)), layers) }
            index = slot.pointee.next
            second = third
            third = ahead
            send(run, count, to: slot, of: track)
        }
    }

    @inline(__always)
    func prefetch<Value>(_ value: UnsafeMutablePointer<Value>, lines: Int) {
        for line in 0..<lines { cpu_prefetch(UnsafeRawPointer(value) + line &* 64) }
    }

    /// Whether it shows one of the `layers`, by bits.
    @inline(__always)
    private func shows(_ slot: UnsafeMutablePointer<Slot>, _ layers: UInt8) -> Bool {
        guard let current = slot.pointee.current else { return false }
        return layers &>> current & 1 != 0
    }

    @inline(__always)
    private func prefetchSession(of slot: UnsafeMutablePointer<Slot>, _ layers: UInt8) {
        guard shows(slot, layers) else { return }
        let index = slot.pointee.session.index
        prefetch(sessions.element(at: index), lines: 2)
        SRTPTransform(base: slabs.transform(index, isSend: true)).prefetch()
    }

    @inline(__always)
    private func prefetchKeys(of slot: UnsafeMutablePointer<Slot>, _ layers: UInt8) {
        guard shows(slot, layers) else { return }
        let index = slot.pointee.session.index
        SRTPTransform(base: slabs.transform(index, isSend: true)).prefetchRTPKeys()
        slabs.prefetchCongestion(index, number: sessions.element(at: index).pointee.transportSequence)
    }

    /// A packet that a sibling worker opened, for the Track's replica here.
    mutating func ingestReplica(_ packet: Mbuf, into replica: TrackHandle, now: UInt64) {
        guard let track = tracks.find(replica) else { return drop(packet, .staleHandle) }
        forward(packet, track: track, now: now)
    }

    /// Layer state that every new packet moves: what is missing, loudness, resolution, liveness.
    private mutating func noteArrival(
        _ record: PacketRecord, track: UnsafeMutablePointer<Track>, layer: Int, now: UInt64
    ) {
        track.pointee.layers[layer].rate.note(payload: record.payloadLength, of: record.temporal)
        let wasActive = record.payloadLength == 0 || track.isActive(layer)
        var wasStill = false
        if record.payloadLength > 0 {
            wasStill = track.notePicture(layer, timestamp: record.timestamp, now: now) && track.pointee.kind.isVideo
        }
        if !wasActive { track.pointee.noteSent(layer) }
        if record.audioLevel != 0xff { track.pointee.loudness.note(record.audioLevel) }
        if record.startsKeyframe, record.height != 0 { track.pointee.note(height: record.height, of: layer) }
        if !track.pointee.layers[layer].isStarted {
            track.pointee.layers[layer].isStarted = true
            track.pointee.layers[layer].highest = record.sequence
            tell(.layerStarted(track.pointee.handle, layer: UInt8(layer)))
        } else if record.sequence > track.pointee.layers[layer].highest {
            noteGap(record, track: track, layer: layer, now: now)
        } else {
            track.pointee.layers[layer].missing.remove(record.sequence)
        }
        // What was asked for in vain may come now.
        if wasStill { track.pointee.keyframes.resume() }
        if !wasActive || wasStill {
            selectLayers(of: track, now: now, startingKeyframe: record.startsKeyframe ? layer : nil)
        }
        if record.startsKeyframe {
            track.pointee.layers[layer].needsKeyframe = false
            track.pointee.layers[layer].missing.noteKeyframe(at: record.sequence)
            track.pointee.keyframes.noteKeyframe()
        }
    }

    private mutating func noteGap(
        _ record: PacketRecord, track: UnsafeMutablePointer<Track>, layer: Int, now: UInt64
    ) {
        let expected = track.pointee.layers[layer].highest &+ 1
        track.pointee.layers[layer].highest = record.sequence
        guard record.sequence > expected, track.pointee.kind.isVideo else { return }
        if track.pointee.isReplica {
            // The worker of its source asks.
            guard record.sequence &- expected > UInt64(MissingPackets.capacity) else { return }
        } else {
            guard !track.pointee.layers[layer].missing.add(from: expected, to: record.sequence, now: now) else {
                return
            }
            // Over a Lane another source of the publisher's shows but as a gap; its timestamps are of another clock.
            if track.pointee.source.lane != nil { track.pointee.layers[layer].clock = nil }
            requestKeyframe(track.pointee.handle, layer: layer, isOwn: true, now: now)
        }
        // Receivers that get nothing before the keyframe see no gap: some would wait for what never comes.
        if !track.pointee.feedback.isDisjoint(with: [.pli, .fir]) { awaitKeyframe(track, layer: layer) }
    }

    /// Whether the Slot shows this packet's layer; changes to it at a keyframe when it should.
    @inline(__always)
    mutating func admit(
        _ record: UnsafePointer<PacketRecord>, to slot: UnsafeMutablePointer<Slot>,
        of track: UnsafeMutablePointer<Track>
    ) -> Bool {
        if slot.pointee.current == record.pointee.layer {
            let sequence = record.pointee.sequence
            guard slot.pointee.rewriter.leaps(to: sequence) else { return slot.pointee.rewriter.admits(sequence) }
            slot.pointee.current = nil
            track.pointee.choiceDue = 0
        }
        guard slot.pointee.target == record.pointee.layer,
            record.pointee.startsKeyframe || slot.pointee.kind == .audio
        else { return false }
        return change(slot, to: record, of: track)
    }

    /// The Slot shows the packet's layer from now on, unless its Session has no keys.
    @inline(never)
    private mutating func change(
        _ slot: UnsafeMutablePointer<Slot>, to record: UnsafePointer<PacketRecord>,
        of track: UnsafeMutablePointer<Track>
    ) -> Bool {
        guard let session = sessions.find(slot.pointee.session), session.pointee.send != nil else { return false }
        if slot.pointee.rewriter.present.track != track.pointee.handle.raw { session.pointee.reportsDue = 0 }
        slabs.sessionsDue[slot.pointee.session.index] = min(
            slabs.sessionsDue[slot.pointee.session.index], session.pointee.reportsDue)
        slot.pointee.rewriter.begin(
            track: track.pointee.handle.raw, layer: record.pointee.layer, record: record.pointee,
            clockRate: track.pointee.codec.clockRate, clock: track.pointee.layers[Int(record.pointee.layer)].clock,
            upTo: slot.pointee.temporalLimit)
        slot.pointee.isThinned = slot.pointee.temporalLimit < TemporalLayer.highest
        slot.pointee.current = record.pointee.layer
        slot.pointee.endPause()
        awaitName(of: slot, session)
        tell(
            .slotSwitched(
                slot.pointee.handle, track: track.pointee.handle, layer: record.pointee.layer,
                timestamp: record.pointee.timestamp &+ slot.pointee.rewriter.present.timestampDelta))
        return true
    }

    /// Gives each Sink beside the Slots that wants the packet's layer a reference.
    @inline(never)
    private mutating func handOver(_ packet: Mbuf, layer: UInt8, of track: UnsafeMutablePointer<Track>) {
        if track.pointee.sinks.siblings.count > 0 { feedSiblings(packet, layer: layer, of: track) }
        if track.pointee.sinks.firstTap != Link.none { feedTaps(packet, of: track) }
    }

    private func feedSiblings(_ packet: Mbuf, layer: UInt8, of track: UnsafeMutablePointer<Track>) {
        for worker in 0..<siblings.count where track.pointee.sinks.siblings.layers(worker).contains(layer) {
            let replica = track.pointee.sinks.siblings.replica(worker)
            packet.retain()
            if siblings.hand(.media(packet, replica), to: worker) {
                counters.add(.handoverPackets)
            } else {
                counters.drop(.handoverFull)
                packet.free()
            }
        }
    }

    /// Keeps a video packet for NACKs; of an audio packet only the mark where nobody gets it again, neither another PoP nor a
    /// receiver that loses some. A Layer that nobody wants any more is kept too: what comes late of it may be asked for.
    private mutating func keep(
        _ packet: Mbuf, _ record: PacketRecord, track: UnsafeMutablePointer<Track>, layer: Int
    ) {
        let isAskedFor =
            track.pointee.kind.isVideo || track.pointee.sinks.firstCrossing != Link.none
            || record.arrival < track.pointee.repeatedUntil
        let isKept = isAskedFor && cachedPackets < configuration.cacheBudget
        let evicted = track.pointee.layers[layer].cache.insert(record.sequence, isKept ? packet : nil)
        if isKept { cachedPackets &+= 1 } else { outbox.retire(packet) }
        if let evicted {
            cachedPackets &-= 1
            outbox.retire(evicted)
        }
    }
}
