import Mailbox

/// What the worker shows of itself, and what of it still waits.
extension Worker where Queue: ~Copyable {
    /// Shows control what was counted, with the tables' and the rings' present sizes.
    func publishCounters() {
        counters.set(.sessions, UInt64(sessions.count))
        counters.set(.tracks, UInt64(tracks.count))
        counters.set(.sinks, UInt64(slots.count &+ taps.count))
        counters.set(.commandsWaiting, UInt64(mailbox.commands.count))
        counters.set(.repliesWaiting, UInt64(mailbox.replies.count))
        counters.set(.eventsWaiting, UInt64(mailbox.events.count))
        counters.set(.puntsWaiting, UInt64(mailbox.punts.count))
        counters.set(.handoversWaiting, UInt64(handoversWaiting))
        let transmitter = queue.hasTransmit ? nil : siblings.outbound[siblings.transmitter]
        counters.set(.transmitWaiting, UInt64(transmitter?.count ?? 0))
        counters.set(.buffersAvailable, UInt64(pool.available))
        counters.publish(to: mailbox.counters)
    }
}
