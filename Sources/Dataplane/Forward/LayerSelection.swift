import Mailbox
import Wire

/// Which layer each Slot should show: at present by the size of the tile alone; the receiver's bandwidth has its place
/// in `refreshTarget`.
extension Worker where Queue: ~Copyable {
    /// How often all Slots of a Track are looked at when nothing changed: for those who wait for a keyframe that was
    /// lost, ns.
    static var choiceInterval: UInt64 { 1_000_000_000 }

    /// Looks at all Slots of a Track again: a layer came up or fell silent. `startingKeyframe`: the layer whose keyframe
    /// starts just now, which nobody needs to ask for.
    mutating func selectLayers(of track: UnsafeMutablePointer<Track>, now: UInt64, startingKeyframe: Int? = nil) {
        // What came before is sent by what was chosen then.
        distribute()
        track.pointee.chosenBy = track.pointee.choices
        track.pointee.choiceDue = now &+ Self.choiceInterval
        var index = track.pointee.firstSlot
        while index != Link.none {
            let slot = slots.element(at: Int(index))
            refreshTarget(of: slot, now: now, startingKeyframe: startingKeyframe)
            index = slot.pointee.next
        }
    }

    /// Sets the Slot's target, and asks for the keyframe that it needs to get there.
    mutating func refreshTarget(of slot: UnsafeMutablePointer<Slot>, now: UInt64, startingKeyframe: Int? = nil) {
        guard let track = tracks.find(slot.pointee.track) else { return }
        guard let layer = track.pointee.layer(fitting: slot.pointee.maxHeight) else { return }
        slot.pointee.target = UInt8(layer)
        if slot.pointee.current != slot.pointee.target && layer != startingKeyframe {
            requestKeyframe(slot.pointee.track, layer: layer, now: now)
        }
    }

    /// What is due for a Track now and then; called about 50 times a second.
    mutating func tickTrack(_ track: UnsafeMutablePointer<Track>, now: UInt64) {
        if track.pointee.kind == .audio {
            let arrival = track.pointee.layers[0].lastArrival
            if !track.pointee.isReplica, let level = track.pointee.loudness.report(now: now, lastArrival: arrival) {
                tell(.audioLevel(track.pointee.handle, level: level))
            }
            return
        }
        // 1,000 viewers of 50 Tracks are too many to look at them each time.
        if now >= track.pointee.choiceDue || track.pointee.choices != track.pointee.chosenBy {
            selectLayers(of: track, now: now)
        }
        for layer in 0..<track.pointee.layerCount where track.pointee.layers[layer].isStarted {
            if track.pointee.layerCount > 1 && !track.pointee.layers[layer].isActive(now: now) {
                // Nobody waits for a layer that is not sent any more.
                track.pointee.layers[layer].needsKeyframe = false
            }
            askForKeyframe(track, layer: layer, now: now)
            if track.pointee.layers[layer].missing.count > 0 { sendNack(track, layer: layer, now: now) }
            expirePackets(track, layer: layer, now: now)
        }
    }

    /// Gives up the packets that are too old to be asked for: at once, those out of order within 10 s.
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
