import Mailbox
import Wire

/// Commands and timers of TURN, about 1,000 times a second.
extension Worker where Queue: ~Copyable {
    /// Returns how many commands it took.
    mutating func keepRelay(now: UInt64) -> Int {
        guard relay.isEnabled else { return 0 }
        var taken = 0
        // Each grant is answered by an event; control has counted it until then, so that none may be lost.
        while taken < HousekeepingSchedule.commandsPerRound, mailbox.turn.events.count < mailbox.turn.events.capacity,
            let command = mailbox.turn.commands.pop()
        {
            taken &+= 1
            switch command {
            case .grant(let grant): grantAllocation(grant, now: now)
            case .refuse(let refuse): refuseAllocation(refuse, now: now)
            case .close(let handle):
                if let allocation = relay.allocations.find(handle), allocation.pointee.closing == nil {
                    closeAllocation(allocation, .ordered, now: now)
                } else {
                    counters.drop(.staleHandle)
                }
            }
            if outbox.needsFlush { flush() }
        }
        expire(now: now)
        counters.set(.allocations, UInt64(relay.allocations.count))
        return taken
    }

    /// Ends what is due, a bounded number.
    private mutating func expire(now: UInt64) {
        let count = relay.wheel.advance(to: now, into: relay.due, limit: Relay.dueCapacity)
        for place in 0..<count {
            var index = Int(relay.due[place])
            if index < relay.allocations.capacity {
                guard !relay.allocations.handle(at: index).isNone else { continue }
                closeAllocation(relay.allocations.element(at: index), .expired, now: now)
                continue
            }
            index &-= relay.allocations.capacity
            // Its allocation may have taken it along.
            if index < relay.permissions.capacity {
                guard relay.permissions[UInt32(index)].pointee.allocation != Link.none else { continue }
                relay.removePermission(UInt32(index))
                continue
            }
            index &-= relay.permissions.capacity
            if index < relay.channels.capacity {
                guard relay.channels[UInt32(index)].pointee.allocation != Link.none else { continue }
                relay.removeChannel(UInt32(index))
                continue
            }
            index &-= relay.channels.capacity
            if index < relay.pending.capacity {
                forgetRequest(relay.pending[UInt32(index)].pointee.key)
                continue
            }
            relay.expireReservation(UInt32(index &- relay.pending.capacity))
        }
    }

    /// Another worker's allocation has, or had, a client whose address leads here.
    mutating func noteClient(_ key: FlowKey, _ allocation: AllocationHandle) {
        if !relay.clients.insert(key, allocation.raw) { counters.drop(.flowTableFull) }
    }

    mutating func forgetClient(_ key: FlowKey, _ allocation: AllocationHandle) {
        if relay.clients.find(key) == allocation.raw { _ = relay.clients.remove(key) }
    }
}
