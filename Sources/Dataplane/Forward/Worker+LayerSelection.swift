import Mailbox
import Wire

/// Which layer each Slot should show, by the height of its tile and the layers that are sent.
extension Worker where Queue: ~Copyable {
    /// How often all Slots of a Track are looked at when nothing changed: for those who wait for a keyframe that was
    /// lost, ns.
    static var choiceInterval: UInt64 { 1_000_000_000 }
    /// Likewise of a Track whose publisher is elsewhere: what nobody looks at any more soon need not cross.
    static var choiceIntervalOfCopies: UInt64 { 200_000_000 }

    /// Looks at all Slots of a Track again: a layer came up or fell silent. `startingKeyframe`: the layer whose keyframe
    /// starts just now, which nobody needs to ask for.
    mutating func selectLayers(of track: UnsafeMutablePointer<Track>, now: UInt64, startingKeyframe: Int? = nil) {
        // What came before is sent by what was chosen then.
        distribute()
        track.pointee.chosenBy = track.pointee.choices
        track.pointee.choiceDue =
            now &+ (track.pointee.source.session == nil ? Self.choiceIntervalOfCopies : Self.choiceInterval)
        let sent = track.pointee.sentLayers
        track.pointee.lowestLayer = UInt8(truncatingIfNeeded: track.pointee.layer(fitting: 0, among: sent) ?? 0)
        var wanted = LayerSet()
        var index = track.pointee.sinks.firstSlot
        while index != Link.none {
            let slot = slots.element(at: Int(index))
            refreshTarget(
                of: slot, on: track, sent: sent, isOwn: true, now: now, startingKeyframe: startingKeyframe)
            wanted = wanted.union(slot.pointee.wanted)
            index = slot.pointee.next
        }
        askForKeyframes(track, now: now)
        reviseWanted(slots: wanted, of: track, now: now)
    }

    /// Sets the Slot's target, and asks for the keyframe that it needs to get there.
    mutating func refreshTarget(of slot: UnsafeMutablePointer<Slot>, now: UInt64) {
        guard let track = tracks.find(slot.pointee.track) else { return }
        refreshTarget(of: slot, on: track, sent: track.pointee.sentLayers, isOwn: false, now: now)
        askForKeyframes(track, now: now)
    }

    private mutating func refreshTarget(
        of slot: UnsafeMutablePointer<Slot>, on track: UnsafeMutablePointer<Track>, sent: LayerSet, isOwn: Bool,
        now: UInt64, startingKeyframe: Int? = nil
    ) {
        guard !slot.pointee.grant.isNothing else { return pause(slot) }
        let height = height(of: slot, on: track)
        // Wanted whether it is sent or not: a publisher may have stopped it because nobody did.
        let best = track.pointee.layer(fitting: height, among: track.pointee.allLayers) ?? 0
        slot.pointee.best = UInt8(truncatingIfNeeded: best)
        let layer = track.pointee.layer(fitting: height, among: sent)
        if let layer { slot.pointee.target = UInt8(truncatingIfNeeded: layer) }
        // Before the request for a keyframe, which takes the same way.
        want(slot.pointee.wanted, of: track, now: now)
        guard let layer, slot.pointee.current != slot.pointee.target, layer != startingKeyframe else { return }
        // Who can be sent nothing needs no keyframe. A Slot never outlives its Session.
        guard sessions.element(at: slot.pointee.session.index).pointee.send != nil else { return }
        // Who sees nothing is helped at once, who could see a better layer when there is time.
        guard !isOwn || mayHopeForKeyframe(of: track, layer: layer, now: now) else { return }
        let isShown = slot.pointee.current.map { sent.contains($0) } ?? false
        needKeyframe(of: track, layer: layer, isOwn: isOwn && isShown, now: now)
    }

    /// Pixels: of the tile, or what there is bandwidth for.
    private func height(of slot: UnsafeMutablePointer<Slot>, on track: UnsafeMutablePointer<Track>) -> UInt16 {
        if slot.pointee.grant == .unlimited { return slot.pointee.maxHeight }
        guard let layer = slot.pointee.grant.layer else { return 0 }
        return min(slot.pointee.maxHeight, track.pointee.layers[layer].height)
    }

    /// Shows nothing, for want of bandwidth; what was shown stays the start of what comes next.
    private mutating func pause(_ slot: UnsafeMutablePointer<Slot>) {
        if slot.pointee.current != nil { cut(slot) }
        slot.pointee.target = nil
    }

    /// What is due for a Track now and then; called about 50 times a second.
    mutating func tickTrack(_ track: UnsafeMutablePointer<Track>, now: UInt64) {
        for layer in 0..<track.pointee.layerCount { track.pointee.layers[layer].rate.tick(now: now) }
        if track.pointee.kind == .audio {
            let arrival = track.pointee.layers[0].activity.lastPacket
            if track.pointee.source.session != nil,
                let level = track.pointee.loudness.report(now: now, lastArrival: arrival)
            {
                tell(.audioLevel(track.pointee.handle, level: level))
            }
            expirePackets(track, layer: 0, now: now)
            let isHeard = track.pointee.sinks.firstSlot != Link.none
            return reviseWanted(slots: isHeard ? LayerSet(0) : LayerSet(), of: track, now: now)
        }
        // 1,000 viewers of 50 Tracks are too many to visit in each tick.
        if now >= track.pointee.choiceDue || track.pointee.choices != track.pointee.chosenBy {
            selectLayers(of: track, now: now)
            announceLayers(of: track)
        } else if track.pointee.choicesTold != track.pointee.chosenBy {
            announceLayers(of: track)
        }
        for layer in 0..<track.pointee.layerCount
        where track.pointee.layers[layer].isStarted || track.pointee.layers[layer].needsKeyframe {
            if !mayHopeForKeyframe(of: track, layer: layer, now: now) {
                track.pointee.layers[layer].needsKeyframe = false
            }
            if track.pointee.layers[layer].missing.count > 0 { sendNack(track, layer: layer, now: now) }
            expirePackets(track, layer: layer, now: now)
        }
        askForKeyframes(track, now: now)
    }

    /// Drops packets that are too old to be retransmitted: those in order at once, stragglers within 10 s.
    private mutating func expirePackets(_ track: UnsafeMutablePointer<Track>, layer: Int, now: UInt64) {
        let deadline = now > configuration.cacheAge ? now &- configuration.cacheAge : 0
        while let packet = track.pointee.layers[layer].cache.expire(
            before: deadline, upTo: track.pointee.layers[layer].highest)
        {
            giveUp(packet)
        }
        if let packet = track.pointee.layers[layer].cache.expireStraggler(before: deadline) { giveUp(packet) }
    }

    private mutating func giveUp(_ packet: Mbuf) {
        cachedPackets &-= 1
        outbox.retire(packet)
        if outbox.needsFlush { flush() }
    }
}
