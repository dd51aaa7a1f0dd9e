import Mailbox

/// What the worker shows of itself, and what of it still waits.
extension Worker where Queue: ~Copyable {
    /// How long the worker may rest after a turn that found nothing, ns: until timers, commands and replies have their
    /// next round, and not at all when messages of control or of another worker wait already, or frames for the device.
    /// What waits in the device itself is not known before the next look. What control said, and the question for a
    /// neighbour that somebody sends to, have their round at once, as there is nothing else to do.
    mutating func rest(now: UInt64) -> UInt64 {
        guard mailbox.commands.count == 0, mailbox.replies.count == 0, mailbox.turn.commands.count == 0,
            !neighbors.hasUrgentRequest
        else {
            housekeeping.due = min(housekeeping.due, now)
            return 0
        }
        guard now < housekeeping.due, outbox.isEmpty, handoversWaiting == 0, mailbox.turn.arrivals.count == 0 else {
            return 0
        }
        return housekeeping.due &- now
    }

    /// Packets and messages that the other workers handed over.
    private var handoversWaiting: Int {
        var count = 0
        for sibling in 0..<siblings.count { count &+= siblings.inbound[sibling]?.count ?? 0 }
        return count
    }

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
