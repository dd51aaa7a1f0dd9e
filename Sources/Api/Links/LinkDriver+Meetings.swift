import Fleet
import Meetings
import NIOCore

/// What the PoP wants of its links and of the meetings that it shares.
extension LinkDriver {
    func want(_ peers: [PoPName: [LinkAddress]]) {
        guard !isStopping else { return }
        for name in addresses.keys where peers[name] == nil { roster.want(name, false, at: now) }
        addresses = peers
        for name in peers.keys { roster.want(name, at: now) }
    }

    func open(_ meeting: MeetingID, number: MeetingNumber, granted epoch: UInt64?) {
        closing.remove(meeting)
        exchange.open(meeting, number: number, at: now)
        if let epoch { exchange.lead(meeting, epoch: epoch) }
        exchange.tick(at: now)
        workSoon()
    }

    func standBy(_ meeting: MeetingID, number: MeetingNumber, for home: PoPName) {
        closing.remove(meeting)
        exchange.standBy(meeting, number: number, for: home, at: now)
        workSoon()
    }

    func setStandby(_ meeting: MeetingID, _ isStandby: Bool) {
        exchange.setStandby(meeting, isStandby, at: now)
        exchange.tick(at: now)
        workSoon()
    }

    func askStandby(_ peer: PoPName, of meeting: MeetingID, _ isWanted: Bool) {
        exchange.askStandby(peer, of: meeting, isWanted)
        workSoon()
    }

    func close(_ meeting: MeetingID) {
        closing.insert(meeting)
        endClosing(meeting)
        workSoon()
    }

    /// A Home with Branches stays until they have left, or another has taken over.
    func endClosing(_ meeting: MeetingID) {
        let lease = exchange.close(meeting)
        guard exchange.replica(of: meeting) == nil else { return }
        closing.remove(meeting)
        guard let lease, let registry else { return }
        // Where it fails, the lease ends by itself.
        Task { try? await registry.release(lease.meeting, epoch: lease.epoch) }
    }

    func request(_ change: Body.Change, in meeting: MeetingID) -> UInt64? {
        defer { workSoon() }
        return exchange.request(change, in: meeting)
    }

    var reading: LinkReading {
        var reading = LinkReading()
        for peer in roster.linked { reading.open[peer] = .some(roster.roundTrip(to: peer)) }
        reading.refused = refused
        reading.ended = ended
        reading.exchange = exchange.counters
        return reading
    }
}
