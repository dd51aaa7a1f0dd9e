import Conference
import Fleet
import Logging
import Meetings
import NIOCore
import NIOWebSocket
import Synchronization
import TestSupport

@testable import Api

/// A PoP of the simulated fleet: a hub, its media side from a script, and its part in shared meetings.
final class SharedNode: SharedMeetings {
    let instance: PoPInstance
    let media = FakeMedia()
    let registry: MemoryRegistry
    private let state = Mutex<[SharedOrder]>([])
    private let view = Mutex(FleetView())
    // Only the task of one simulation uses what follows.
    nonisolated(unsafe) var hub: MeetingHub!
    nonisolated(unsafe) var member: FleetMember!
    nonisolated(unsafe) var exchange: MeetingExchange<SharedMeeting>
    nonisolated(unsafe) var tags: [MeetingID: [UInt64: UInt64]] = [:]
    /// What the media side was told last of those elsewhere.
    nonisolated(unsafe) var remotes: [ParticipantID: RemotePublisher] = [:]
    nonisolated(unsafe) var peers: [MeetingID: [PoPName]] = [:]
    nonisolated(unsafe) var closing: Set<MeetingID> = []

    init(_ name: String, instance number: UInt64, _ store: MemoryRegistry.Store) {
        instance = PoPInstance(name: PoPName(name)!, instance: number)
        registry = MemoryRegistry(store, as: instance)
        exchange = MeetingExchange(pop: instance)
    }

    func post(_ order: SharedOrder) -> Bool {
        state.withLock { $0.append(order) }
        return true
    }

    func takeOrders() -> [SharedOrder] {
        state.withLock { orders in
            defer { orders = [] }
            return orders
        }
    }

    /// What this PoP knows of the others.
    struct FleetView {
        var linked: [PoPName] = []
        var leaving: Set<PoPName> = []
    }

    func know(_ change: (inout FleetView) -> Void) { view.withLock { change(&$0) } }

    var alternates: [String] { ["wss://alternate.example.org/api/v1/signal"] }

    func socket(of pop: PoPName) -> String? { "wss://\(pop).example.org/api/v1/signal" }

    func standbys(of meeting: MeetingID) -> [PoPName] {
        view.withLock { view in view.linked.filter { !view.leaving.contains($0) } }
    }

    func isLeaving(_ pop: PoPName) -> Bool { view.withLock { $0.leaving.contains(pop) } }

    func sites(of pops: [PoPName]) -> [Site] { pops.map { Site(name: $0.rawValue) } }
}

/// PoPs on one virtual clock with links without delay, which can be cut.
final class SharedFleet {
    let clock = ManualClock()
    let store: MemoryRegistry.Store
    private let start: Timestamp
    private(set) var nodes: [SharedNode] = []
    /// Pairs that are linked, the lower index first.
    private var linked: Set<[Int]> = []
    private var instances: UInt64 = 0
    private let logger: Logger
    /// Nil: the system's.
    private var seeds: SplitMix?

    init(_ count: Int, seed: UInt64? = nil) {
        seeds = seed.map { SplitMix(seed: $0) }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        self.logger = logger
        let (clock, start) = (clock, clock.now)
        self.start = start
        store = MemoryRegistry.Store { .milliseconds(clock.now.milliseconds - start.milliseconds) }
        for index in 0..<count { nodes.append(make(index)) }
    }

    var now: Duration { .milliseconds(clock.now.milliseconds - start.milliseconds) }

    private func generator() -> any RandomNumberGenerator & Sendable {
        guard seeds != nil else { return SystemRandomNumberGenerator() }
        return SplitMix(seed: seeds!.next())
    }

    private func make(_ index: Int) -> SharedNode {
        instances += 1
        let node = SharedNode("pop\(index)", instance: instances, store)
        let member = FleetMember(
            FleetConfiguration(name: node.pop, url: "https://\(node.pop).example.org"), identity: NodeIdentity(),
            origins: FleetOrigins(), registry: node.registry, clock: clock, logger: logger)
        node.member = member
        node.hub = MeetingHub(
            limits: Limits(), media: node.media, fleet: member, sharing: node, clock: clock, generator: generator(),
            logger: logger)
        return node
    }

    // MARK: Links

