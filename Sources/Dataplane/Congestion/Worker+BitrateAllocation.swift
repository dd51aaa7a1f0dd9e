import Mailbox
import Wire

/// Shares what a Session's path carries among its Slots: sound first, then screens, then tiles, the larger ones first.
extension Worker where Queue: ~Copyable {
    /// What a Session's Slots would take.
    private struct Demand {
        /// Of the sounds, bits/s, and of those among them that can be repeated.
        var sound: UInt64 = 0
        var repeatableSound: UInt64 = 0
        /// Of the pictures that are shown, bits/s.
        var shown: UInt64 = 0
        /// Ladders in `scratch`.
        var ladders = 0
        /// Something is sent without a transport-wide number, so that nothing is known of it.
        var isUnnumbered = false
    }

    /// Shares bitrates where it is due.
    mutating func shareBitrates(of session: UnsafeMutablePointer<Session>, now: UInt64) {
        guard let congestion = session.pointee.congestion, congestion.pointee.isDue(now: now) else { return }
        pausedSlots &-= congestion.pointee.paused
        defer { pausedSlots &+= congestion.pointee.paused }
        let demand = demand(of: session, now: now)
        guard !demand.isUnnumbered else {
            congestion.pointee.shareUnlimited(now: now)
            return grant(.unlimited, to: session, now: now)
        }
        let tiles = UnsafeMutableBufferPointer(start: scratch.ladders, count: demand.ladders)
        congestion.pointee.share(
            tiles, sound: demand.sound, repeatable: demand.repeatableSound, now: now)
        let target = congestion.pointee.estimator.allowance
        let isCut = target < (demand.sound &+ demand.shown) &* CongestionConstants.cutFactor >> 8
        for tile in tiles {
            let slot = slots.element(at: Int(tile.slot))
            let grant = tile.choice.map { LayerGrant(layer: $0) } ?? (tile.count == 0 ? .lowest : .none)
            guard grant != slot.pointee.grant else { continue }
            set(grant, of: slot, isCut: isCut && tile.isLowered, now: now)
        }
    }

    /// Of all its Slots.
    mutating func grant(_ grant: LayerGrant, to session: UnsafeMutablePointer<Session>, now: UInt64) {
        var index = session.pointee.firstSlot
        while index != Link.none {
            let slot = slots.element(at: Int(index))
            index = slot.pointee.nextOfSession
            guard slot.pointee.kind.isVideo, slot.pointee.grant != grant else { continue }
            set(grant, of: slot, isCut: false, now: now)
        }
    }

    /// `isCut`: what is shown stops at once instead of going on until the keyframe of what comes next.
    private mutating func set(_ grant: LayerGrant, of slot: UnsafeMutablePointer<Slot>, isCut: Bool, now: UInt64) {
        // What came before is sent by what was granted then.
        distribute()
        slot.pointee.grant = grant
        if isCut { cut(slot) }
        refreshTarget(of: slot, now: now)
    }

    /// A Slot shows another Track (`isNew`) or in another size. What it may show is known with the next sharing, which is
    /// for all that changed in a while.
    func noteChange(of slot: UnsafeMutablePointer<Slot>, isNew: Bool) {
        guard slot.pointee.kind.isVideo else { return }
        let session = sessions.element(at: slot.pointee.session.index)
        guard let congestion = session.pointee.congestion else {
            slot.pointee.grant = .unlimited
            return
        }
        congestion.pointee.noteChange()
        slabs.sessionsDue[slot.pointee.session.index] = 0
        if isNew { slot.pointee.grant = congestion.pointee.firstGrant }
    }

    private func demand(of session: UnsafeMutablePointer<Session>, now: UInt64) -> Demand {
        var demand = Demand()
        var index = session.pointee.firstSlot
        while index != Link.none {
            let slot = slots.element(at: Int(index))
            index = slot.pointee.nextOfSession
            guard let track = tracks.find(slot.pointee.track) else { continue }
            guard slot.pointee.kind.isVideo else {
                let rate = UInt64(track.pointee.layers[0].rate.bitsPerSecond)
                demand.sound &+= rate
                if slot.pointee.types.hasRed { demand.repeatableSound &+= rate }
                continue
            }
            if !slot.pointee.types.hasRtx { demand.isUnnumbered = true }
            if let layer = slot.pointee.current { demand.shown &+= UInt64(rate(of: Int(layer), track)) }
            guard demand.ladders < WorkerScratch.mostLadders else { continue }
            (scratch.ladders + demand.ladders).initialize(to: ladder(of: slot, track, now: now))
            demand.ladders &+= 1
        }
        return demand
    }

    private func rate(of layer: Int, _ track: UnsafeMutablePointer<Track>) -> UInt32 {
        track.pointee.layers[layer].rate.orUsual(height: track.pointee.layers[layer].height)
    }

    /// What a Slot could show, the smallest first.
    private func ladder(
        of slot: UnsafeMutablePointer<Slot>, _ track: UnsafeMutablePointer<Track>, now: UInt64
    ) -> BitrateLadder {
        var ladder = BitrateLadder(
            slot: UInt32(truncatingIfNeeded: slot.pointee.handle.index), rank: slot.pointee.kind == .screen ? 0 : 1,
            height: slot.pointee.maxHeight, isFresh: slot.pointee.grant == .awaited)
        let available = track.pointee.availableLayers(now: now)
        guard let best = track.pointee.layer(fitting: slot.pointee.maxHeight, among: available) else { return ladder }
        var height: UInt16 = 0
        while let layer = lowest(above: height, of: track, among: available) {
            let isBest = track.pointee.layers[layer].height >= track.pointee.layers[best].height
            let step = isBest ? best : layer
            ladder.add(
                UInt8(truncatingIfNeeded: step), rate: rate(of: step, track), isShown: slot.pointee.grant.layer == step)
            guard !isBest else { break }
            height = track.pointee.layers[layer].height
        }
        return ladder
    }

    /// The lowest of the layers that are higher than so many pixels.
    private func lowest(above height: UInt16, of track: UnsafeMutablePointer<Track>, among layers: LayerSet) -> Int? {
        var found: Int?
        for index in 0..<track.pointee.layerCount where layers.contains(UInt8(truncatingIfNeeded: index)) {
            guard track.pointee.layers[index].height > height else { continue }
            if let present = found, track.pointee.layers[present].height <= track.pointee.layers[index].height {
                continue
            }
            found = index
        }
        return found
    }
}
