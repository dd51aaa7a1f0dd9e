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
            let grant = tile.choice.map { LayerGrant(step: $0) } ?? (tile.count == 0 ? .lowest : .none)
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
        slot.pointee.allow(grant)
        // Fewer frames of the same Layer come at once.
        if isCut, grant.layer.map(UInt8.init(truncatingIfNeeded:)) != slot.pointee.current { cut(slot) }
        refreshTarget(of: slot, now: now)
    }

    /// A Slot shows another Track (`isNew`) or in another size. What it may show is known with the next sharing, which is
    /// for all that changed in a while.
    func noteChange(of slot: UnsafeMutablePointer<Slot>, isNew: Bool) {
        guard slot.pointee.kind.isVideo else { return }
        let session = sessions.element(at: slot.pointee.session.index)
        guard let congestion = session.pointee.congestion else {
            slot.pointee.allow(.unlimited)
            return
        }
        congestion.pointee.noteChange()
        slabs.sessionsDue[slot.pointee.session.index] = 0
        if isNew { slot.pointee.allow(congestion.pointee.firstGrant) }
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
            if let layer = slot.pointee.current.map(Int.init) {
                let all = rate(of: layer, track)
                demand.shown &+= UInt64(
                    track.pointee.layers[layer].rate.part(upTo: slot.pointee.temporalLimit, of: all))
            }
            guard demand.ladders < WorkerScratch.mostLadders else { continue }
            (scratch.ladders + demand.ladders).initialize(to: ladder(of: slot, track, now: now))
            demand.ladders &+= 1
        }
        return demand
    }

    private func rate(of layer: Int, _ track: UnsafeMutablePointer<Track>) -> UInt32 {
        track.pointee.layers[layer].rate.orUsual(height: track.pointee.layers[layer].height)
    }

    /// What a Slot could show, the smallest first. Of a camera all frames of a picture come before a larger one; of a screen,
    /// which is to be read, a larger picture before more frames.
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
            let isFirst = height == 0
            add(
                isBest ? best : layer, to: &ladder, isWhole: isBest || slot.pointee.kind != .screen,
                isThinned: slot.pointee.kind == .screen || isFirst, of: slot, track)
            guard !isBest else { break }
            height = track.pointee.layers[layer].height
        }
        return ladder
    }

    /// Adds a Layer's steps: with fewer frames where `isThinned`, with all of them where `isWhole`.
    private func add(
        _ layer: Int, to ladder: inout BitrateLadder, isWhole: Bool, isThinned: Bool,
        of slot: UnsafeMutablePointer<Slot>, _ track: UnsafeMutablePointer<Track>
    ) {
        let all = rate(of: layer, track)
        let granted = slot.pointee.grant.layer == layer ? slot.pointee.grant.temporalLimit : nil
        var below: UInt32 = 0
        if isThinned {
            let shape = temporalShape(of: layer, track)
            let least = all / CongestionConstants.leastTemporalPart
            for limit in 0..<CongestionConstants.temporalSteps {
                let rate = track.pointee.layers[shape].rate.part(upTo: limit, of: all)
                guard rate &- below >= least, all &- rate >= least else { continue }
                if !isWhole, below > 0 { return }
                ladder.add(
                    LayerGrant(layer: layer, upTo: limit).step, rate: rate,
                    isShown: granted.map { $0 >= limit || below == 0 } ?? false, isReversible: below > 0)
                below = rate
            }
        }
        guard isWhole || below == 0 else { return }
        ladder.add(
            LayerGrant(layer: layer, upTo: TemporalLayer.highest).step, rate: all,
            isShown: granted.map { $0 == TemporalLayer.highest || below == 0 } ?? false, isReversible: below > 0)
    }

    /// The Layer whose temporal layers tell those of `layer`: itself, or where nothing comes of it here another one, as
    /// encoders treat them alike.
    private func temporalShape(of layer: Int, _ track: UnsafeMutablePointer<Track>) -> Int {
        if track.pointee.layers[layer].rate.isMeasured { return layer }
        for other in 0..<track.pointee.layerCount where track.pointee.layers[other].rate.isMeasured { return other }
        return layer
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
