import Foundation
import Meetings
import Testing

@testable import Fleet

/// 3 to 6 PoPs that lose links, each other and the Registry, are killed and come back: afterwards all is whole. By seeds:
/// `LINK_SEEDS=first-last` runs others than the first 150.
@Suite(.timeLimit(.minutes(20))) struct LinkSimulationTests {
    static let seeds: ClosedRange<Int> = {
        let range =
            ProcessInfo.processInfo.environment["LINK_SEEDS"]?.split(separator: "-").compactMap { Int($0) } ?? []
        return range.count == 2 && range[0] <= range[1] ? range[0]...range[1] : 1...150
    }()

    @Test func afterHealingAllCopiesAreEqualAndNothingIsLost() async {
        // Parts, so that both cores work.
        await withTaskGroup(of: Void.self) { group in
            for part in 0..<4 {
                group.addTask { for seed in Self.seeds where seed % 4 == part { await Self.run(seed) } }
            }
        }
    }

    static func run(_ seed: Int) async {
        let links = SimulatedLinks(seed)
        let liar = Int.random(in: 0..<3, using: &links.random) == 0 ? SimulatedLiar(links) : nil
        while links.now < .seconds(13) {
            disturb(links)
            ask(links)
            liar?.lie()
            await links.advance()
        }
        heal(links)
        liar?.stop()
        let healed = links.now
        var quiet = 0
        while links.now < healed + .seconds(120), quiet < 5 {
            await links.advance()
            quiet = links.difference() == nil ? quiet + 1 : 0
        }
        #expect(links.violations.isEmpty, "seed \(seed): \(links.violations.prefix(3))")
        #expect(links.difference() == nil, "seed \(seed), registry \(links.hasRegistry)")
        #expect(links.lost().isEmpty, "seed \(seed): \(links.lost().prefix(3))")
    }

    /// Each once in some seconds.
    private static func disturb(_ links: SimulatedLinks) {
        let count = links.nodes.count
        guard Int.random(in: 0..<5, using: &links.random) == 0 else { return }
        let index = Int.random(in: 0..<count, using: &links.random)
        switch Int.random(in: 0..<10, using: &links.random) {
        case 0, 1:
            let other = (index + Int.random(in: 1..<count, using: &links.random)) % count
            links.cut.insert([min(index, other), max(index, other)])
        case 2:
            // Two sides.
            let side = (0..<count).map { _ in Bool.random(using: &links.random) }
            for a in 0..<count { for b in a + 1..<count where side[a] != side[b] { links.cut.insert([a, b]) } }
        case 3, 4: links.cut = []
        case 5: links.kill(index, isSilent: Bool.random(using: &links.random))
        case 6, 7: if links.nodes[index] == nil { links.start(index) }
        case 8: links.store.setUp(!links.store.isUp)
        default:
            guard let pipe = links.pipes.indices.randomElement(using: &links.random) else { return }
            for end in 0...1 {
                let lost = links.pipes[pipe].ends[end]
                guard links.nodes[lost.node]?.pop.instance == lost.instance else { continue }
                links.nodes[lost.node]!.roster.closed(lost.connection, at: links.now, using: &links.random)
                links.pipes[pipe].closed[end] = links.now
            }
        }
    }

    /// Clients ask; now and then one floods.
    private static func ask(_ links: SimulatedLinks) {
        for index in links.nodes.indices where links.nodes[index] != nil {
            guard Int.random(in: 0..<4, using: &links.random) == 0 else { continue }
            let meeting = Int.random(in: 0..<3, using: &links.random)
            guard links.opens[index][meeting] else { continue }
            let count = Int.random(in: 0..<40, using: &links.random) == 0 ? 300 : 1
            for _ in 0..<count {
                links.nodes[index]!.value += 1
                let key = "\(index).\(links.nodes[index]!.pop.instance).\(Int.random(in: 0..<2, using: &links.random))"
                let change = TestMeeting.Change(key, links.nodes[index]!.value)
                let id = links.meetings[meeting]
                guard let request = links.nodes[index]!.exchange.request(change, in: id) else { continue }
                links.nodes[index]!.asked[id, default: [:]][request] = change
            }
        }
    }

    private static func heal(_ links: SimulatedLinks) {
        links.cut = []
        links.store.setUp(true)
        for index in links.nodes.indices where links.nodes[index] == nil { links.start(index) }
    }
}

/// A PoP's process gone wrong: what it sends over its links is not true.
final class SimulatedLiar {
    private let links: SimulatedLinks
    private let index: Int

    init(_ links: SimulatedLinks) {
        self.links = links
        index = links.nodes.count - 1
    }

    /// Now and then a message to somebody, over a link that is open: changes and states of meetings that are not its, answers to
    /// nothing, epochs of the past, and bytes that are nothing at all.
    func lie() {
        guard links.nodes[index] != nil, Int.random(in: 0..<3, using: &links.random) == 0,
            let pipe = links.pipes.indices.randomElement(using: &links.random),
            let end = links.pipes[pipe].ends.firstIndex(where: {
                $0.node == index && $0.instance == links.nodes[index]!.pop.instance
            }), links.pipes[pipe].closed[end] == nil,
            links.nodes[index]!.roster.peer(of: links.pipes[pipe].ends[end].connection) != nil,
            let meeting = links.meetings.randomElement(using: &links.random)
        else { return }
        let bytes =
            Int.random(in: 0..<20, using: &links.random) == 0
            ? (0..<40).map { _ in UInt8.random(in: 0...255, using: &links.random) }
            : message(meeting).frame.bytes
        links.pipes[pipe].bytes[1 - end].append((links.now + links.pipes[pipe].delay, bytes))
    }

    private func message(_ meeting: MeetingID) -> LinkMessage {
        let revision = Revision(
            epoch: UInt64.random(in: 1...3, using: &links.random),
            number: UInt64.random(in: 0...20, using: &links.random))
        let id = UInt64.random(in: 1...40, using: &links.random)
        let body = Array("lie=\(id)".utf8)
        let peer = links.names[Int.random(in: 0..<links.nodes.count, using: &links.random)]
        switch Int.random(in: 0..<8, using: &links.random) {
        case 0: return .state(meeting, revision, RequestOrigins(), body: [0xff])
        case 1, 2:
            let origin = RequestOrigin(pop: PoPInstance(name: peer, instance: id), id: id)
            return .change(meeting, revision, origin, body: body)
        case 3: return .acknowledge(meeting, revision)
        case 4: return .notHome(meeting, nil)
        case 5: return .resumed(meeting, revision)
        case 6: return .homes([MeetingClaim(meeting, epoch: 1)])
        default: return .subscribe(MeetingID("m_none")!, last: nil)
        }
    }

    /// It is started again, and does right from then on.
    func stop() {
        links.kill(index, isSilent: false)
        links.start(index)
    }
}
