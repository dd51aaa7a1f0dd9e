import Meetings

@testable import Fleet

/// A connection of the simulated network: two ends, and bytes on their way in both directions.
struct SimulatedPipe {
    struct End: Equatable {
        let node: Int
        let instance: UInt64
        let connection: LinkRoster.ConnectionID
    }

    let ends: [End]
    /// One way.
    let delay: Duration
    /// Towards the end of this index, by arrival.
    var bytes: [[(arrival: Duration, bytes: [UInt8])]] = [[], []]
    /// Since when an end has closed it; the other hears of it when all has arrived.
    var closed: [Duration?] = [nil, nil]
    /// The host of an end is gone without a word.
    var isSilent = [false, false]

    func waiting(towards end: Int) -> Int { bytes[end].reduce(0) { $0 + $1.bytes.count } }
}

/// A PoP of the simulation.
struct SimulatedPoP {
    let pop: PoPInstance
    var roster: LinkRoster
    var exchange: MeetingExchange<TestMeeting>
    let registry: MemoryRegistry
    var nextRenewal: Duration
    /// What its clients asked for, and were not answered yet.
    var asked: [MeetingID: [UInt64: TestMeeting.Change]] = [:]
    /// What they were told is done, the latest for each key.
    var told: [MeetingID: [String: Int]] = [:]
    var epochs: [MeetingID: UInt64] = [:]
    /// Messages that it takes from its queues at once: a slow one takes few.
    var value = 0
}

/// PoPs on one clock: links with delays, losses, partitions, kills and restarts, and a Registry that may be away.
final class SimulatedLinks {
    static let step = Duration.milliseconds(100)
    let meetings = (1...3).map { MeetingID("m_\($0)")! }
    let numbers = (1...3).map { MeetingNumber("\(100_000_000 + $0)")! }
    let names: [PoPName]
    let hasRegistry: Bool
    let clock = SimulatedClock()
    let store: MemoryRegistry.Store
    var random: Seeded
    var nodes: [SimulatedPoP?]
    var pipes: [SimulatedPipe] = []
    /// Pairs that do not reach each other, the first index lower.
    var cut: Set<[Int]> = []
    var opens: [[Bool]]
    var violations: [String] = []
    let policy = LinkPolicy()

    init(_ seed: Int, pops: Int? = nil, hasRegistry: Bool? = nil) {
        random = Seeded(seed)
        let count = pops ?? Int.random(in: 3...6, using: &random)
        names = (0..<count).map { PoPName("p\($0)")! }
        self.hasRegistry = hasRegistry ?? (Int.random(in: 0..<3, using: &random) > 0)
        store = MemoryRegistry.Store { [clock] in clock.now }
        nodes = Array(repeating: nil, count: count)
        opens = (0..<count).map { _ in [] }
        for index in 0..<count {
            opens[index] = meetings.map { _ in Int.random(in: 0..<4, using: &random) > 0 }
            start(index)
        }
    }

    var now: Duration { clock.now }

    func start(_ index: Int) {
        let pop = PoPInstance(name: names[index], using: &random)
        var node = SimulatedPoP(
            pop: pop, roster: LinkRoster(hello: LinkHello(fleet: "f", pop: pop), policy: policy),
            exchange: MeetingExchange(pop: pop, policy: policy), registry: MemoryRegistry(store, as: pop),
            nextRenewal: now)
        for name in names { node.roster.want(name, at: now) }
        for (meeting, isOpen) in opens[index].enumerated() where isOpen {
            node.exchange.open(meetings[meeting], number: numbers[meeting], at: now)
        }
        nodes[index] = node
    }

    /// - Parameter isSilent: the host is gone, and not only the process: nobody is told that its connections have ended.
    func kill(_ index: Int, isSilent: Bool) {
        guard let node = nodes[index] else { return }
        for pipe in pipes.indices {
            for end in 0...1
            where pipes[pipe].ends[end].node == index && pipes[pipe].ends[end].instance == node.pop.instance {
                if isSilent { pipes[pipe].isSilent[end] = true } else { pipes[pipe].closed[end] = now }
            }
        }
        nodes[index] = nil
    }

    func isCut(_ a: Int, _ b: Int) -> Bool { cut.contains([min(a, b), max(a, b)]) }

    // MARK: A step

    func advance() async {
        clock.now += Self.step
        deliver()
        for index in nodes.indices where nodes[index] != nil {
            nodes[index]!.roster.tick(at: now, using: &random)
            nodes[index]!.exchange.tick(at: now)
            await work(index)
        }
    }

