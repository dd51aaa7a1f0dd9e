import Meetings

/// A PoP's part in meetings of many PoPs, without its links: messages, times and the Registry's answers in, messages and
/// events out.
public struct MeetingExchange<Body: MeetingBody>: Sendable {
    /// What waits for one linked peer.
    private struct PeerQueue: Sendable {
        /// Meetings that may have something to send: one message each in turn, so that no meeting waits for another's flood.
        var ready = FairQueue<MeetingID>()
        /// Meetings of which the peer is to hear that this PoP is Home.
        var claims = FairQueue<MeetingID>()
        /// About meetings that are not here.
        var notices = Fifo<LinkMessage>()
    }

    var meetings: [MeetingID: ExchangedMeeting<Body>] = [:]
    private var queues: [PoPName: PeerQueue] = [:]
    private var context: ExchangeContext
    private var events: [ExchangeEvent] = []
    private var ended: EndedMeetings
    /// Above all that a meeting had here before: ids do not come twice from one start of a PoP.
    private var highestRequest: UInt64 = 0
    /// Of meetings that are no longer here, and of none.
    private var pastCounters = ExchangeCounters()

    public init(pop: PoPInstance, policy: LinkPolicy = .init()) {
        context = ExchangeContext(pop: pop, policy: policy)
        ended = EndedMeetings(limit: policy.endedMeetings, memory: policy.endedMemory)
    }

    public mutating func takeEvents() -> [ExchangeEvent] {
        defer { events = [] }
        return events
    }

    public var counters: ExchangeCounters {
        meetings.values.reduce(pastCounters) { $0 + $1.counters }
    }

    public func replica(of meeting: MeetingID) -> MeetingReplica<Body>? { meetings[meeting]?.replica }

    public func isHome(of meeting: MeetingID) -> Bool { meetings[meeting]?.epoch != nil }

    /// The PoPs that follow this one as the meeting's Home.
    public func branches(of meeting: MeetingID) -> Set<PoPName> { Set(meetings[meeting]?.subscribers.keys ?? [:].keys) }

    /// Whether changes of the meeting's Home come in.
    public func isSynced(_ meeting: MeetingID) -> Bool {
        isHome(of: meeting) || meetings[meeting]?.upstream?.isSynced ?? false
    }

    /// What is to be renewed in the Registry.
    public var leases: [Lease] {
        meetings.values.compactMap { meeting in
            meeting.epoch.map { Lease(meeting: meeting.id, number: meeting.number, epoch: $0) }
        }
    }

    // MARK: What the PoP wants

    /// Somebody here is in the meeting, or begins it.
    public mutating func open(_ id: MeetingID, number: MeetingNumber, at now: Duration) {
        guard meetings[id] == nil else { return }
        meetings[id] = ExchangedMeeting(
            id, number: number, firstRequest: highestRequest, policy: context.policy, at: now)
    }

    /// Nobody here is any more. A Home with Branches stays until another has taken over, or they have left.
    ///
    /// - Returns: whether the meeting is gone from here, and the lease to be released where this was the Home.
    public mutating func close(_ id: MeetingID) -> Lease? {
        guard let meeting = meetings[id], meeting.subscribers.isEmpty else { return nil }
        let lease = meeting.epoch.map { Lease(meeting: id, number: meeting.number, epoch: $0) }
        if let upstream = meeting.upstream { notice(.unsubscribe(id), to: upstream.peer) }
        for request in meeting.pending where !request.isOffer {
            events.append(.refused(id, request: request.id, reason: MeetingError.meetingNotFound.code))
        }
        highestRequest = max(highestRequest, meeting.lastRequest)
        pastCounters = pastCounters + meeting.counters
        meetings[id] = nil
        return lease
    }

    /// The meeting was ended for all: whoever leads it behind a partition is told.
    public mutating func noteEnd(of id: MeetingID, at now: Duration) { ended.insert(id, at: now) }

    /// This PoP is the standby of a meeting that `home` leads.
    public mutating func standBy(_ id: MeetingID, number: MeetingNumber, for home: PoPName, at now: Duration) {
        open(id, number: number, at: now)
        update(id) { meeting, context, effects in
            meeting.setStandby(true, at: now)
            if case .searching = meeting.role { meeting.follow(home, context, at: now, &effects) }
        }
    }

