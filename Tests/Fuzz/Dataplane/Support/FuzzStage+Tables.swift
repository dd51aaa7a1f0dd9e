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
            precondition(worker.pointee.sessions.handle(at: place) == handle)
            slots += countSlots(of: session)
            tracks += countTracks(of: session)
            for flow in 0..<session.pointee.flowCount
            where worker.pointee.flows.find(worker.pointee.flowKey(session.pointee.flows[flow])) == handle.raw {
                flows += 1
            }
            for stream in 0..<session.pointee.streams.count {
                let binding = session.pointee.streams[stream]
                let track = worker.pointee.tracks.element(at: Int(binding.track))
                precondition(!worker.pointee.tracks.handle(at: Int(binding.track)).isNone)
                precondition(track.pointee.session == handle && Int(binding.layer) < track.pointee.layerCount)
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
        precondition(slots == worker.pointee.slots.count && tracks == worker.pointee.tracks.count)
        precondition(flows == worker.pointee.flows.count && sources == worker.pointee.sources.count)
        precondition(kept == worker.pointee.cachedPackets)
    }

    private func countSlots(of session: UnsafeMutablePointer<Session>) -> Int {
        var count = 0
        var index = session.pointee.firstSlot
        while index != Link.none {
            let slot = worker.pointee.slots.element(at: Int(index))
            precondition(worker.pointee.slots.handle(at: Int(index)) == slot.pointee.handle)
            precondition(slot.pointee.session == session.pointee.handle)
            precondition(slot.pointee.isMapped == (worker.pointee.tracks.find(slot.pointee.track) != nil))
            count += 1
            precondition(count <= worker.pointee.slots.capacity, "a Session's Slots are a ring")
            index = slot.pointee.nextOfSession
        }
        return count
    }

    private func countTracks(of session: UnsafeMutablePointer<Session>) -> Int {
        var count = 0
        var index = session.pointee.firstTrack
        while index != Link.none {
            let track = worker.pointee.tracks.element(at: Int(index))
            precondition(worker.pointee.tracks.handle(at: Int(index)) == track.pointee.handle)
            precondition(track.pointee.session == session.pointee.handle)
            count += 1
            precondition(count <= worker.pointee.tracks.capacity, "a Session's Tracks are a ring")
            index = track.pointee.nextOfSession
        }
        return count
    }

    /// Returns how many packets its caches keep.
    private func checkTrack(_ track: UnsafeMutablePointer<Track>) -> Int {
        var previous = Link.none
        var index = track.pointee.firstSlot
        var count = 0
        while index != Link.none {
            let slot = worker.pointee.slots.element(at: Int(index))
            precondition(slot.pointee.track == track.pointee.handle && slot.pointee.previous == previous)
            if let current = slot.pointee.current { precondition(Int(current) < track.pointee.layerCount) }
            count += 1
            precondition(count <= worker.pointee.slots.capacity, "a Track's Slots are a ring")
            previous = index
            index = slot.pointee.next
        }
        precondition(track.pointee.replicas.indices.count { !track.pointee.replicas[$0].isNone } == track.pointee.replicaCount)
        var kept = 0
        for layer in 0..<track.pointee.layerCount {
            for entry in 0..<RetransmissionCache.depth
            where track.pointee.layers[layer].cache.entries[entry].packet != nil { kept += 1 }
        }
        return kept
    }
}
