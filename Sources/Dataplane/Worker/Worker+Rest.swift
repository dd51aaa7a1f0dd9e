import Mailbox

/// When the worker may sleep.
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
}
