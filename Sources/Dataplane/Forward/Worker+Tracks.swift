import Mailbox
import Wire

/// Opening, closing, feeding and mapping Tracks and Slots.
extension Worker where Queue: ~Copyable {
    mutating func openTrack(_ open: OpenTrack, now: UInt64) {
        let session = open.source.session.flatMap { sessions.find($0) }
        guard open.source.session == nil || session != nil else { return counters.drop(.staleHandle) }
        guard let place = tracks.emplace(open.track) else { return counters.drop(.tableFull) }
        place.initialize(to: Track(open, caches: slabs.caches(open.track.index)))
        if let lane = open.source.lane, !link(place, to: lane) {
            _ = tracks.remove(open.track)
            return counters.drop(.staleHandle)
        }
        if let session {
            place.pointee.nextOfSession = session.pointee.firstTrack
            session.pointee.firstTrack = UInt32(open.track.index)
            // A publisher whom nobody looks at hears that too, unless somebody does soon.
            place.pointee.sinks.isUntold = open.kind.isVideo
            place.pointee.sinks.toldAt = now
        }
    }

    mutating func closeTrack(_ handle: TrackHandle) {
        guard let track = tracks.find(handle) else { return counters.drop(.staleHandle) }
        // Packets that wait to be sealed read from its cache.
        flush()
        while track.pointee.sinks.firstSlot != Link.none {
            unmap(slots.element(at: Int(track.pointee.sinks.firstSlot)))
        }
        while track.pointee.sinks.firstCrossing != Link.none {
            closeCrossing(cascade.crossings.handle(at: Int(track.pointee.sinks.firstCrossing)))
        }
        if let lane = track.pointee.source.lane.flatMap({ cascade.lanes.find($0) }) {
            unlink(track, from: &lane.pointee.firstTrack)
        }
        while track.pointee.sinks.firstTap != Link.none { closeTap(taps.handle(at: Int(track.pointee.sinks.firstTap))) }
        for layer in 0..<track.pointee.layerCount { emptyCache(track, layer: layer) }
        if let handle = track.pointee.source.session, let session = sessions.find(handle) {
            closeStreams(of: UInt32(track.pointee.handle.index), session: session)
            unlink(track, from: &session.pointee.firstTrack)
        }
        _ = tracks.remove(handle)
        tell(.trackClosed(handle))
    }

    /// Takes a Track out of the list of its Session or Lane, which begins at `first`.
    private func unlink(_ track: UnsafeMutablePointer<Track>, from first: inout UInt32) {
        let index = UInt32(track.pointee.handle.index)
        guard first != index else {
            first = track.pointee.nextOfSession
            return
        }
        var previous = first
        while previous != Link.none {
            let candidate = tracks.element(at: Int(previous))
            if candidate.pointee.nextOfSession == index {
                candidate.pointee.nextOfSession = track.pointee.nextOfSession
                return
            }
            previous = candidate.pointee.nextOfSession
        }
    }

    /// Frees what a layer's cache keeps; nothing may wait to be sealed.
    mutating func emptyCache(_ track: UnsafeMutablePointer<Track>, layer: Int) {
        var cursor = 0
        while let packet = track.pointee.layers[layer].cache.removeAny(from: &cursor) {
            cachedPackets &-= 1
            packet.free()
        }
    }

    mutating func feed(_ handle: TrackHandle, replica: TrackHandle) {
        guard let track = tracks.find(handle), !track.pointee.isReplica, replica.worker < siblings.count,
            replica.worker != configuration.number
        else { return counters.drop(.staleHandle) }
        // All, until its worker says what is wanted there.
        setSibling(replica.worker, replica, track.pointee.allLayers, of: track)
        announceLayers(of: track)
        tellClocks(of: track)
    }

    mutating func unfeed(_ handle: TrackHandle, replica: TrackHandle) {
        // The Track may be gone already, with its publisher.
        guard let track = tracks.find(handle), replica.worker < siblings.count,
            track.pointee.sinks.siblings.replica(replica.worker) == replica
        else { return }
        setSibling(replica.worker, .none, LayerSet(), of: track)
    }

