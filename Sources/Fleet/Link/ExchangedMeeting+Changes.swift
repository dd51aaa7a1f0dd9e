import Meetings

/// Changes and states: from the Home, and to Branches.
extension ExchangedMeeting {
    // MARK: At a Branch

    /// Another says that it is the Home.
    mutating func consider(
        _ claim: Home, _ context: ExchangeContext, at now: Duration, _ effects: inout ExchangeEffects
    ) {
        guard claim.pop != context.pop.name else { return raiseAbove(claim, at: now) }
        let isMine: Bool
        if case .home = role { isMine = true } else { isMine = false }
        if let known = replica.home, known.outranks(claim) {
            counters.past += 1
            if isMine {
                effects.told = claim.pop
            } else {
                reply(.notHome(id, known), to: claim.pop, context, &effects)
            }
            return
        }
        if isMine { return stepDown(to: claim, context, at: now, &effects) }
        if let upstream, upstream.peer == claim.pop, replica.home == claim || !upstream.isSynced { return }
        follow(claim.pop, context, at: now, &effects)
    }

    private mutating func raiseAbove(_ claim: Home, at now: Duration) {
        guard case .home = role, let mine = replica.home, claim.epoch > mine.epoch else { return }
        raise(above: claim.epoch, at: now)
    }

    mutating func receive(
        notHome home: Home?, from peer: PoPName, _ context: ExchangeContext, at now: Duration,
        _ effects: inout ExchangeEffects
    ) {
        if case .home = role {
            guard let home, let mine = replica.home, home.outranks(mine) else { return }
            if home.pop == context.pop.name { return raise(above: home.epoch, at: now) }
            return stepDown(to: home, context, at: now, &effects)
        }
        // It is: what it says no to was of its epoch before, and its state is on the way.
        guard upstream?.peer == peer, home?.pop != peer else { return }
        // It was started anew, and knows nothing of the meeting that this PoP has of it.
        if home == nil, replica.home?.pop == peer { lost = peer }
        exclude(peer, until: now + (lost == peer ? .zero : context.policy.search))
        guard let home, home.pop != peer, home.pop != context.pop.name, home.pop != lost else { return }
        // Only upwards, or two that know nothing would send it to and fro.
        if replica.home.map({ home.outranks($0) }) ?? true { follow(home.pop, context, at: now, &effects) }
    }

    mutating func receive(
        state revision: Revision, _ origins: RequestOrigins, _ body: [UInt8], from peer: PoPName,
        _ context: ExchangeContext, at now: Duration, _ effects: inout ExchangeEffects
    ) {
        guard var upstream, upstream.peer == peer, let instance = context.linked[peer] else {
            counters.foreign += 1
            return
        }
        let home = Home(pop: peer, epoch: revision.epoch)
        let before = replica.home
        switch replica.adopt(home, instance: instance, number: revision.number, origins: origins, body) {
        case .applied:
            upstream.isSynced = true
            upstream.needsState = false
            upstream.unanswered = 0
            upstream.owesAcknowledgement = true
            role = .branch(upstream)
            synced()
            // Requests of another epoch were refused.
            if replica.revision?.epoch != before?.epoch { resetPending() }
            completeAll(in: origins, of: context.pop, &effects)
            forgetOutdated()
            offerMissing(context.pop)
            effects.ready.insert(peer)
            effects.events.append(.changed(id))
        case .past:
            counters.past += 1
            if let known = replica.home { reply(.notHome(id, known), to: peer, context, &effects) }
            exclude(peer, until: now + context.policy.search)
        case .duplicate: counters.duplicates += 1
        default:
            counters.garbled += 1
            exclude(peer, until: now + context.policy.search)
        }
    }

    mutating func receive(
        resumed revision: Revision, from peer: PoPName, at now: Duration, _ effects: inout ExchangeEffects
    ) {
        guard var upstream, upstream.peer == peer else {
            counters.foreign += 1
            return
        }
        guard revision == replica.revision else { return resubscribe(withState: true, at: now, &effects) }
        upstream.isSynced = true
        upstream.unanswered = 0
        role = .branch(upstream)
        synced()
        effects.ready.insert(peer)
    }

    mutating func receive(
        change revision: Revision, _ origin: RequestOrigin, _ body: [UInt8], from peer: PoPName,
        _ context: ExchangeContext, at now: Duration, _ effects: inout ExchangeEffects
    ) {
        guard var upstream, upstream.peer == peer else {
            counters.foreign += 1
            return
        }
        // What was on its way when this Branch asked for what it lacks.
        guard upstream.isSynced else { return }
        switch replica.apply(revision, origin, body) {
        case .applied:
            upstream.owesAcknowledgement = true
            role = .branch(upstream)
            effects.ready.insert(peer)
            effects.events.append(.changed(id))
            if origin.pop == context.pop { complete(own: origin.id, &effects) }
            if !pending.isEmpty { completeWhatIsHere(&effects, window: 2 * context.policy.requestWindow) }
            if replica.hasOutdated { forgetOutdated() }
        case .duplicate:
            counters.duplicates += 1
            upstream.owesAcknowledgement = true
            role = .branch(upstream)
            effects.ready.insert(peer)
        case .past: counters.past += 1
        case .gap:
            counters.gaps += 1
            resubscribe(withState: false, at: now, &effects)
        case .future: resubscribe(withState: true, at: now, &effects)
        case .garbled:
            counters.garbled += 1
            resubscribe(withState: true, at: now, &effects)
        }
    }

