import CDPDK
import Mailbox
import Wire

/// Commands, replies, timers and counters, about 1,000 times a second.
extension Worker where Queue: ~Copyable {
    /// Returns how many messages of control it took.
    mutating func keepHouse(now: UInt64) -> Int {
        guard now >= housekeeping.due else { return 0 }
        housekeeping.due = now &+ HousekeepingSchedule.interval
        tapOutlets.takeBack()
        var taken = 0
        // Before commands: a goodbye goes out before its session closes.
        while taken < HousekeepingSchedule.repliesPerRound, let datagram = mailbox.replies.pop() {
            reply(datagram, now: now)
            taken &+= 1
            if outbox.needsFlush { flush() }
        }
        var executed = 0
        while executed < HousekeepingSchedule.commandsPerRound, let command = mailbox.commands.pop() {
            execute(command, now: now)
            executed &+= 1
        }
        executed &+= keepRelay(now: now)
        if firstPaced != Link.none { releasePaced(now: now) }
        tickLanes(now: now)
        let requests = neighbors.makeRequests(into: scratch.burst, capacity: Self.burst, pool: pool, now: now)
        for index in 0..<requests { outbox.add(scratch.burst[index]) }
        tickSlices(now: now)
        return taken &+ executed
    }

    /// The parts of the tables whose turn it is by now; once around at most.
    private mutating func tickSlices(now: UInt64) {
        for _ in 0..<HousekeepingSchedule.slices {
            guard now >= housekeeping.sliceDue else { return }
            housekeeping.sliceDue &+= HousekeepingSchedule.interval
            tickSlice(now: now)
            housekeeping.round = (housekeeping.round &+ 1) % HousekeepingSchedule.slices
            if housekeeping.round == 0 {
                counters.set(.missingGateways, neighbors.keepGateways(now: now))
                publishCounters(now: now)
            }
        }
        // After a longer break there is nothing to catch up with.
        housekeeping.sliceDue = max(housekeeping.sliceDue, now &+ HousekeepingSchedule.interval)
    }

    private mutating func tickSlice(now: UInt64) {
        let round = housekeeping.round
        let slices = HousekeepingSchedule.slices
        var end = sessions.capacity * (round + 1) / slices
        var next = nextDue(from: sessions.capacity * round / slices, before: end, now: now)
        while let index = next {
            next = nextDue(from: index + 1, before: end, now: now)
            if let next { prefetchTick(of: next) }
            slabs.sessionsDue[index] = tickSession(sessions.element(at: index), now: now)
            if outbox.needsFlush { flush() }
        }
        end = tracks.capacity * (round + 1) / slices
        tickTracks(from: tracks.capacity * round / slices, before: end, now: now)
    }

    /// What a Track's turn reads is prefetched in three steps, while those before it have theirs: the Track, the places of its
    /// caches, and the packets that are too old.
    private mutating func tickTracks(from start: Int, before end: Int, now: UInt64) {
        var first = tracks.nextOccupied(from: start, before: end)
        var second = next(after: first, before: end)
        var third = next(after: second, before: end)
        while let index = first {
            let fourth = next(after: third, before: end)
            if let fourth { prefetchTick(ofTrack: fourth) }
            if let third { forEachCache(of: third) { $0.prefetchPlaces() } }
            if let second { forEachCache(of: second) { $0.prefetchExpiring() } }
            tickTrack(tracks.element(at: index), now: now)
            if outbox.needsFlush { flush() }
            (first, second, third) = (second, third, fourth)
        }
    }

    private func next(after index: Int?, before end: Int) -> Int? {
        guard let index else { return nil }
        return tracks.nextOccupied(from: index + 1, before: end)
    }

    @inline(__always)
    private func forEachCache(of index: Int, _ body: (RetransmissionCache) -> Void) {
        let track = tracks.element(at: index)
        guard track.pointee.kind.isVideo else { return }
        for layer in 0..<track.pointee.layerCount { body(track.pointee.layers[layer].cache) }
    }

    /// The first Session in these places that is to be looked after.
    private func nextDue(from start: Int, before end: Int, now: UInt64) -> Int? {
        var next = sessions.nextOccupied(from: start, before: end)
        while let index = next, now < slabs.sessionsDue[index] {
            next = sessions.nextOccupied(from: index + 1, before: end)
        }
        return next
    }

    /// Prefetches what looking after a Track reads.
    private func prefetchTick(ofTrack index: Int) {
        for layer in 0..<Track.maximumLayers { prefetch(tracks.element(at: index), layer: layer) }
    }

    /// Prefetches what looking after a Session reads first.
    private func prefetchTick(of index: Int) {
        let session = UnsafeRawPointer(sessions.element(at: index))
        for offset in stride(from: 64, to: MemoryLayout<Session>.size, by: 64) { cpu_prefetch(session + offset) }
        slabs.prefetchCongestion(index)
    }

    private mutating func execute(_ command: Command, now: UInt64) {
        switch command {
        case .openSession(let open): openSession(open, now: now)
        case .restartICE(let restart): restartICE(restart)
        case .configureSession(let handle, let extensions): configureSession(handle, extensions, now: now)
        case .installKeys(let install): installKeys(install, now: now)
        case .closeSession(let handle): closeSession(handle, now: now)
        case .openTrack(let open): openTrack(open, now: now)
        case .closeTrack(let handle): closeTrack(handle)
        case .openSlot(let open): openSlot(open)
        case .mapSlot(let map): mapSlot(map, now: now)
        case .closeSlot(let handle): closeSlot(handle)
        case .feed(let track, let replica): feed(track, replica: replica)
        case .unfeed(let track, let replica): unfeed(track, replica: replica)
        case .openTap(let open): openTap(open, now: now)
        case .closeTap(let handle): closeTap(handle)
        case .openTrunk(let remote): openTrunk(remote)
        case .closeTrunk(let remote): closeTrunk(remote)
        case .openLane(let open): openLane(open, now: now)
        case .changeLaneKey(let change): changeLaneKey(change)
        case .closeLane(let handle): closeLane(handle)
        case .openCrossing(let open): openCrossing(open, now: now)
        case .closeCrossing(let handle): closeCrossing(handle)
        }
        if outbox.needsFlush { flush() }
    }
}