    mutating func openSlot(_ open: OpenSlot) {
        guard let session = sessions.find(open.session) else { return counters.drop(.staleHandle) }
        var slot = Slot(open, entropy: random.next())
        slot.nextOfSession = session.pointee.firstSlot
        guard slots.insert(open.slot, slot) else { return counters.drop(.tableFull) }
        session.pointee.firstSlot = UInt32(open.slot.index)
    }

    mutating func closeSlot(_ handle: SlotHandle) {
        guard let slot = slots.find(handle) else { return counters.drop(.staleHandle) }
        unmap(slot)
        if let session = sessions.find(slot.pointee.session) {
            forgetName(of: slot, session)
            forgetLosses(of: slot, session)
            unlink(slot, from: session)
        }
        _ = slots.remove(handle)
        tell(.slotClosed(handle))
    }

    private func unlink(_ slot: UnsafeMutablePointer<Slot>, from session: UnsafeMutablePointer<Session>) {
        let index = UInt32(slot.pointee.handle.index)
        if session.pointee.firstSlot == index {
            session.pointee.firstSlot = slot.pointee.nextOfSession
            return
        }
        var previous = session.pointee.firstSlot
        while previous != Link.none {
            let candidate = slots.element(at: Int(previous))
            if candidate.pointee.nextOfSession == index {
                candidate.pointee.nextOfSession = slot.pointee.nextOfSession
                return
            }
            previous = candidate.pointee.nextOfSession
        }
    }

    /// Puts a Track into a Slot, takes it out, or changes the tile's size.
    mutating func mapSlot(_ map: MapSlot, now: UInt64) {
        guard let slot = slots.find(map.slot) else { return counters.drop(.staleHandle) }
        slot.pointee.maxHeight = map.maxHeight
        if slot.pointee.track != map.track {
            unmap(slot)
            guard !map.track.isNone else { return }
            guard let track = tracks.find(map.track) else { return counters.drop(.staleHandle) }
            let index = UInt32(map.slot.index)
            slot.pointee.track = map.track
            slot.pointee.types = slot.pointee.payloadTypes[track.pointee.codec]
            slot.pointee.previous = Link.none
            slot.pointee.next = track.pointee.sinks.firstSlot
            slot.pointee.ahead = index
            for _ in 0..<Slot.aheadDistance { slot.pointee.ahead = following(slot.pointee.ahead) }
            if track.pointee.sinks.firstSlot != Link.none {
                slots.element(at: Int(track.pointee.sinks.firstSlot)).pointee.previous = index
            }
            setFirstSlot(index, of: track)
        }
        noteChange(of: slot, isNew: slot.pointee.current == nil)
        refreshTarget(of: slot, now: now)
    }

    /// Takes the Track out of a Slot; what was sent stays the start of what comes next.
    private mutating func unmap(_ slot: UnsafeMutablePointer<Slot>) {
        guard let track = tracks.find(slot.pointee.track) else { return }
        // Those before it look one further ahead.
        var before = slot.pointee.previous
        for _ in 0..<Slot.aheadDistance where before != Link.none {
            let place = slots.element(at: Int(before))
            place.pointee.ahead = following(place.pointee.ahead)
            before = place.pointee.previous
        }
        if slot.pointee.previous != Link.none {
            slots.element(at: Int(slot.pointee.previous)).pointee.next = slot.pointee.next
        }
        let isFirst = slot.pointee.previous == Link.none
        if slot.pointee.next != Link.none {
            slots.element(at: Int(slot.pointee.next)).pointee.previous = slot.pointee.previous
        }
        setFirstSlot(isFirst ? slot.pointee.next : track.pointee.sinks.firstSlot, of: track)
        // Of whom it showed nothing more may come.
        takeBack(slot)
        slot.pointee.track = .none
        slot.pointee.next = Link.none
        slot.pointee.ahead = Link.none
        slot.pointee.previous = Link.none
        slot.pointee.target = nil
        slot.pointee.current = nil
        slot.pointee.endPause()
    }

    /// The list of a Track's Slots begins with this one.
    private func setFirstSlot(_ first: UInt32, of track: UnsafeMutablePointer<Track>) {
        let second = following(first)
        track.pointee.sinks.leading = (first, second, following(second))
    }

    /// The index of the Slot that follows in the Track's list.
    func following(_ index: UInt32) -> UInt32 {
        index == Link.none ? Link.none : slots.element(at: Int(index)).pointee.next
    }
}