    private mutating func resubscribe(withState: Bool, at now: Duration, _ effects: inout ExchangeEffects) {
        guard var upstream else { return }
        upstream.isSynced = false
        upstream.mustSubscribe = true
        upstream.needsState = upstream.needsState || withState
        upstream.asked = now
        role = .branch(upstream)
        effects.ready.insert(upstream.peer)
    }

    // MARK: At the Home

    mutating func subscribe(
        _ last: Revision?, from peer: PoPName, _ context: ExchangeContext, at now: Duration,
        _ effects: inout ExchangeEffects
    ) {
        guard case .home = role, let mine = replica.revision else {
            let home = replica.home.flatMap { $0.pop == context.pop.name ? nil : $0 }
            return reply(.notHome(id, home), to: peer, context, &effects)
        }
        if let last, last.epoch > mine.epoch { raise(above: last.epoch, at: now) }
        guard subscribers[peer] != nil || subscribers.count < RegistryLimits.pops else { return }
        effects.ready.insert(peer)
        if subscribers[peer] == nil { effects.events.append(.changed(id)) }
        if let last, last.epoch == mine.epoch, last.number <= mine.number,
            last.number == mine.number || log.entry(last.number + 1) != nil
        {
            subscribers[peer] = Subscriber(sent: last.number, needsState: false)
            return reply(.resumed(id, last), to: peer, context, &effects)
        }
        subscribers[peer] = Subscriber(sent: 0, needsState: true)
    }

    mutating func unsubscribe(_ peer: PoPName, _ effects: inout ExchangeEffects) {
        if subscribers.removeValue(forKey: peer) != nil { effects.events.append(.changed(id)) }
    }

    mutating func acknowledge(_ revision: Revision, from peer: PoPName, _ effects: inout ExchangeEffects) {
        guard case .home = role, revision.epoch == replica.home?.epoch, var subscriber = subscribers[peer] else {
            return
        }
        subscriber.inFlight.removeAll { $0 <= revision.number }
        subscribers[peer] = subscriber
        effects.ready.insert(peer)
        dropAcknowledged()
    }

    /// Drops changes that every Branch has.
    mutating func dropAcknowledged() {
        let oldest = subscribers.values.lazy.map { $0.inFlight.first.map { max($0, 1) - 1 } ?? $0.sent }.min()
        log.drop(upTo: oldest ?? replica.number)
    }

    // MARK: To a peer

    /// The meeting's next message for the peer, when it is its turn.
    mutating func next(for peer: PoPName, _ context: ExchangeContext, at now: Duration) -> LinkMessage? {
        if let first = replies[peer]?.first {
            replies[peer]?.removeFirst()
            if replies[peer]?.isEmpty == true { replies[peer] = nil }
            return first
        }
        if case .home = role { return nextChange(for: peer, context.policy) }
        guard var upstream, upstream.peer == peer else { return nil }
        if upstream.mustSubscribe {
            upstream.mustSubscribe = false
            upstream.asked = now
            role = .branch(upstream)
            let isSame = replica.home?.pop == peer && replica.instance == context.linked[peer]
            return .subscribe(id, last: isSame && !upstream.needsState ? replica.revision : nil)
        }
        guard upstream.isSynced, let revision = replica.revision else { return nil }
        if upstream.owesAcknowledgement {
            upstream.owesAcknowledgement = false
            role = .branch(upstream)
            return .acknowledge(id, revision)
        }
        return nextRequest(context.policy)
    }

    private mutating func nextChange(for peer: PoPName, _ policy: LinkPolicy) -> LinkMessage? {
        guard var subscriber = subscribers[peer], let home = replica.home, subscriber.inFlight.count < policy.window
        else {
            return nil
        }
        defer { subscribers[peer] = subscriber }
        if !subscriber.needsState {
            guard subscriber.sent < replica.number else { return nil }
            if let entry = log.entry(subscriber.sent + 1) {
                subscriber.sent = entry.number
                subscriber.inFlight.append(entry.number)
                let revision = Revision(epoch: home.epoch, number: entry.number)
                return .change(id, revision, entry.origin, body: entry.body)
            }
        }
        subscriber.needsState = false
        subscriber.sent = replica.number
        subscriber.inFlight.append(replica.number)
        let revision = Revision(epoch: home.epoch, number: replica.number)
        let message = LinkMessage.state(id, revision, replica.origins, body: replica.body.bytes)
        guard message.frame.body.count < LinkPolicy.frameLimit else {
            counters.oversized += 1
            return .notHome(id, nil)
        }
        counters.states += 1
        return message
    }
}
