import Conference
import Fleet
import Meetings
import Synchronization
import TestSupport

@testable import Api

/// A course of a simulated fleet from one seed: people come, go, lose their sockets and move, PoPs and links are lost and
/// come back. What must not be is noted.
final class SharedSimulation {
    /// A call of a hub that goes on, as others do.
    struct Call {
        var name: String
        var node: SharedNode
        var since: Duration
        var outcome: Outcome
        var end: (Bool) -> Void
    }

    final class Outcome: Sendable {
        private let state = Mutex<Bool?>(nil)
        /// Nil: it goes on; whether it was granted.
        var isGranted: Bool? { state.withLock { $0 } }
        func note(_ isGranted: Bool) { state.withLock { $0 = isGranted } }
    }

    let fleet: SharedFleet
    var random: SplitMix
    var meetings: [Meeting] = []
    var clients: [SimulatedClient] = []
    var calls: [Call] = []
    /// Until when nodes are drained; then their processes end.
    var drains: [Int: Duration] = [:]
    /// Meetings that a host ended for all, and how many PoPs had been killed before.
    var ended: [Int: Int] = [:]
    private(set) var kills = 0
    /// Since when somebody is at two PoPs.
    var doubles: [ParticipantID: Duration] = [:]
    private(set) var violations: [String] = []
    /// What happened, for whoever looks for a cause.
    private(set) var story: [String] = []

    init(_ seed: Int) {
        random = SplitMix(seed: UInt64(seed))
        fleet = SharedFleet(.random(in: 2...6, using: &random), seed: random.next())
    }

    func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    func note(_ text: String) { story.append("\(fleet.now): \(text)") }

    func blame(_ text: String) {
        note("VIOLATION \(text)")
        violations.append("\(fleet.now): \(text)")
    }

    /// Some letters of an id are enough for a reader.
    func short(_ client: SimulatedClient) -> String { String(client.id.rawValue.suffix(5)) }

    // MARK: Course

    func run(steps: Int) async {
        await fleet.linkAll()
        for index in 0..<Int.random(in: 1...3, using: &random) { await create(index) }
        for _ in 0..<steps where violations.isEmpty {
            await act()
            await goOn()
            await check()
            guard violations.isEmpty else { break }
            await pass(.milliseconds(250 * Int.random(in: 0...6, using: &random)))
        }
        guard violations.isEmpty else { return }
        note("heals")
        fleet.store.setUp(true)
        for (index, _) in drains.sorted(by: { $0.key < $1.key }) { await kill(index) }
        await fleet.linkAll()
        await pass(.seconds(40))
        await checkEnd()
    }

    private func create(_ index: Int) async {
        let node = fleet.nodes[Int.random(in: fleet.nodes.indices, using: &random)]
        let hub: MeetingHub = node.hub
        let plan = MeetingPlan(topic: "Meeting \(index)", settings: MeetingSettings(webinar: chance(30)))
        let meeting = try? await fleet.run {
            try await hub.create(plan, owner: "user-1", password: nil)
        }
        guard let meeting else { return blame("no meeting was made") }
        note("meeting \(index) \(meeting.id) at \(node.pop)")
        meetings.append(meeting)
    }

    func pass(_ span: Duration) async {
        var rest = span
        while rest > .zero, violations.isEmpty {
            rest -= .milliseconds(250)
            await fleet.pass(.milliseconds(250))
            for (index, until) in drains where until <= fleet.now { await kill(index) }
            await goOn()
            await check()
        }
    }

    // MARK: Calls

    /// Begins a call of a hub; `end` hears whether it was granted.
    func call(
        _ name: String, _ node: SharedNode, _ body: @escaping @Sendable (MeetingHub) async throws -> Void,
        _ end: @escaping (Bool) -> Void = { _ in }
    ) {
        let outcome = Outcome()
        let hub: MeetingHub = node.hub
        Task {
            do {
                try await body(hub)
                outcome.note(true)
            } catch {
                outcome.note(false)
            }
        }
        calls.append(Call(name: name, node: node, since: fleet.now, outcome: outcome, end: end))
    }

    /// Until nothing goes on but calls that wait for the fleet.
    func goOn() async {
        var isMoving = true
        while isMoving {
            // One thing at a time, so that a course repeats.
            await quieten()
            isMoving = await hearAll()
            await closeFormers()
            await fleet.settle()
            if endCalls() { isMoving = true }
            if !calls.isEmpty, await waiting() < calls.count { isMoving = true }
        }
    }

    /// Until all calls wait for the fleet.
    private func quieten() async {
        while !calls.isEmpty {
            if endCalls() { continue }
            guard await waiting() < calls.count else { return }
            await Task.yield()
        }
    }

    private func endCalls() -> Bool {
        let ended = calls.filter { $0.outcome.isGranted != nil }
        calls.removeAll { call in ended.contains { $0.outcome === call.outcome } }
        for call in ended { call.end(call.outcome.isGranted == true) }
        return !ended.isEmpty
    }

    /// Calls that hubs keep waiting.
    private func waiting() async -> Int {
        var seen: [SharedNode] = []
        var count = 0
        for call in calls where !seen.contains(where: { $0 === call.node }) {
            seen.append(call.node)
            count += await call.node.hub.waitingCalls
        }
        return count
    }

    /// Everybody takes what it was told; a socket that the server closed is gone at both ends.
    private func hearAll() async -> Bool {
        var isMoving = false
        for client in clients {
            client.hear()
            for text in client.contradictions { blame("\(short(client)) at \(client.node.pop): \(text)") }
            guard let socket = client.socket, socket.isClosing || client.isGone else { continue }
            isMoving = true
            client.socket = nil
            note("\(short(client)) lost its socket at \(client.node.pop), gone: \(client.isGone)")
            await client.node.hub.detach(client.id, socket)
        }
        clients.removeAll(where: \.isGone)
        return isMoving
    }

    // MARK: PoPs

    /// The PoP ends without a word, and another process takes its place.
    func kill(_ index: Int) async {
        let node = fleet.nodes[index]
        note("kills \(node.pop)")
        drains[index] = nil
        kills += 1
        // What it answers now nobody hears.
        for call in calls where call.node === node { call.outcome.note(false) }
        await fleet.restart(index)
        _ = endCalls()
        for client in clients where client.node === node { client.socket = nil }
        for other in fleet.nodes.indices where other != index && chance(90) { await fleet.link(index, other) }
    }
}
