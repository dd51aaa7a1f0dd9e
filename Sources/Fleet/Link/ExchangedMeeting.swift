import Meetings

/// A meeting at a PoP that is its Home or a Branch of it, or looks for one.
struct ExchangedMeeting<Body: MeetingBody>: Sendable {
    enum Role: Sendable {
        case searching(next: Duration)
        case home
        case branch(Upstream)
    }

    /// How a Branch stands with its Home.
    struct Upstream: Sendable {
        let peer: PoPName
        var mustSubscribe: Bool
        /// The whole state is needed, whatever the copy says.
        var needsState = false
        var isSynced = false
        var owesAcknowledgement = false
        var asked: Duration
        var unanswered = 0
        /// Since when there is no link.
        var lost: Duration?
    }

    /// How a Home stands with one of its Branches.
    struct Subscriber: Sendable {
        /// The last change that was sent.
        var sent: UInt64
        var needsState: Bool
        /// Numbers that are not acknowledged, at most `LinkPolicy.window`.
        var inFlight: [UInt64] = []
    }

    /// A request of an own client, or one that is offered again.
    struct Pending: Sendable {
        let id: UInt64
        let change: Body.Change
        let isOffer: Bool
        var isSent = false
        /// The Home has made it as this change, or before.
        var doneAt: UInt64?
    }

    let id: MeetingID
    let number: MeetingNumber
    var replica = MeetingReplica<Body>()
    var role: Role
    var own: OwnChanges<Body.Change>
    var pending: [Pending] = []
    var lastRequest: UInt64
    var log: ChangeLog
    var subscribers: [PoPName: Subscriber] = [:]
    var replies: [PoPName: [LinkMessage]] = [:]
    var counters = ExchangeCounters()

    /// The highest epoch of which anybody spoke.
    private var heard: UInt64 = 0
    var lost: PoPName?
    /// Nobody here is in it.
    private(set) var isStandby = false
    private var excluded: Set<PoPName> = []
    var patience: Duration
    private var lastStepDown: Duration = .zero
    /// While it is Home: that its epoch is not the highest, and another has to be found.
    private var nextRaise: Duration?

    init(_ id: MeetingID, number: MeetingNumber, firstRequest: UInt64, policy: LinkPolicy, at now: Duration) {
        self.id = id
        self.number = number
        role = .searching(next: now)
        own = OwnChanges(limit: policy.ownChanges)
        lastRequest = firstRequest
        log = ChangeLog(policy: policy)
        patience = policy.patience
    }

    var epoch: UInt64? {
        guard case .home = role else { return nil }
        return replica.home?.epoch
    }

    var seen: UInt64 { max(heard, replica.home?.epoch ?? 0) }

    var upstream: Upstream? {
        guard case .branch(let upstream) = role else { return nil }
        return upstream
    }

    mutating func search(_ context: ExchangeContext) -> ExchangeEvent {
        .search(
            HomeSearch(
                meeting: id, number: number, asker: context.pop.name, seen: seen, isHome: epoch != nil, lost: lost,
                excluded: excluded, linked: Set(context.linked.keys), isStandby: isStandby))
    }

    // MARK: Roles

    mutating func lead(_ epoch: UInt64, _ context: ExchangeContext, _ effects: inout ExchangeEffects) {
        guard epoch > seen, Home.epochs.contains(epoch) else { return }
        if case .branch = role { return }
        replica.lead(Home(pop: context.pop.name, epoch: epoch), instance: context.pop.instance)
        role = .home
        lost = nil
        nextRaise = nil
        excluded = []
        log.removeAll()
        for peer in subscribers.keys { subscribers[peer] = Subscriber(sent: 0, needsState: true) }
        effects.ready.formUnion(subscribers.keys)
        effects.isAnnounced = true
        effects.events.append(.leads(id, epoch: epoch))
        let waiting = pending
        pending = []
        for request in waiting { make(request, context, &effects) }
    }

