import Mailbox
import Wire

/// How other workers learn of an allocation, and how it ends.
extension Worker where Queue: ~Copyable {
    /// Tells the other workers where the client's frames go when its address leads elsewhere.
    mutating func announce(_ allocation: UnsafeMutablePointer<Allocation>) {
        guard !allocation.pointee.isStream, relay.owner(of: allocation.pointee.key.remote) != relay.number else {
            return
        }
        allocation.pointee.isAnnounced = true
        let message = Handover.clientOpened(allocation.pointee.key, allocation.pointee.handle)
        counters.drop(.handoverFull, UInt64(siblings.tellAll(message)))
    }

    mutating func unannounce(_ allocation: UnsafeMutablePointer<Allocation>) {
        guard allocation.pointee.isAnnounced else { return }
        allocation.pointee.isAnnounced = false
        let message = Handover.clientClosed(allocation.pointee.key, allocation.pointee.handle)
        counters.drop(.handoverFull, UInt64(siblings.tellAll(message)))
    }

    /// Ends an allocation: all that it held is free at once. Its place is free when control's ring took the news.
    mutating func closeAllocation(
        _ allocation: UnsafeMutablePointer<Allocation>, _ reason: TURNCloseReason, now: UInt64
    ) {
        let handle = allocation.pointee.handle
        let timer = relay.timer(ofAllocation: handle.index)
        if allocation.pointee.closing == nil {
            unannounce(allocation)
            _ = relay.clients.remove(allocation.pointee.key)
            relay.releaseFamily(isV4: true, of: allocation)
            relay.releaseFamily(isV4: false, of: allocation)
            relay.closeAccount(allocation.pointee.account)
            relay.wheel.cancel(timer)
            allocation.pointee.closing = reason
            counters.add(.allocationsClosed)
        }
        var client = allocation.pointee.client
        client.remote = allocation.pointee.granted
        let event = TURNEvent.allocationClosed(
            handle, user: allocation.pointee.user, client: client, reason: allocation.pointee.closing ?? reason)
        guard mailbox.turn.events.push(event) else { return relay.wheel.schedule(timer, at: now &+ 10_000_000) }
        _ = relay.allocations.remove(handle)
        relay.giveBack(handle)
    }
}