    func link(_ a: Int, _ b: Int) async {
        guard linked.insert([min(a, b), max(a, b)]).inserted else { return }
        for (one, other) in [(nodes[a], nodes[b]), (nodes[b], nodes[a])] {
            one.know { $0.linked = ($0.linked + [other.pop]).sorted() }
            one.exchange.linkOpened(other.instance, at: now)
            await one.hub.take(.linked(other.instance))
        }
        await settle()
    }

    func cut(_ a: Int, _ b: Int) async {
        guard linked.remove([min(a, b), max(a, b)]) != nil else { return }
        for (one, other) in [(nodes[a], nodes[b]), (nodes[b], nodes[a])] {
            one.know { $0.linked.removeAll { $0 == other.pop } }
            one.exchange.linkClosed(other.pop, at: now)
            await one.hub.take(.unlinked(other.pop))
        }
        await settle()
    }

    func isLinked(_ a: Int, _ b: Int) -> Bool { linked.contains([min(a, b), max(a, b)]) }

    func linkAll() async {
        for a in nodes.indices {
            for b in nodes.indices where b > a { await link(a, b) }
        }
    }

    /// The others hear that the PoP is being drained.
    func drain(_ index: Int) async {
        let node = nodes[index]
        let state = await node.hub.drain.begin(for: .seconds(60), at: clock.now)
        await node.hub.take(state)
        noteDrain(of: index)
    }

    func noteDrain(of index: Int) {
        let name = nodes[index].pop
        for node in nodes { node.know { $0.leaving.insert(name) } }
    }

    /// The PoP ends without a word, and another process takes its place.
    func restart(_ index: Int) async {
        for other in nodes.indices where other != index { await cut(index, other) }
        let name = nodes[index].pop
        nodes[index] = make(index)
        for node in nodes { node.know { $0.leaving.remove(name) } }
    }

    // MARK: Time

    /// Lets time pass in steps of a quarter of a second, in which everybody does what is due.
    func pass(_ span: Duration) async {
        var rest = span
        while rest > .zero {
            rest -= .milliseconds(250)
            await clock.wake(after: .milliseconds(250))
            for node in nodes {
                node.exchange.tick(at: now)
                for id in node.closing { await endClosing(id, at: node) }
            }
            await settle()
            guard clock.now.milliseconds % 1_000 == 0 else { continue }
            for node in nodes {
                await node.hub.sweep()
                if let outcome = try? await node.registry.renew(node.exchange.leases) {
                    for (meeting, home) in outcome.lost { node.exchange.leaseLost(meeting, to: home, at: now) }
                }
            }
            await settle()
        }
    }