    /// Handles what happened at a PoP, until nothing more follows.
    private func work(_ index: Int) async {
        handleLinks(index)
        while await handleMeetings(index) {}
        if hasRegistry, now >= nodes[index]!.nextRenewal { await renew(index) }
        for action in nodes[index]!.roster.takeActions() { perform(action, of: index) }
        send(index)
        check(index)
    }

    private func handleLinks(_ index: Int) {
        for event in nodes[index]!.roster.takeEvents() {
            switch event {
            case .opened(let peer, _): nodes[index]!.exchange.linkOpened(peer, at: now)
            case .closed(let peer, _): nodes[index]!.exchange.linkClosed(peer, at: now)
            case .message(let peer, let message): nodes[index]!.exchange.receive(message, from: peer, at: now)
            case .refused: break
            }
        }
    }

    /// - Returns: whether there was something.
    private func handleMeetings(_ index: Int) async -> Bool {
        let events = nodes[index]!.exchange.takeEvents()
        for event in events {
            switch event {
            case .done(let meeting, let request):
                guard let change = nodes[index]!.asked[meeting]?.removeValue(forKey: request) else {
                    violations.append("an answer to nothing")
                    continue
                }
                nodes[index]!.told[meeting, default: [:]][change.key] = change.value
            case .refused(let meeting, let request, let reason):
                let change = nodes[index]!.asked[meeting]?.removeValue(forKey: request)
                if change == nil || reason != "unlucky" { violations.append("refused: \(reason)") }
            case .search(let search):
                let answer = hasRegistry ? await search.answer(from: nodes[index]!.registry) : search.byHash()
                nodes[index]!.exchange.answer(search, answer, at: now)
            case .flood(let peer): nodes[index]!.roster.part(peer, .flood, at: now, using: &random)
            case .changed, .leads, .follows, .standby, .ended: break
            }
        }
        return !events.isEmpty
    }

