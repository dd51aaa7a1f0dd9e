import Mailbox
import Wire

/// Neighbour discovery on the worker's queues.
extension Worker where Queue: ~Copyable {
    /// ARP, neighbour discovery and echo.
    mutating func answerNeighbor(_ packet: Mbuf, now: UInt64) {
        switch neighbors.handle(packet, now: now) {
        case .reply:
            packet.clearOffloads()
            outbox.add(packet)
        case .learned:
            // The device delivered the answer to one queue; the worker that asked may poll another.
            for sibling in 0..<siblings.count where sibling != configuration.number {
                packet.retain()
                if !siblings.hand(.neighbor(packet), to: sibling) { drop(packet, .handoverFull) }
            }
            // The kernel resolves neighbours by itself; an answer that it did not ask for does no harm.
            passToKernel(packet, otherwise: nil, now: now)
        case .drop(let reason): drop(packet, reason)
        case .foreign: passToKernel(packet, otherwise: .notOurs, now: now)
        }
    }

    /// Tells the link where the port's addresses live now; one worker does.
    mutating func announce() {
        guard configuration.number == 0 else { return }
        let count = neighbors.makeAnnouncements(into: scratch.burst, capacity: Self.burst, pool: pool)
        for index in 0..<count { outbox.add(scratch.burst[index]) }
        flush()
    }
}
