import Conference
import Fleet
import Logging
import Meetings
import NIOCore
import Wire

/// Drives a PoP's links and its part in shared meetings: the roster and the exchange decide, this does it. It and all it holds
/// live on one event loop.
final class LinkDriver<Body: MeetingBody>: LinkChannelOwner {
    /// A connection that is being made: to one address after the other.
    struct Dial {
        let peer: PoPName
        var rest: ArraySlice<LinkAddress>
        var failure: LinkFailure
        var channel: LinkChannel?
    }

    /// Connections of strangers in their handshake: in all, and of one address.
    static var mostShaking: Int { 256 }
    static var mostShakingOfOne: Int { 32 }
    /// Bytes on their way to a peer above which no more are written, and about as many are written at once.
    private static var highWater: Int { 128 << 10 }
    private static var batch: Int { 64 << 10 }

    let configuration: LinkConfiguration
    let eventLoop: any EventLoop
    let events: LinkEvents
    let registry: (any Registry)?
    let logger: Logger
    private let clock: @Sendable () -> Duration

    var roster: LinkRoster
    var exchange: MeetingExchange<Body>
    var random = SystemRandomNumberGenerator()
    var channels: [LinkRoster.ConnectionID: LinkChannel] = [:]
    var shaking: [ObjectIdentifier: LinkChannel] = [:]
    var shakingSites = Tally<IPAddress>(limit: LinkDriver.mostShakingOfOne)
    var dials: [LinkRoster.ConnectionID: Dial] = [:]
    var addresses: [PoPName: [LinkAddress]] = [:]
    var searches: Set<MeetingID> = []
    /// Meetings in which nobody here is any more, of which others are Branches.
    var closing: Set<MeetingID> = []
    var isStopping = false
    private(set) var refused: [String: UInt64] = [:]
    private(set) var ended: [String: UInt64] = [:]
    private var trunks: [PoPName: TrunkQueue] = [:]
    private var complaints: LinkComplaints
    private var isWorkDue = false
    /// Whose turn it is, so that neither meetings nor Trunks wait for the other's flood.
    private var isTrunksTurn = false

