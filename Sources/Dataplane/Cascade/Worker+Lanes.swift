import Mailbox
import Wire

/// Opening and closing Lanes, their Tracks and Crossings.
extension Worker where Queue: ~Copyable {
    /// What comes from this address belongs to Lanes from now on.
    mutating func openTrunk(_ remote: Endpoint) {
        guard cascade.isEnabled, flows.insert(flowKey(remote), Cascade.trunk) else {
            return counters.drop(.flowTableFull)
        }
    }

    mutating func closeTrunk(_ remote: Endpoint) {
        if flows.find(flowKey(remote)) == Cascade.trunk { _ = flows.remove(flowKey(remote)) }
    }

    mutating func openLane(_ open: OpenLane, now: UInt64) {
        guard cascade.isEnabled, open.lane.index < LaneName.capacity, let place = cascade.lanes.emplace(open.lane)
        else {
            return counters.drop(.tableFull)
        }
        let index = open.lane.index
        let keys = install(open.send, at: cascade.transform(index, 2))
        place.initialize(to: Lane(open, history: cascade.history(index), sendKeys: keys))
        let phase = Int(open.receive.phase)
        place.pointee.receive[phase] = install(open.receive, at: cascade.transform(index, phase))
        place.pointee.reportDue = now
        place.pointee.secondDue = now &+ 1_000_000_000
    }

    private func install(_ key: LaneKey, at memory: UnsafeMutableRawPointer) -> SRTPTransform {
        SRTPTransform.install(at: memory, engine: engine, profile: LaneFormat.profile, master: key.master)
    }

    mutating func changeLaneKey(_ change: ChangeLaneKey) {
        guard let lane = cascade.lanes.find(change.lane) else { return counters.drop(.staleHandle) }
        // Packets that wait to be sealed use the old key.
        flush()
        let index = change.lane.index
        if change.isSend {
            lane.pointee.sendKeys.erase()
            lane.pointee.sendKeys = install(change.key, at: cascade.transform(index, 2))
            lane.pointee.sendPhase = change.key.phase
            lane.pointee.rtcpIndex = 0
            if lane.pointee.send != nil { lane.pointee.send = lane.pointee.sendKeys }
        } else {
            let phase = Int(change.key.phase)
            lane.pointee.receive[phase]?.erase()
            lane.pointee.receive[phase] = install(change.key, at: cascade.transform(index, phase))
            lane.pointee.rtcpReplay[phase] = ReplayWindow()
            // What the other phase's key sealed holds until the far end uses this one.
            if lane.pointee.latestPhase == phase {
                lane.pointee.latestPhase = phase ^ 1
                lane.pointee.latestMessage = LaneFormat.indexMask
            }
            lane.pointee.receivePhase = phase
        }
    }

    mutating func closeLane(_ handle: LaneHandle) {
        guard let lane = cascade.lanes.find(handle) else { return counters.drop(.staleHandle) }
        flush()
        while lane.pointee.firstCrossing != Link.none {
            closeCrossing(cascade.crossings.handle(at: Int(lane.pointee.firstCrossing)))
        }
        while lane.pointee.firstTrack != Link.none {
            closeTrack(tracks.handle(at: Int(lane.pointee.firstTrack)))
        }
        lane.pointee.sendKeys.erase()
        for phase in 0..<2 { lane.pointee.receive[phase]?.erase() }
        _ = cascade.lanes.remove(handle)
        tell(.laneClosed(handle))
    }

    /// Links a Track that comes over a Lane; false for a Lane that is gone, or a place that has no name.
    func link(_ track: UnsafeMutablePointer<Track>, to handle: LaneHandle) -> Bool {
        let index = track.pointee.handle.index
        guard let lane = cascade.lanes.find(handle), index < LaneName.capacity else { return false }
        for layer in 0..<Track.maximumLayers {
            cascade.rollover(track: index, layer: layer).pointee = RolloverCounter()
        }
        track.pointee.nextOfSession = lane.pointee.firstTrack
        lane.pointee.firstTrack = UInt32(index)
        return true
    }

