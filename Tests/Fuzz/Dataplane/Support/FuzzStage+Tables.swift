import Mailbox
import Wire

@testable import Dataplane

/// What holds between a worker's tables whatever came in.
extension FuzzStage {
    func checkTables() {
        var slots = 0
        var tracks = 0
        var flows = 0
        var sources = 0
        for place in 0..<worker.pointee.sessions.capacity where !worker.pointee.sessions.handle(at: place).isNone {
            let session = worker.pointee.sessions.element(at: place)
            let handle = session.pointee.handle
            require(worker.pointee.sessions.handle(at: place) == handle)
            slots += countSlots(of: session)
            tracks += countTracks(of: session)
            for flow in 0..<session.pointee.flowCount
            where worker.pointee.flows.find(worker.pointee.flowKey(session.pointee.flows[flow])) == handle.raw {
                flows += 1
            }
            for stream in 0..<session.pointee.streams.count {
                let binding = session.pointee.streams[stream]
                let track = worker.pointee.tracks.element(at: Int(binding.track))
                require(!worker.pointee.tracks.handle(at: Int(binding.track)).isNone)
                require(track.pointee.source == .session(handle) && Int(binding.layer) < track.pointee.layerCount)
                let key = FlowKey(
                    remote: Endpoint(address: IPAddress(high: 0, low: UInt64(binding.ssrc)), port: 0), localPort: 0)
                if worker.pointee.sources.find(key) == handle.raw { sources += 1 }
            }
        }
        var kept = 0
        for place in 0..<worker.pointee.tracks.capacity where !worker.pointee.tracks.handle(at: place).isNone {
            let track = worker.pointee.tracks.element(at: place)
            if track.pointee.isReplica { tracks += 1 }
            kept += checkTrack(track)
        }
        tracks += checkLanes()
        // The Trunk's.
        if worker.pointee.flows.find(worker.pointee.flowKey(Ground.farEnd.endpoint)) == Cascade.trunk { flows += 1 }
        require(slots == worker.pointee.slots.count && tracks == worker.pointee.tracks.count)
        require(flows == worker.pointee.flows.count && sources == worker.pointee.sources.count)
        require(kept == worker.pointee.cachedPackets)
    }

    private func countSlots(of session: UnsafeMutablePointer<Session>) -> Int {
        var count = 0
        var index = session.pointee.firstSlot
        while index != Link.none {
            let slot = worker.pointee.slots.element(at: Int(index))
            require(worker.pointee.slots.handle(at: Int(index)) == slot.pointee.handle)
            require(slot.pointee.session == session.pointee.handle)
            require(!slot.pointee.track.isNone == (worker.pointee.tracks.find(slot.pointee.track) != nil))
            count += 1
            require(count <= worker.pointee.slots.capacity, "a Session's Slots are a ring")
            index = slot.pointee.nextOfSession
        }
        return count
    }

    private func countTracks(of session: UnsafeMutablePointer<Session>) -> Int {
        var count = 0
        var index = session.pointee.firstTrack
        while index != Link.none {
            let track = worker.pointee.tracks.element(at: Int(index))
            require(worker.pointee.tracks.handle(at: Int(index)) == track.pointee.handle)
            require(track.pointee.source == .session(session.pointee.handle))
            count += 1
            require(count <= worker.pointee.tracks.capacity, "a Session's Tracks are a ring")
            index = track.pointee.nextOfSession
        }
        return count
    }

    /// Returns how many packets its caches keep.
    private func checkTrack(_ track: UnsafeMutablePointer<Track>) -> Int {
        var previous = Link.none
        var index = track.pointee.sinks.firstSlot
        var count = 0
        while index != Link.none {
            let slot = worker.pointee.slots.element(at: Int(index))
            require(slot.pointee.track == track.pointee.handle && slot.pointee.previous == previous)
            if let current = slot.pointee.current { require(Int(current) < track.pointee.layerCount) }
            count += 1
            require(count <= worker.pointee.slots.capacity, "a Track's Slots are a ring")
            previous = index
            index = slot.pointee.next
        }
        let siblings = track.pointee.sinks.siblings
        let sinks = track.pointee.sinks
        var taps = LayerSet()
        index = sinks.firstTap
        while index != Link.none {
            let tap = worker.pointee.taps.element(at: Int(index))
            require(tap.pointee.track == track.pointee.handle)
            taps = taps.union(tap.pointee.layers)
            index = tap.pointee.next
        }
        require(sinks.handedOver == siblings.wanted.union(taps))
        require(sinks.shared == (track.pointee.isReplica ? track.pointee.allLayers : sinks.handedOver))
        require(sinks.handedOver.union(track.pointee.allLayers) == track.pointee.allLayers)
        require((0..<HandoverMesh.maximumWorkers).count { !siblings.replica($0).isNone } == siblings.count)
        var kept = 0
        for layer in 0..<track.pointee.layerCount {
            for entry in 0..<RetransmissionCache.depth
            where track.pointee.layers[layer].cache.entries[entry].packet != nil { kept += 1 }
        }
        return kept
    }
}

/// Ends the process with the line of what does not hold, which a plain precondition hides in optimised code.
func require(_ condition: Bool, _ message: @autoclosure () -> String = "", line: UInt = #line) {
    if !condition { fatalError("line \(line) does not hold: \(message())") }
}