    init(
        _ configuration: LinkConfiguration, pop: PoPInstance, registry: (any Registry)?, eventLoop: any EventLoop,
        events: LinkEvents, logger: Logger, utc: Int64, clock: @escaping @Sendable () -> Duration
    ) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.events = events
        self.registry = registry
        self.logger = logger
        self.clock = clock
        roster = LinkRoster(
            hello: LinkHello(fleet: configuration.fleet, pop: pop, clock: utc), policy: configuration.policy)
        exchange = MeetingExchange(pop: pop, policy: configuration.policy)
        complaints = LinkComplaints(logger)
    }

    var now: Duration { clock() }
    var policy: LinkPolicy { configuration.policy }

    // MARK: Work

    /// Does what follows from what has happened, once for all that happens in one turn of the loop.
    func workSoon() {
        guard !isWorkDue else { return }
        isWorkDue = true
        eventLoop.assumeIsolated().execute {
            self.isWorkDue = false
            self.work()
        }
    }

    func tick() {
        let now = now
        roster.tick(at: now, using: &random)
        exchange.tick(at: now)
        for (id, channel) in channels where channel.isStalled(for: policy.stall, at: now) {
            guard let peer = roster.peer(of: id) else { continue }
            roster.part(peer, .stalled, at: now, using: &random)
        }
        for meeting in closing { endClosing(meeting) }
        work()
    }

    private func work() {
        handle()
        for (id, channel) in channels { pump(id, channel) }
    }

    /// Until nothing more follows.
    func handle() {
        while true {
            let heard = roster.takeEvents()
            for event in heard {
                handle(event)
                handleMeetings()
            }
            handleMeetings()
            let actions = roster.takeActions()
            for action in actions { perform(action) }
            if heard.isEmpty && actions.isEmpty { return }
        }
    }

    private func handle(_ event: LinkRoster.Event) {
        switch event {
        case .opened(let peer, let version):
            complaints.forget(peer.name.rawValue)
            logger.info("linked with a PoP", metadata: ["pop": "\(peer.name)", "version": "\(version)"])
            trunks[peer.name] = TrunkQueue(policy: policy)
            events.append(.opened(peer))
            exchange.linkOpened(peer, at: now)
        case .message(let peer, .trunk(let bytes)): events.append(.trunk(peer, bytes))
        case .message(let peer, let message): exchange.receive(message, from: peer, at: now)
        case .closed(let peer, let failure):
            trunks[peer] = nil
            ended[failure.kind, default: 0] += 1
            if failure != .stopping { complaints.say("the link with a PoP ended", peer.rawValue, failure, at: now) }
            events.append(.closed(peer))
            exchange.linkClosed(peer, at: now)
        case .refused(let peer, let failure): refuse(peer?.rawValue ?? "?", failure)
        }
    }

    /// Counts a connection that becomes no link.
    func refuse(_ who: String, _ failure: LinkFailure) {
        refused[failure.kind, default: 0] += 1
        guard failure != .duplicate, failure != .stopping else { return }
        complaints.say("no link", who, failure, at: now)
    }

    private func handleMeetings() {
        while true {
            let happened = exchange.takeEvents()
            if happened.isEmpty { return }
            for event in happened { handle(event) }
        }
    }

    private func handle(_ event: ExchangeEvent) {
        switch event {
        case .search(let search): ask(search)
        case .flood(let peer): roster.part(peer, .flood, at: now, using: &random)
        case .done(let meeting, let request): events.append(.done(meeting, request: request))
        case .refused(let meeting, let request, let reason):
            events.append(.refused(meeting, request: request, reason: reason))
        case .changed(let meeting): events.append(.changed(meeting))
        case .leads(let meeting, let epoch): events.append(.leads(meeting, epoch: epoch))
        case .follows(let meeting, let peer): events.append(.follows(meeting, peer))
        case .ended(let meeting): events.append(.ended(meeting))
        case .standby(let meeting, let number, let peer): events.append(.standby(meeting, number, peer))
        }
    }

    /// One question for each meeting at a time.
    private func ask(_ search: HomeSearch) {
        guard let registry else {
            return exchange.answer(search, search.byHash(), at: now)
        }
        guard searches.insert(search.meeting).inserted else { return }
        let this = NIOLoopBound(self, eventLoop: eventLoop)
        Task { [eventLoop] in
            let answer = await search.answer(from: registry)
            eventLoop.execute { this.value.take(answer, to: search) }
        }
    }

    private func take(_ answer: HomeSearch.Answer, to search: HomeSearch) {
        searches.remove(search.meeting)
        exchange.answer(search, answer, at: now)
        workSoon()
    }

    // MARK: To the peers

    /// Writes what there is while the network takes it.
    private func pump(_ id: LinkRoster.ConnectionID, _ channel: LinkChannel) {
        let peer = roster.peer(of: id)
        while channel.underWay < Self.highWater {
            var bytes = roster.takeOutput(id)
            while let peer, bytes.count < Self.batch, let message = nextMessage(for: peer) {
                bytes += message.frame.bytes
            }
            guard !bytes.isEmpty else { return }
            channel.write(bytes, at: now)
        }
    }

    private func nextMessage(for peer: PoPName) -> LinkMessage? {
        isTrunksTurn.toggle()
        if isTrunksTurn, let message = trunks[peer]?.popFirst() { return .trunk(message) }
        if let message = exchange.next(for: peer, at: now) { return message }
        return trunks[peer]?.popFirst().map(LinkMessage.trunk)
    }

    /// - Returns: false where there is no link, or too much waits for it: then it ends.
    func send(trunk message: [UInt8], to peer: PoPName) -> Bool {
        guard message.count <= LinkPolicy.trunkLimit, trunks[peer] != nil else { return false }
        workSoon()
        guard trunks[peer]!.append(message) else {
            roster.part(peer, .stalled, at: now, using: &random)
            return false
        }
        return true
    }

    // MARK: From the peers

    var takesMore: Bool { !events.isFull }

    func readOn() {
        for channel in channels.values { channel.readOn() }
        for channel in shaking.values { channel.readOn() }
    }

    func received(_ bytes: [UInt8], on channel: LinkChannel) {
        guard let id = channel.id else { return }
        roster.receive(bytes, on: id, at: now, using: &random)
        workSoon()
    }

    func taken(_ channel: LinkChannel) { if channel.underWay < Self.highWater { workSoon() } }
}