    mutating func openCrossing(_ open: OpenCrossing, now: UInt64) {
        guard let lane = cascade.lanes.find(open.lane), let track = tracks.find(open.track), !track.pointee.isReplica
        else { return counters.drop(.staleHandle) }
        let index = open.crossing.index
        guard index <= UInt16.max, let place = cascade.crossings.emplace(open.crossing) else {
            return counters.drop(.tableFull)
        }
        place.initialize(to: Crossing(open))
        guard cascade.note(open.name, of: open.lane, index: index) else {
            _ = cascade.crossings.remove(open.crossing)
            return counters.drop(.tableFull)
        }
        place.pointee.nextOfTrack = track.pointee.sinks.firstCrossing
        track.pointee.sinks.firstCrossing = UInt32(index)
        place.pointee.nextOfLane = lane.pointee.firstCrossing
        lane.pointee.firstCrossing = UInt32(index)
        lane.pointee.hasNews = true
        // Who asks for a sound is about to play it, and what it says of that may have come too early.
        guard !track.pointee.kind.isVideo else { return }
        distribute()
        place.pointee.wanted = track.pointee.allLayers
        reviseCrossed(track)
        want(track.pointee.allLayers, of: track, now: now)
    }

    mutating func closeCrossing(_ handle: CrossingHandle) {
        guard let crossing = cascade.crossings.find(handle) else { return counters.drop(.staleHandle) }
        cascade.forget(crossing.pointee.name, of: crossing.pointee.lane)
        let index = UInt32(handle.index)
        if let track = tracks.find(crossing.pointee.track) {
            removeCrossing(index, from: track)
            reviseCrossed(track)
        }
        if let lane = cascade.lanes.find(crossing.pointee.lane) {
            removeCrossing(index, from: lane)
        }
        _ = cascade.crossings.remove(handle)
        tell(.crossingClosed(handle))
    }

    private func removeCrossing(_ index: UInt32, from track: UnsafeMutablePointer<Track>) {
        let next = cascade.crossings.element(at: Int(index)).pointee.nextOfTrack
        guard track.pointee.sinks.firstCrossing != index else {
            track.pointee.sinks.firstCrossing = next
            return
        }
        var previous = track.pointee.sinks.firstCrossing
        while previous != Link.none {
            let candidate = cascade.crossings.element(at: Int(previous))
            if candidate.pointee.nextOfTrack == index {
                candidate.pointee.nextOfTrack = next
                return
            }
            previous = candidate.pointee.nextOfTrack
        }
    }

    private func removeCrossing(_ index: UInt32, from lane: UnsafeMutablePointer<Lane>) {
        let next = cascade.crossings.element(at: Int(index)).pointee.nextOfLane
        guard lane.pointee.firstCrossing != index else {
            lane.pointee.firstCrossing = next
            return
        }
        var previous = lane.pointee.firstCrossing
        while previous != Link.none {
            let candidate = cascade.crossings.element(at: Int(previous))
            if candidate.pointee.nextOfLane == index {
                candidate.pointee.nextOfLane = next
                return
            }
            previous = candidate.pointee.nextOfLane
        }
    }

    /// What all Crossings of a Track want together.
    func reviseCrossed(_ track: UnsafeMutablePointer<Track>) {
        var wanted = LayerSet()
        var index = track.pointee.sinks.firstCrossing
        while index != Link.none {
            let crossing = cascade.crossings.element(at: Int(index))
            wanted = wanted.union(crossing.pointee.wanted)
            index = crossing.pointee.nextOfTrack
        }
        track.pointee.sinks.crossed = wanted
    }

    /// The next hop toward a Lane's far end; what is sent waits for none.
    mutating func findRoute(_ lane: UnsafeMutablePointer<Lane>, now: UInt64) {
        switch neighbors.nextHop(to: lane.pointee.remote.address, now: now) {
        case .known(let mac, let source):
            lane.pointee.routeDue = now &+ Lane.routeInterval
            // What waits to be sealed lies behind the old headers.
            flush()
            lane.pointee.template = FrameTemplate(
                source: Endpoint(address: source, port: configuration.mediaPort), destination: lane.pointee.remote,
                sourceMAC: neighbors.mac, destinationMAC: mac)
            // It could not be heard.
            if lane.pointee.send == nil { lane.pointee.heardAt = now }
            lane.pointee.send = lane.pointee.sendKeys
        case .pending:
            // The last known one is used meanwhile.
            lane.pointee.routeDue = now &+ Lane.routeRetry
        case .unreachable:
            lane.pointee.routeDue = now &+ Lane.routeRetry
            lane.pointee.send = nil
        }
    }

    /// Where the prebuilt headers of a Lane lie; stable while it is open.
    func templatePointer(_ lane: UnsafeMutablePointer<Lane>) -> UnsafePointer<FrameTemplate> {
        UnsafeRawPointer(lane).assumingMemoryBound(to: FrameTemplate.self)
    }
}