    /// Whether nobody here is in a meeting that stays.
    public mutating func setStandby(_ id: MeetingID, _ isStandby: Bool, at now: Duration) {
        update(id) { meeting, _, _ in meeting.setStandby(isStandby, at: now) }
    }

    /// At a meeting's Home: wants the peer to be its standby, or no more.
    public mutating func askStandby(_ peer: PoPName, of id: MeetingID, _ isWanted: Bool) {
        guard queues[peer] != nil else { return }
        update(id) { meeting, context, effects in
            meeting.reply(.standby(id, isWanted ? meeting.number : nil), to: peer, context, &effects)
        }
    }

    /// A client here wants a change; `done` or `refused` follows.
    ///
    /// - Returns: nil where the meeting is not here, or too many wait.
    public mutating func request(_ change: Body.Change, in id: MeetingID) -> UInt64? {
        update(id) { $0.request(change, $1, &$2) } ?? nil
    }

    public mutating func answer(_ search: HomeSearch, _ answer: HomeSearch.Answer, at now: Duration) {
        update(search.meeting) { meeting, context, effects in
            switch answer {
            case .lead(let epoch): meeting.lead(epoch, context, &effects)
            case .follow(let peer, let epoch):
                if case .searching = meeting.role { return meeting.follow(peer, context, at: now, &effects) }
                guard let epoch, case .home = meeting.role else { return }
                meeting.consider(Home(pop: peer, epoch: epoch), context, at: now, &effects)
            case .unknown: break
            }
        }
    }

    /// The Registry has made this PoP the Home of a meeting that is looking for one.
    public mutating func lead(_ id: MeetingID, epoch: UInt64) {
        update(id) { $0.lead(epoch, $1, &$2) }
    }

    /// The Registry says that another is Home.
    public mutating func leaseLost(_ id: MeetingID, to home: Home, at now: Duration) {
        update(id) { meeting, context, effects in
            guard case .home = meeting.role, let mine = meeting.replica.home else { return }
            if home.pop != context.pop.name, home.outranks(mine) {
                meeting.stepDown(to: home, context, at: now, &effects)
            } else {
                meeting.lost = home.pop == context.pop.name ? nil : home.pop
                meeting.raise(above: home.epoch, at: now)
            }
        }
    }

    public mutating func tick(at now: Duration) {
        for id in meetings.keys { update(id) { $0.tick($1, at: now, &$2) } }
    }

    // MARK: Links

    public mutating func linkOpened(_ peer: PoPInstance, at now: Duration) {
        if queues[peer.name] != nil { linkClosed(peer.name, at: now) }
        context.linked[peer.name] = peer.instance
        var queue = PeerQueue()
        for (id, meeting) in meetings {
            if meeting.epoch != nil { queue.claims.insert(id) }
            guard var upstream = meeting.upstream, upstream.peer == peer.name else { continue }
            upstream.lost = nil
            upstream.mustSubscribe = true
            upstream.asked = now
            upstream.unanswered = 0
            meetings[id]?.role = .branch(upstream)
            queue.ready.insert(id)
        }
        queues[peer.name] = queue
    }

    public mutating func linkClosed(_ peer: PoPName, at now: Duration) {
        queues[peer] = nil
        context.linked[peer] = nil
        for id in meetings.keys {
            update(id) { meeting, context, effects in
                meeting.unsubscribe(peer, &effects)
                meeting.replies[peer] = nil
                if case .home = meeting.role { meeting.dropAcknowledged() }
                guard meeting.upstream?.peer == peer else { return }
                meeting.follow(peer, context, at: now, &effects)
            }
        }
    }

    /// The next message for a peer, to be asked for when its connection takes more; nil where there is none now.
    public mutating func next(for peer: PoPName, at now: Duration) -> LinkMessage? {
        guard queues[peer] != nil else { return nil }
        if let notice = queues[peer]!.notices.popFirst() { return notice }
        if let claims = nextClaims(for: peer) { return claims }
        while let id = queues[peer]!.ready.popFirst() {
            guard let message = meetings[id]?.next(for: peer, context, at: now) else { continue }
            queues[peer]!.ready.insert(id)
            return message
        }
        return nil
    }

    private mutating func nextClaims(for peer: PoPName) -> LinkMessage? {
        var claims: [MeetingClaim] = []
        while claims.count < context.policy.homesInFrame, let id = queues[peer]?.claims.popFirst() {
            if let epoch = meetings[id]?.epoch { claims.append(MeetingClaim(id, epoch: epoch)) }
        }
        return claims.isEmpty ? nil : .homes(claims)
    }

