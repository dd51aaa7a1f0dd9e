import Mailbox

/// Wakes control after the worker has put something into a ring to it.
struct ControlBells: BitwiseCopyable {
    /// Messages since the start, as of the last look.
    private var told: UInt64 = 0
    private var asked: UInt64 = 0

    /// After a turn; a look at what the worker itself counts when there is nothing new.
    @inline(__always)
    mutating func ring(_ mailbox: WorkerMailbox) {
        let told = mailbox.events.total &+ mailbox.punts.total
        if told != self.told {
            self.told = told
            mailbox.controlBell.ring()
        }
        let asked = mailbox.turn.requests.total &+ mailbox.turn.events.total
        if asked != self.asked {
            self.asked = asked
            mailbox.turn.controlBell.ring()
        }
    }
}