    private func renew(_ index: Int) async {
        nodes[index]!.nextRenewal = now + .seconds(5)
        guard let outcome = try? await nodes[index]!.registry.renew(nodes[index]!.exchange.leases) else { return }
        for (meeting, home) in outcome.lost.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            nodes[index]!.exchange.leaseLost(meeting, to: home, at: now)
        }
    }

    private func perform(_ action: LinkRoster.Action, of index: Int) {
        switch action {
        case .dial(let peer, let id):
            let other = names.firstIndex(of: peer)!
            guard nodes[other] != nil, !isCut(index, other),
                let accepted = nodes[other]!.roster.accept(certified: names[index], at: now)
            else { return nodes[index]!.roster.closed(id, at: now, using: &random) }
            nodes[index]!.roster.connected(id, at: now)
            pipes.append(
                SimulatedPipe(
                    ends: [
                        .init(node: index, instance: nodes[index]!.pop.instance, connection: id),
                        .init(node: other, instance: nodes[other]!.pop.instance, connection: accepted),
                    ], delay: .milliseconds(Int.random(in: 2...120, using: &random))))
        case .close(let id, let last):
            guard let (pipe, end) = find(id, of: index) else { return }
            pipes[pipe].bytes[1 - end].append((now + pipes[pipe].delay, last))
            pipes[pipe].closed[end] = now
        }
    }

    private func find(_ id: LinkRoster.ConnectionID, of index: Int) -> (pipe: Int, end: Int)? {
        guard let instance = nodes[index]?.pop.instance else { return nil }
        let wanted = SimulatedPipe.End(node: index, instance: instance, connection: id)
        for pipe in pipes.indices {
            if let end = pipes[pipe].ends.firstIndex(of: wanted) { return (pipe, end) }
        }
        return nil
    }

    /// As a transport does: while less than 16 KiB are on their way, the next message.
    private func send(_ index: Int) {
        let instance = nodes[index]!.pop.instance
        for pipe in pipes.indices {
            for end in 0...1
            where pipes[pipe].ends[end].node == index && pipes[pipe].ends[end].instance == instance
                && pipes[pipe].closed[end] == nil
            {
                let id = pipes[pipe].ends[end].connection
                var bytes = nodes[index]!.roster.takeOutput(id)
                let peer = nodes[index]!.roster.peer(of: id)
                while let peer, bytes.count + pipes[pipe].waiting(towards: 1 - end) < 16 << 10,
                    let message = nodes[index]!.exchange.next(for: peer, at: now)
                {
                    bytes += message.frame.bytes
                }
                if !bytes.isEmpty { pipes[pipe].bytes[1 - end].append((now + pipes[pipe].delay, bytes)) }
            }
        }
    }

    private func deliver() {
        for pipe in pipes.indices {
            let ends = pipes[pipe].ends
            guard !isCut(ends[0].node, ends[1].node) else { continue }
            for end in 0...1 {
                let (node, id) = (ends[end].node, ends[end].connection)
                let isThere = nodes[node]?.pop.instance == ends[end].instance && pipes[pipe].closed[end] == nil
                while let first = pipes[pipe].bytes[end].first, first.arrival <= now {
                    pipes[pipe].bytes[end].removeFirst()
                    if isThere { nodes[node]!.roster.receive(first.bytes, on: id, at: now, using: &random) }
                }
                if isThere, pipes[pipe].bytes[end].isEmpty, let closed = pipes[pipe].closed[1 - end],
                    closed + pipes[pipe].delay <= now
                {
                    nodes[node]!.roster.closed(id, at: now, using: &random)
                    pipes[pipe].closed[end] = now
                }
            }
        }
        // A host that was started again knows nothing of its old connections, and says so to who writes to them.
        for pipe in pipes.indices {
            for end in 0...1 where pipes[pipe].isSilent[end] && nodes[pipes[pipe].ends[end].node] != nil {
                pipes[pipe].closed[end] = pipes[pipe].closed[end] ?? now
            }
        }
        pipes.removeAll { pipe in
            (0...1).allSatisfy {
                pipe.closed[$0] != nil || nodes[pipe.ends[$0].node]?.pop.instance != pipe.ends[$0].instance
            }
        }
    }

    // MARK: What must hold

    private func check(_ index: Int) {
        for (id, meeting) in nodes[index]!.exchange.meetings {
            let epoch = meeting.replica.home?.epoch ?? 0
            if epoch < nodes[index]!.epochs[id] ?? 0 { violations.append("an epoch went back at \(names[index])") }
            nodes[index]!.epochs[id] = epoch
            if meeting.log.count > policy.logChanges || meeting.log.size > policy.logBytes
                || meeting.pending.count > policy.pendingRequests + policy.ownChanges
                || meeting.replies.values.contains(where: { $0.count > policy.replies })
                || meeting.subscribers.values.contains(where: { $0.inFlight.count > policy.window })
            {
                violations.append("a queue without a bound at \(names[index])")
            }
        }
    }

    /// Whether there is one connection between the two, and both take it for their link.
    private func isLinked(_ a: Int, _ b: Int) -> Bool {
        let between = pipes.filter { pipe in Set(pipe.ends.map(\.node)) == [a, b] }
        guard between.count == 1, let pipe = between.first else { return false }
        return pipe.ends.allSatisfy { end in
            nodes[end.node]?.roster.connection(to: names[end.node == a ? b : a]) == end.connection
        }
    }

    /// Nil when all is whole: one link between each two PoPs, one Home for each meeting, all copies equal, nothing asked without an answer.
    func difference() -> String? {
        for a in nodes.indices {
            for b in a + 1..<nodes.count where !isLinked(a, b) { return "\(names[a]) and \(names[b]) are not linked" }
        }
        for (meeting, id) in meetings.enumerated() {
            let members = nodes.indices.filter { opens[$0][meeting] }
            let exchanges = members.compactMap { nodes[$0]?.exchange }
            let homes = exchanges.filter { $0.isHome(of: id) }
            if !exchanges.isEmpty, homes.count != 1 { return "\(id) has \(homes.count) Homes" }
            if let index = exchanges.firstIndex(where: { !$0.isSynced(id) }) {
                return "\(members[index]) is not synced"
            }
            if Set(exchanges.map { $0.replica(of: id)?.revision }).count > 1 { return "\(id): revisions differ" }
            if let first = exchanges.first?.replica(of: id)?.body {
                for other in exchanges where other.replica(of: id)?.body != first { return "\(id): copies differ" }
            }
            for exchange in exchanges where !exchange.meetings[id]!.pending.isEmpty { return "\(id): requests wait" }
        }
        for node in nodes.compactMap({ $0 }) where node.asked.values.contains(where: { !$0.isEmpty }) {
            return "\(node.pop.name): clients wait"
        }
        return nil
    }

    /// What clients of PoPs that are still there were told is done, and is not so.
    func lost() -> [String] {
        var lost: [String] = []
        for node in nodes.compactMap({ $0 }) {
            for (meeting, values) in node.told {
                let body = node.exchange.replica(of: meeting)?.body
                for (key, value) in values where (body?.values[key] ?? -1) < value {
                    lost.append("\(meeting) \(key): told \(value), is \(body?.values[key] ?? -1)")
                }
            }
        }
        return lost
    }
}

/// What the Registry of a simulation reads.
final class SimulatedClock: @unchecked Sendable {
    // Only the task of one simulation uses it.
    var now: Duration = .seconds(1)
}
