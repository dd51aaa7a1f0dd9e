import Meetings

/// Requests: those of own clients, and those of Branches.
extension ExchangedMeeting {
    /// Nil where too many wait.
    mutating func request(
        _ change: Body.Change, _ context: ExchangeContext, _ effects: inout ExchangeEffects
    ) -> UInt64? {
        guard pending.count < context.policy.pendingRequests, change.bytes.count <= LinkPolicy.changeLimit else {
            return nil
        }
        lastRequest += 1
        let request = Pending(id: lastRequest, change: change, isOffer: false)
        if case .home = role {
            make(request, context, &effects)
        } else {
            pending.append(request)
            if let upstream { effects.ready.insert(upstream.peer) }
        }
        return request.id
    }

    /// At the Home: a request of its own.
    mutating func make(_ request: Pending, _ context: ExchangeContext, _ effects: inout ExchangeEffects) {
        let origin = RequestOrigin(pop: context.pop, id: request.id)
        if !replica.origins.contains(origin) {
            if let reason = replica.body.refusal(of: request.change) {
                return refuse(request, reason, &effects)
            }
            make(request.change, from: origin, &effects)
        }
        complete(request, &effects)
    }

    private mutating func make(
        _ change: Body.Change, from origin: RequestOrigin, _ effects: inout ExchangeEffects
    ) {
        replica.make(change, from: origin)
        if change.outdatesOthers {
            // A Branch that lacks one of these takes the state instead.
            log.removeAll()
            forgetOutdated()
        }
        log.append(replica.number, origin, change.bytes)
        effects.ready.formUnion(subscribers.keys)
        effects.events.append(.changed(id))
        dropAcknowledged()
    }

    /// At the Home: a request of a Branch.
    mutating func receive(
        request: UInt64, epoch: UInt64, _ body: [UInt8], from peer: PoPName, _ context: ExchangeContext,
        _ effects: inout ExchangeEffects
    ) {
        guard case .home = role, let home = replica.home, epoch == home.epoch, subscribers[peer] != nil,
            let instance = context.linked[peer]
        else {
            counters.foreign += 1
            return reply(.notHome(id, replica.home), to: peer, context, &effects)
        }
        let origin = RequestOrigin(pop: PoPInstance(name: peer, instance: instance), id: request)
        if !replica.origins.contains(origin) {
            guard body.count <= LinkPolicy.changeLimit, let change = Body.Change(bytes: body) else {
                counters.garbled += 1
                return reply(.refused(id, id: request, reason: "not understood"), to: peer, context, &effects)
            }
            if let reason = replica.body.refusal(of: change) {
                return reply(.refused(id, id: request, reason: reason), to: peer, context, &effects)
            }
            make(change, from: origin, &effects)
        }
        reply(
            .done(id, id: request, Revision(epoch: home.epoch, number: replica.number)), to: peer, context, &effects)
    }

    mutating func receive(done request: UInt64, _ revision: Revision, _ effects: inout ExchangeEffects) {
        guard revision.epoch == replica.home?.epoch, let index = pending.firstIndex(where: { $0.id == request }) else {
            return
        }
        guard revision.number > replica.number else { return complete(pending.remove(at: index), &effects) }
        pending[index].doneAt = revision.number
    }

    mutating func receive(refused request: UInt64, _ reason: String, _ effects: inout ExchangeEffects) {
        guard let index = pending.firstIndex(where: { $0.id == request && $0.isSent }) else { return }
        refuse(pending.remove(at: index), reason, &effects)
    }

    private mutating func refuse(_ request: Pending, _ reason: String, _ effects: inout ExchangeEffects) {
        own.remove(request.id, request.change.key)
        if !request.isOffer { effects.events.append(.refused(id, request: request.id, reason: reason)) }
    }

    /// At a Branch: requests are done when the copy has them. Those that the Home has answered are among the first.
    mutating func completeWhatIsHere(_ effects: inout ExchangeEffects, window: Int) {
        while let index = pending.prefix(window).firstIndex(where: { $0.doneAt ?? .max <= replica.number }) {
            complete(pending.remove(at: index), &effects)
        }
    }

    /// The change of an own request came.
    mutating func complete(own request: UInt64, _ effects: inout ExchangeEffects) {
        guard let index = pending.firstIndex(where: { $0.id == request }) else { return }
        complete(pending.remove(at: index), &effects)
    }

    /// A whole state came: of own requests, it tells which are in it.
    mutating func completeAll(in origins: RequestOrigins, of pop: PoPInstance, _ effects: inout ExchangeEffects) {
        let waiting = pending
        pending = []
        for request in waiting {
            let isDone =
                request.doneAt ?? .max <= replica.number
                || origins.contains(RequestOrigin(pop: pop, id: request.id))
            if isDone { complete(request, &effects) } else { pending.append(request) }
        }
    }

    private mutating func complete(_ request: Pending, _ effects: inout ExchangeEffects) {
        own.insert(request.id, request.change)
        if !request.isOffer { effects.events.append(.done(id, request: request.id)) }
    }

    /// Of own changes, what nobody is to know any more.
    mutating func forgetOutdated() {
        let body = replica.body
        own.removeAll { body.isOutdated($0) }
    }

    /// After the copy became that of another history: what it lacks of what own clients were told is done, is asked for again,
    /// in the order of the ids, before what was never made.
    mutating func offerMissing(_ pop: PoPInstance) {
        let waiting = Set(pending.map(\.id))
        let missing = own.missing(in: replica.origins, of: pop).filter { !waiting.contains($0.id) }
        guard !missing.isEmpty else { return }
        counters.offered += missing.count
        pending = (missing.map { Pending(id: $0.id, change: $0.change, isOffer: true) } + pending)
            .sorted { $0.id < $1.id }
    }

    /// The next request for the Home, in order.
    mutating func nextRequest(_ policy: LinkPolicy) -> LinkMessage? {
        guard let epoch = replica.home?.epoch, let index = pending.firstIndex(where: { !$0.isSent }),
            pending.lazy.filter({ $0.isSent }).count < policy.requestWindow
        else { return nil }
        pending[index].isSent = true
        return .request(id, epoch: epoch, id: pending[index].id, body: pending[index].change.bytes)
    }
}