    public mutating func receive(_ message: LinkMessage, from peer: PoPName, at now: Duration) {
        guard queues[peer] != nil else { return }
        switch message {
        case .ping, .pong, .goodbye, .trunk: break
        case .homes(let claims):
            for claim in claims {
                if ended.contains(claim.meeting, at: now) { notice(.ended(claim.meeting), to: peer) }
                update(claim.meeting) { $0.consider(Home(pop: peer, epoch: claim.epoch), $1, at: now, &$2) }
            }
        case .subscribe(let id, let last):
            guard meetings[id] != nil else {
                if ended.contains(id, at: now) { notice(.ended(id), to: peer) }
                return notice(.notHome(id, nil), to: peer)
            }
            update(id) { $0.subscribe(last, from: peer, $1, at: now, &$2) }
        case .unsubscribe(let id):
            update(id) { meeting, _, effects in
                meeting.unsubscribe(peer, &effects)
                if case .home = meeting.role { meeting.dropAcknowledged() }
            }
        case .ended(let id): if meetings[id] != nil { events.append(.ended(id)) }
        case .standby(let id, let number):
            if number != nil {
                update(id) { meeting, context, effects in
                    if case .searching = meeting.role { meeting.follow(peer, context, at: now, &effects) }
                }
            }
            events.append(.standby(id, number, peer))
        case .notHome(let id, let home):
            update(id) { $0.receive(notHome: home, from: peer, $1, at: now, &$2) }
        default: receiveOfHistory(message, from: peer, at: now)
        }
    }

    private mutating func receiveOfHistory(_ message: LinkMessage, from peer: PoPName, at now: Duration) {
        switch message {
        case .resumed(let id, let revision):
            known(id) { $0.receive(resumed: revision, from: peer, at: now, &$2) }
        case .state(let id, let revision, let origins, let body):
            known(id) { $0.receive(state: revision, origins, body, from: peer, $1, at: now, &$2) }
        case .change(let id, let revision, let origin, let body):
            known(id) { $0.receive(change: revision, origin, body, from: peer, $1, at: now, &$2) }
        case .acknowledge(let id, let revision): known(id) { $0.acknowledge(revision, from: peer, &$2) }
        case .request(let id, let epoch, let request, let body):
            guard meetings[id] != nil else { return notice(.notHome(id, nil), to: peer) }
            known(id) { $0.receive(request: request, epoch: epoch, body, from: peer, $1, &$2) }
        case .done(let id, let request, let revision):
            known(id) {
                guard $0.upstream?.peer == peer else {
                    $0.counters.foreign += 1
                    return
                }
                $0.receive(done: request, revision, &$2)
            }
        case .refused(let id, let request, let reason):
            known(id) {
                guard $0.upstream?.peer == peer else {
                    $0.counters.foreign += 1
                    return
                }
                $0.receive(refused: request, reason, &$2)
            }
        default: break
        }
    }

    // MARK: Within

    /// The same as `update`; what is about a meeting that is not here is counted.
    private mutating func known(
        _ id: MeetingID, _ body: (inout ExchangedMeeting<Body>, ExchangeContext, inout ExchangeEffects) -> Void
    ) {
        if update(id, body) == nil { pastCounters.foreign += 1 }
    }

    @discardableResult
    private mutating func update<Result>(
        _ id: MeetingID, _ body: (inout ExchangedMeeting<Body>, ExchangeContext, inout ExchangeEffects) -> Result
    ) -> Result? {
        var effects = ExchangeEffects()
        guard meetings[id] != nil else { return nil }
        let result = body(&meetings[id]!, context, &effects)
        events += effects.events
        for peer in effects.ready { queues[peer]?.ready.insert(id) }
        if effects.isAnnounced { for peer in queues.keys { queues[peer]?.claims.insert(id) } }
        if let peer = effects.told { queues[peer]?.claims.insert(id) }
        return result
    }

    private mutating func notice(_ message: LinkMessage, to peer: PoPName) {
        guard let count = queues[peer]?.notices.count else { return }
        guard count < context.policy.notices else { return events.append(.flood(peer)) }
        queues[peer]?.notices.append(message)
    }
}
