import Mailbox

/// Counters and gauges.
extension Worker where Queue: ~Copyable {
    /// Publishes the counters, with the fill levels of tables and rings.
    func publishCounters(now: UInt64) {
        counters.set(.sessions, UInt64(sessions.count))
        counters.set(.tracks, UInt64(tracks.count))
        counters.set(.sinks, UInt64(slots.count &+ taps.count))
        counters.set(.pausedSlots, UInt64(pausedSlots))
        counters.set(.commandsWaiting, UInt64(mailbox.commands.count))
        counters.set(.repliesWaiting, UInt64(mailbox.replies.count))
        counters.set(.eventsWaiting, UInt64(mailbox.events.count))
        counters.set(.puntsWaiting, UInt64(mailbox.punts.count))
        counters.set(.handoversWaiting, UInt64(handoversWaiting))
        let transmitter = queue.hasTransmit ? nil : siblings.outbound[siblings.transmitter]
        counters.set(.transmitWaiting, UInt64(transmitter?.count ?? 0))
        counters.set(.transmitStall, outbox.stall.duration(now: now) / 1_000_000)
        counters.set(.buffersAvailable, UInt64(pool.available))
        counters.publish(to: mailbox.counters)
    }
}
