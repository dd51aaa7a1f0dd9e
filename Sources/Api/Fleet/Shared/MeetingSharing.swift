import Conference
import Fleet
import Logging
import Meetings
import ServiceLifecycle
import Synchronization
import Wire

/// Carries what the hub asks of the fleet to the links and to the media side, and what these say to the hub.
final class MeetingSharing: SharedMeetings {
    /// How long the Lanes to a PoP stay whose link is gone: it may be all that is lost.
    static let trunkPatience: Duration = .seconds(30)

    let instance: PoPInstance
    private let links: LinkService<SharedMeeting>
    private let trunks: any TrunkPlane
    private let member: FleetMember
    private let clock: any ApiClock
    private let orders = SharedOrders()
    private let state = Mutex(State())

    private struct State {
        var requests = RequestTags()
        var known = KnownPoPs()
        /// Which start of each PoP was linked last.
        var instances: [PoPName: UInt64] = [:]
        var linked: Set<PoPName> = []
        var closed: [PoPName: Timestamp] = [:]
        /// Linked ones whose media addresses the Registry has not told yet.
        var unaddressed: Set<PoPName> = []
    }

    init(
        links: LinkService<SharedMeeting>, trunks: any TrunkPlane, member: FleetMember, instance: PoPInstance,
        clock: any ApiClock
    ) {
        self.links = links
        self.trunks = trunks
        self.member = member
        self.instance = instance
        self.clock = clock
    }

    func post(_ order: SharedOrder) -> Bool { orders.append(order) }

    func sites(of pops: [PoPName]) -> [Site] {
        state.withLock { state in pops.map { state.known.sites[$0] ?? Site(name: $0.rawValue) } }
    }

    var alternates: [String] { state.withLock { $0.known.alternates } }

    func socket(of pop: PoPName) -> String? { state.withLock { $0.known.socket(of: pop) } }

    func standbys(of meeting: MeetingID) -> [PoPName] {
        let (known, linked) = state.withLock { ($0.known, $0.linked) }
        return known.standbys(of: meeting, among: linked)
    }

    func isLeaving(_ pop: PoPName) -> Bool { state.withLock { $0.known.leaving.contains(pop) } }

    // MARK: Carrying

    /// Until the task is cancelled.
    func run(_ hub: MeetingHub) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.orders.hand { await self.carry($0, hub) } }
            group.addTask { for await event in self.links.events { await self.carry(event, hub) } }
            group.addTask {
                for await message in self.trunks.trunkMessages {
                    await self.links.send(trunk: message.bytes, to: message.pop)
                }
            }
            group.addTask {
                while !Task.isCancelled {
                    await self.look()
                    try? await self.clock.sleep(for: .seconds(1))
                }
            }
        }
    }

    private func carry(_ order: SharedOrder, _ hub: MeetingHub) async {
        switch order {
        case .begin(let id, let number, let epoch): await links.open(id, number: number, granted: epoch)
        case .open(let id, let number):
            await links.open(id, number: number)
            // Where this PoP had it still, nothing changes that would be told.
            await tellCopy(of: id, hub)
        case .close(let id): await links.close(id)
        case .noteEnd(let id): await links.noteEnd(of: id)
        case .standBy(let id, let number, let home): await links.standBy(id, number: number, for: home)
        case .setStandby(let id, let isStandby): await links.setStandby(id, isStandby)
        case .askStandby(let pop, let id, let isWanted): await links.askStandby(pop, of: id, isWanted)
        case .request(let change, let id, let tag): await request(change, in: id, tag, hub)
        case .remote(let participant, let id, let remote): await trunks.setRemote(participant, in: id, remote)
        case .peers(let pops, let id): await trunks.setPeers(pops, of: id)
        }
    }

    private func request(_ change: SharedChange, in id: MeetingID, _ tag: UInt64, _ hub: MeetingHub) async {
        state.withLock { $0.requests.begin() }
        let request = await links.request(change, in: id)
        let news = state.withLock { state -> SharedNews? in
            guard let request else {
                state.requests.end()
                return .refused(tag: tag, reason: Problem.homeUnreachable.code)
            }
            return state.requests.end(request, in: id, tag)
        }
        if let news { await hub.take(news) }
    }

    private func carry(_ event: LinkEvent, _ hub: MeetingHub) async {
        switch event {
        case .opened(let peer): await open(peer, hub)
        case .closed(let name):
            state.withLock { state in
                state.linked.remove(name)
                state.closed[name] = clock.now
                state.unaddressed.remove(name)
            }
            await trunks.trunkClosed(name, isLost: false)
            await hub.take(.unlinked(name))
        case .trunk(let name, let message): await trunks.receive(message, from: name)
        case .done(let id, let request):
            if let news = state.withLock({ $0.requests.take(request, in: id, nil) }) { await hub.take(news) }
        case .refused(let id, let request, let reason):
            if let news = state.withLock({ $0.requests.take(request, in: id, reason) }) { await hub.take(news) }
        case .changed(let id), .leads(let id, _), .follows(let id, _): await tellCopy(of: id, hub)
        case .ended(let id): await hub.take(.ended(id))
        case .standby(let id, let number, let home): await hub.take(.standby(id, number, home))
        }
    }

    private func tellCopy(of id: MeetingID, _ hub: MeetingHub) async {
        guard let replica = await links.replica(of: id) else { return }
        let (isHome, branches) = await (links.isHome(of: id), links.branches(of: id))
        await hub.take(.copy(id, replica.body, isHome: isHome, branches: branches))
    }

    // MARK: PoPs

    private func open(_ peer: PoPInstance, _ hub: MeetingHub) async {
        let isOther = state.withLock { state in
            state.linked.insert(peer.name)
            state.closed[peer.name] = nil
            let before = state.instances.updateValue(peer.instance, forKey: peer.name)
            return before != nil && before != peer.instance
        }
        // Another start of it knows nothing of the Lanes of the former.
        if isOther { await trunks.trunkClosed(peer.name, isLost: true) }
        if await !openTrunk(peer.name) { state.withLock { _ = $0.unaddressed.insert(peer.name) } }
        await hub.take(.linked(peer))
    }

    /// - Returns: false where nobody knows yet where the PoP receives media.
    private func openTrunk(_ name: PoPName) async -> Bool {
        let addresses = await member.mediaAddresses(of: name).compactMap { Endpoint($0) }
        // Its link may be gone meanwhile, and then there is nothing to open.
        guard state.withLock({ $0.linked.contains(name) }) else { return true }
        guard !addresses.isEmpty else { return false }
        await trunks.trunkOpened(name, addresses: addresses)
        return true
    }

    /// Each second.
    private func look() async {
        let known = await member.known
        let now = clock.now
        let lost = state.withLock { state in
            state.known = known
            let lost = state.closed.filter { now - $0.value >= Self.trunkPatience }.map(\.key)
            for name in lost { state.closed[name] = nil }
            return lost
        }
        for name in lost { await trunks.trunkClosed(name, isLost: true) }
        for name in state.withLock(\.unaddressed) where await openTrunk(name) {
            state.withLock { _ = $0.unaddressed.remove(name) }
        }
    }
}

/// A PoP's part in shared meetings: until all that uses it has stopped.
struct SharingService: Service {
    let sharing: MeetingSharing
    let hub: MeetingHub

    func run() async throws { await cancelWhenGracefulShutdown { await sharing.run(hub) } }
}
