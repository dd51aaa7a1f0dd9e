import Fleet
import Meetings

/// How a meeting outlives its PoP: the Home keeps a copy at another one where nobody is in it, its standby. A Branch with
/// people is a copy itself.
extension MeetingHub {
    /// How long a PoP that was asked may take to follow; then another is.
    private static let standbyPatience: Duration = .seconds(5)
    /// For how long one that did not is not asked again.
    private static let standbyRest: Duration = .seconds(60)
    /// How long a standby stays that has no link to the Home: the lease of one that is dead has run out long before.
    private static let standbyStay: Duration = .seconds(60)

    // MARK: At the Home

    /// Each second: sees that a meeting with people here alone has a standby, and no other.
    func keepStandby(_ share: MeetingShare) {
        guard let sharing, share.isHome else {
            share.standby = nil
            share.released = [:]
            return
        }
        let pops = share.copy.pops
        share.released = share.released.filter { share.branches.contains($0.key) }
        share.unwilling = share.unwilling.filter { clock.now - $0.value < Self.standbyRest }
        let isNeeded = pops.contains(sharing.pop) && !pops.contains { share.branches.contains($0) }
        if isNeeded { lookForStandby(share, sharing) } else { share.standby = nil }
        if let standby = share.standby, !share.branches.contains(standby.pop) { return }
        for pop in share.branches.sorted() where pop != share.standby?.pop && !pops.contains(pop) {
            // Again, as the first time may be lost with a link, or come before another Home's wish.
            if let told = share.released[pop], clock.now - told < Self.standbyPatience { continue }
            share.released[pop] = clock.now
            sharing.post(.askStandby(pop, share.id, false))
        }
    }

    private func lookForStandby(_ share: MeetingShare, _ sharing: any SharedMeetings) {
        if let standby = share.standby {
            let isThere = share.branches.contains(standby.pop)
            if isThere, !sharing.isLeaving(standby.pop) { return }
            if !isThere {
                // One that was lost meanwhile may be asked again.
                if let instance = linked[standby.pop], instance == standby.instance {
                    if clock.now - standby.asked < Self.standbyPatience { return }
                    share.unwilling[standby.pop] = clock.now
                }
                share.standby = nil
            }
        }
        let open = sharing.standbys(of: share.id).filter { share.unwilling[$0] == nil }
        // One that has a copy already, as where somebody was until now, needs no other.
        guard let next = open.first(where: share.branches.contains) ?? open.first, next != share.standby?.pop else {
            return
        }
        share.standby = (next, linked[next], clock.now)
        share.released[next] = nil
        sharing.post(.askStandby(next, share.id, true))
    }

    // MARK: At the standby

    /// A Home wants this PoP to be a meeting's standby; without a number no more.
    func takeStandby(_ id: MeetingID, _ number: MeetingNumber?, for home: PoPName) {
        guard let number else {
            guard let share = shares[id], share.standbyOf != nil else { return }
            share.standbyOf = nil
            if share.isQuiet, !share.isHome { drop(share) }
            return
        }
        if let share = shares[id] {
            // Whoever is here may go: then it stays.
            if !share.isHome { share.standbyOf = home }
            return
        }
        guard let sharing, drain.acceptsNewcomers, catalog.meetings[id] == nil, standbyCount < mostStandbys else {
            return
        }
        let share = MeetingShare(id)
        share.standbyOf = home
        share.isQuiet = true
        share.unusedSince = clock.now
        shares[id] = share
        sharing.post(.standBy(id, number, for: home))
    }

    /// Meetings that are here for the case that their Homes are lost.
    var standbyCount: Int { shares.values.count { $0.isQuiet } }

    /// Others' meetings leave room for those of this PoP.
    private var mostStandbys: Int { catalog.limits.meetings / 4 }

    /// Each second, of a meeting that nobody here has been in for a while.
    ///
    /// - Returns: whether it stays.
    func staysAsStandby(_ share: MeetingShare) -> Bool {
        guard let home = share.standbyOf else { return false }
        share.homeless = linked[home] == nil ? share.homeless ?? clock.now : nil
        if let since = share.homeless, clock.now - since >= Self.standbyStay { return false }
        if !share.isQuiet { quieten(share) }
        return true
    }

    /// The last one here is gone: the copy stays, and the media side forgets it.
    private func quieten(_ share: MeetingShare) {
        tellNoMedia(of: share)
        share.isQuiet = true
        sharing?.post(.setStandby(share.id, true))
    }

    /// Somebody comes, or this PoP is the Home: the meeting is like any other.
    func wake(_ id: MeetingID) {
        guard let share = shares[id], share.isQuiet else { return }
        share.isQuiet = false
        share.unusedSince = clock.now
        sharing?.post(.setStandby(id, false))
        showAll(of: share)
    }

    // MARK: Where people come back

    /// The sockets of other PoPs that take a meeting's participants when this one is lost: that of its standby, which has a
    /// copy, and the nearest ones.
    func alternates(of id: MeetingID) -> [String]? {
        guard let sharing else { return nil }
        let nearest = sharing.alternates
        guard let share = shares[id], let standby = share.standby, share.branches.contains(standby.pop),
            let first = sharing.socket(of: standby.pop)
        else { return nearest }
        return Array(([first] + nearest.filter { $0 != first }).prefix(KnownPoPs.mostAlternates))
    }

    /// Each second: tells participants of this PoP where that has changed.
    func tellAlternates(_ share: MeetingShare) {
        guard feeds[share.id] != nil, let now = alternates(of: share.id), now != share.alternates else { return }
        share.alternates = now
        tell(ServerMessage.Alternates(signalingAlternates: now), everybodyIn: share.id)
    }
}