    /// Until nobody has anything to say to anybody.
    func settle() async {
        var isMoving = true
        while isMoving {
            isMoving = false
            for node in nodes {
                for order in node.takeOrders() {
                    isMoving = true
                    await perform(order, at: node)
                }
                for event in node.exchange.takeEvents() {
                    isMoving = true
                    await handle(event, at: node)
                }
            }
            for pair in linked.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                for (from, to) in [(nodes[pair[0]], nodes[pair[1]]), (nodes[pair[1]], nodes[pair[0]])] {
                    while let message = from.exchange.next(for: to.pop, at: now) {
                        isMoving = true
                        to.exchange.receive(message, from: from.pop, at: now)
                    }
                }
            }
        }
    }

    private func perform(_ order: SharedOrder, at node: SharedNode) async {
        switch order {
        case .begin(let id, let number, let epoch):
            node.exchange.open(id, number: number, at: now)
            node.exchange.lead(id, epoch: epoch)
        case .open(let id, let number):
            node.closing.remove(id)
            node.exchange.open(id, number: number, at: now)
            node.exchange.tick(at: now)
            await tellCopy(of: id, at: node)
        case .noteEnd(let id): node.exchange.noteEnd(of: id, at: now)
        case .standBy(let id, let number, let home):
            node.closing.remove(id)
            node.exchange.standBy(id, number: number, for: home, at: now)
        case .setStandby(let id, let isStandby):
            node.exchange.setStandby(id, isStandby, at: now)
            node.exchange.tick(at: now)
        case .askStandby(let pop, let id, let isWanted): node.exchange.askStandby(pop, of: id, isWanted)
        case .close(let id):
            node.closing.insert(id)
            await endClosing(id, at: node)
        case .request(let change, let id, let tag):
            guard let request = node.exchange.request(change, in: id) else {
                return await node.hub.take(.refused(tag: tag, reason: "home_unreachable"))
            }
            node.tags[id, default: [:]][request] = tag
        case .remote(let participant, _, let remote): node.remotes[participant] = remote
        case .peers(let pops, let meeting): node.peers[meeting] = pops
        }
    }

    /// A Home with Branches stays until they have left.
    private func endClosing(_ id: MeetingID, at node: SharedNode) async {
        let lease = node.exchange.close(id)
        guard node.exchange.replica(of: id) == nil else { return }
        node.closing.remove(id)
        if let lease { try? await node.registry.release(id, epoch: lease.epoch) }
    }

    private func handle(_ event: ExchangeEvent, at node: SharedNode) async {
        switch event {
        case .done(let id, let request):
            if let tag = node.tags[id]?.removeValue(forKey: request) { await node.hub.take(.done(tag: tag)) }
        case .refused(let id, let request, let reason):
            guard let tag = node.tags[id]?.removeValue(forKey: request) else { return }
            await node.hub.take(.refused(tag: tag, reason: reason))
        case .search(let search): node.exchange.answer(search, await search.answer(from: node.registry), at: now)
        case .changed(let id): await tellCopy(of: id, at: node)
        case .leads(let id, _), .follows(let id, _): await tellCopy(of: id, at: node)
        case .ended(let id): await node.hub.take(.ended(id))
        case .standby(let id, let number, let home): await node.hub.take(.standby(id, number, home))
        case .flood: break
        }
    }

    private func tellCopy(of id: MeetingID, at node: SharedNode) async {
        guard let body = node.exchange.replica(of: id)?.body else { return }
        let (isHome, branches) = (node.exchange.isHome(of: id), node.exchange.branches(of: id))
        await node.hub.take(.copy(id, body, isHome: isHome, branches: branches))
    }

    // MARK: People

    /// Runs a call of a hub while the fleet goes on.
    func run<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        let ending = Ending()
        let call = Task {
            defer { ending.note() }
            return try await body()
        }
        while !ending.isThere {
            await settle()
            await Task.yield()
        }
        await settle()
        return try await call.value
    }

    private final class Ending: Sendable {
        private let state = Mutex(false)
        var isThere: Bool { state.withLock { $0 } }
        func note() { state.withLock { $0 = true } }
    }

    /// Somebody joins at a PoP by the meeting's number.
    func join(
        _ name: String, _ meeting: Meeting, at index: Int, publishes: PublishedMedia = PublishedMedia(audio: true),
        hostKey: String? = nil
    ) async throws -> SharedPerson {
        let hub: MeetingHub = nodes[index].hub
        let socket = NotingSocket()
        let request = JoinRequest(displayName: name, hostKey: hostKey)
        let id = try await run {
            let found = try await hub.find(meeting.number.description)
            let participant = try await hub.admit(found.id, request, Arrival(way: .socket, address: "192.0.2.1"))
            let change = ClientMessage.MediaStateChange(
                audio: publishes.audio, video: publishes.video, screen: publishes.screen)
            try await hub.attach(
                participant.id, in: found.id, SocketJoin(offer: "offer", mediaState: change, token: "", isFresh: true),
                socket)
            return participant.id
        }
        await settle()
        return SharedPerson(id: id, meeting: meeting.id, pop: index, socket: socket)
    }
}

/// Somebody in a shared meeting, and what its socket was told.
final class SharedPerson {
    let id: ParticipantID
    let meeting: MeetingID
    var pop: Int
    var socket: NotingSocket
    /// All that it was told.
    private(set) var told: [String] = []

    init(id: ParticipantID, meeting: MeetingID, pop: Int, socket: NotingSocket) {
        self.id = id
        self.meeting = meeting
        self.pop = pop
        self.socket = socket
    }

    /// What it was told since the last look that has all these words.
    func hears(_ words: String...) -> Bool {
        let new = socket.take()
        told += new
        return new.contains { text in words.allSatisfy { text.contains($0) } }
    }

    /// Its resume token, by its last `joined`.
    func resumeToken() -> String? {
        told += socket.take()
        return told.last { $0.contains("\"joined\"") }
            .flatMap { $0.firstMatch(of: /"resume":"([^"]+)"/)?.output.1 }.map(String.init)
    }
}