    mutating func follow(
        _ peer: PoPName, _ context: ExchangeContext, at now: Duration, _ effects: inout ExchangeEffects
    ) {
        guard peer != context.pop.name else { return wait(now + context.policy.search) }
        // Or the former Home would count this PoP among its Branches for as long as they are linked.
        if let former = upstream?.peer, former != peer, context.linked[former] != nil {
            reply(.unsubscribe(id), to: former, context, &effects)
        }
        let isLinked = context.linked[peer] != nil
        role = .branch(
            Upstream(peer: peer, mustSubscribe: isLinked, asked: now, lost: isLinked ? nil : now))
        resetPending()
        effects.ready.insert(peer)
        effects.events.append(.follows(id, peer))
    }

    /// Another outranks this Home: its Branches are told, and it becomes one.
    mutating func stepDown(
        to home: Home, _ context: ExchangeContext, at now: Duration, _ effects: inout ExchangeEffects
    ) {
        counters.stepsDown += 1
        if now - lastStepDown > context.policy.calm { patience = context.policy.patience }
        lastStepDown = now
        patience = min(patience * 2, context.policy.longestPatience)
        for peer in subscribers.keys where peer != home.pop {
            reply(.notHome(id, home), to: peer, context, &effects)
        }
        subscribers = [:]
        log.removeAll()
        heard = max(heard, home.epoch)
        nextRaise = nil
        follow(home.pop, context, at: now, &effects)
    }

    /// There is a higher epoch, of nobody that is known: this Home needs a higher one.
    mutating func raise(above epoch: UInt64, at now: Duration) {
        heard = max(heard, epoch)
        nextRaise = now
    }

    mutating func wait(_ next: Duration) {
        role = .searching(next: next)
        resetPending()
    }

    mutating func exclude(_ peer: PoPName, until next: Duration) {
        excluded.insert(peer)
        wait(next)
    }

    mutating func resetPending() {
        for index in pending.indices {
            pending[index].isSent = false
            pending[index].doneAt = nil
        }
    }

    mutating func tick(_ context: ExchangeContext, at now: Duration, _ effects: inout ExchangeEffects) {
        switch role {
        case .home:
            guard let next = nextRaise, now >= next else { return }
            nextRaise = now + context.policy.search
            effects.events.append(search(context))
        case .searching(let next):
            guard now >= next else { return }
            role = .searching(next: now + (isStandby ? context.policy.standbySearch : context.policy.search))
            effects.events.append(search(context))
        case .branch(var upstream):
            if let since = upstream.lost {
                guard now - since >= patience else { return }
                return lose(upstream.peer, at: now)
            }
            guard !upstream.isSynced, now - upstream.asked >= context.policy.answer else { return }
            upstream.unanswered += 1
            guard upstream.unanswered < 3 else { return lose(upstream.peer, at: now) }
            upstream.mustSubscribe = true
            upstream.asked = now
            role = .branch(upstream)
            effects.ready.insert(upstream.peer)
        }
    }

    /// Whether it takes over only from a Home that is dead by the Registry's word. One in which somebody is looks for a Home
    /// at once.
    mutating func setStandby(_ isStandby: Bool, at now: Duration) {
        self.isStandby = isStandby
        if !isStandby, case .searching = role { role = .searching(next: now) }
    }

    private mutating func lose(_ peer: PoPName, at now: Duration) {
        lost = peer
        wait(now)
    }

    /// The copy is that of a Home that answers.
    mutating func synced() {
        excluded = []
        lost = nil
    }

    mutating func reply(
        _ message: LinkMessage, to peer: PoPName, _ context: ExchangeContext, _ effects: inout ExchangeEffects
    ) {
        guard replies[peer, default: []].count < context.policy.replies else {
            effects.events.append(.flood(peer))
            return
        }
        replies[peer, default: []].append(message)
        effects.ready.insert(peer)
    }
}
