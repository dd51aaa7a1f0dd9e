import Conference
import Fleet
import Logging
import Meetings
import Synchronization
import TestSupport
import Testing
import Wire

@testable import Api

/// Links that note what they are asked for.
private final class NotedLinks: LinkPlane {
    struct State {
        var wanted: [PoPName: [LinkAddress]] = [:]
        var leases: [Lease] = []
        var lost: [MeetingID: Home] = [:]
        var reading = LinkReading()
    }

    let state = Mutex(State())

    var reading: LinkReading { get async { state.withLock { $0.reading } } }
    var leases: [Lease] { get async { state.withLock { $0.leases } } }
    var wanted: [PoPName: [LinkAddress]] { state.withLock { $0.wanted } }

    func want(_ peers: [PoPName: [LinkAddress]]) async { state.withLock { $0.wanted = peers } }

    /// As the hub has the links lead a meeting that was made.
    func lead(_ meeting: MeetingID, number: MeetingNumber, epoch: UInt64) {
        state.withLock { $0.leases.append(Lease(meeting: meeting, number: number, epoch: epoch)) }
    }

    func leaseLost(_ meeting: MeetingID, to home: Home) async {
        state.withLock { state in
            state.leases.removeAll { $0.meeting == meeting }
            state.lost[meeting] = home
        }
    }
}

/// Trunks whose reports are made up.
private struct ReportedTrunks: TrunkPlane {
    var reports: [TrunkReport]
    var refusals = TrunkRefusals()
    let trunkMessages = AsyncStream<TrunkMessage> { $0.finish() }

    func trunkOpened(_ pop: PoPName, addresses: [Endpoint]) async {}
    func trunkClosed(_ pop: PoPName, isLost: Bool) async {}
    func receive(_ message: [UInt8], from pop: PoPName) async {}
    func setRemote(_ participant: ParticipantID, in meeting: MeetingID, _ remote: RemotePublisher?) async {}
    func setPeers(_ pops: [PoPName], of meeting: MeetingID) async {}
    func trunkReports() async -> [TrunkReport] { reports }
    func trunkRefusals() async -> TrunkRefusals { refusals }
}

/// A PoP whose meetings are shared, as its fleet's member sees them.
struct FleetLinksTests {
    private let one = MeetingID("m_one")!
    private let number = MeetingNumber("123-456-789")!
    private let clock = ManualClock()
    private let authority: TestAuthority
    private let store: MemoryRegistry.Store

    init() throws {
        let clock = clock
        let start = clock.now
        authority = try TestAuthority()
        store = MemoryRegistry.Store { .milliseconds(clock.now.milliseconds - start.milliseconds) }
    }

    private func member(
        _ text: String, _ links: NotedLinks, trunks: (any TrunkPlane)? = nil
    ) throws -> FleetMember {
        let name = try #require(PoPName(text))
        let configuration = LinkConfiguration(
            fleet: "f", listen: [], announced: [LinkAddress(host: "\(name).example.org", port: 7_443)],
            certificates: try authority.store("DNS:\(name)"))
        return FleetMember(
            FleetConfiguration(name: name, url: "https://\(name).example.org", links: configuration),
            identity: NodeIdentity(), origins: FleetOrigins(),
            registry: MemoryRegistry(store, as: PoPInstance(name: name, instance: 1)), links: links, trunks: trunks,
            clock: clock, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func pass(_ seconds: Int, _ members: FleetMember...) async {
        let report = FleetMember.Report(load: 0, participants: 0, capacity: 100, isDraining: false)
        for _ in 0..<seconds {
            for member in members { await member.tick(report, meetings: [one: number]) }
            clock.advanceUnheard(by: .seconds(1))
        }
    }

    @Test func eachIsToldWhereTheOthersAre() async throws {
        let (linksOfA, linksOfB) = (NotedLinks(), NotedLinks())
        await pass(7, try member("a", linksOfA), try member("b", linksOfB))
        let b = try #require(PoPName("b"))
        #expect(linksOfA.wanted == [b: [LinkAddress(host: "b.example.org", port: 7_443)]])
        #expect(linksOfB.wanted.keys.map(\.rawValue) == ["a"])
    }

    @Test func theLeasesAreThoseOfTheLinks() async throws {
        let links = NotedLinks()
        let a = try member("a", links)
        await pass(1, a)
        #expect(await a.claim(one, number: number) == .granted(epoch: 1))
        links.lead(one, number: number, epoch: 1)
        let asker = MemoryRegistry(store, as: PoPInstance(name: try #require(PoPName("c")), instance: 9))
        await pass(60, a)
        #expect(try await asker.find(one)?.home.pop.rawValue == "a")
        _ = try await asker.takeOver(one, number: number, seen: 1, homeIsDead: true)
        await pass(6, a)
        #expect(links.state.withLock { $0.lost[one] } == Home(pop: try #require(PoPName("c")), epoch: 2))
        // It is no Home now, and asks for no lease on its own.
        try await asker.release(one, epoch: 2)
        await pass(6, a)
        #expect(try await asker.find(one) == nil)
    }

    @Test func aMeetingBeginsWhileTheRegistryIsAwayAndIsMadeKnownLater() async throws {
        let links = NotedLinks()
        let a = try member("a", links)
        await pass(1, a)
        store.setUp(false)
        #expect(await a.claim(one, number: number) == .later)
        links.lead(one, number: number, epoch: 1)
        await pass(5, a)
        store.setUp(true)
        await pass(1, a)
        let asker = MemoryRegistry(store, as: PoPInstance(name: try #require(PoPName("c")), instance: 9))
        #expect(try await asker.find(one)?.home == Home(pop: try #require(PoPName("a")), epoch: 1))
        await a.leave()
        #expect(try await asker.find(one) == nil)
    }

    @Test func linksAreSeenInStatusAndMetrics() async throws {
        let (links, other) = (NotedLinks(), NotedLinks())
        let (a, b) = (try member("a", links), try member("b", other))
        await pass(7, a, b)
        links.state.withLock {
            $0.reading.open = [PoPName("b")!: .some(.microseconds(12_345))]
            $0.reading.refused = ["tls": 3]
            $0.reading.ended = ["silent": 2]
            $0.reading.exchange.gaps = 4
        }
        let fleet = await a.fleet
        let json = FleetJSON(fleet)
        #expect(json.pops.map(\.linked) == [nil, true] && json.pops.map(\.rttMs) == [nil, 12.345])
        var page = PrometheusText()
        MetricsPage.render(&page, fleet)
        for line in [
            "needletail_fleet_links 1", "needletail_fleet_link_rtt_seconds{pop=\"b\"} 0.012345",
            "needletail_fleet_links_refused_total{reason=\"tls\"} 3",
            "needletail_fleet_links_ended_total{reason=\"silent\"} 2",
            "needletail_fleet_exchange_total{event=\"gap\"} 4",
        ] { #expect(page.text.contains(line + "\n"), "\(line)") }
    }

    @Test func trunksAreSeenInStatusAndMetrics() async throws {
        var report = TrunkReport(pop: try #require(PoPName("b")))
        (report.isOpen, report.lanes, report.carriedIn, report.carriedOut) = (true, 2, 5, 3)
        (report.sentPackets, report.sentBytes, report.receivedPackets) = (100, 9_000, 80)
        (report.missingPackets, report.repairedPackets, report.roundTrip) = (7, 6, 81_500_999)
        var trunks = ReportedTrunks(reports: [report, TrunkReport(pop: try #require(PoPName("c")))])
        (trunks.refusals.malformed, trunks.refusals.stray) = (4, 9)
        let (a, b) = (try member("a", NotedLinks(), trunks: trunks), try member("b", NotedLinks()))
        await pass(7, a, b)
        let fleet = await a.fleet
        let told = try JSON.decode(Value.self, from: JSON.encode(FleetJSON(fleet)))
        #expect(told["pops"]?[0]?["trunk"] == nil)
        #expect(
            told["pops"]?[1]?["trunk"] == [
                "open": true, "lanes": 2, "tracks_in": 5, "tracks_out": 3, "sent_packets": 100, "sent_bytes": 9_000,
                "received_packets": 80, "missing_packets": 7, "repaired_packets": 6, "rtt_ms": .number(81.5),
            ])
        var page = PrometheusText()
        MetricsPage.render(&page, fleet)
        for line in [
            "open{pop=\"b\"} 1", "open{pop=\"c\"} 0", "lanes{pop=\"b\"} 2", "sent_bytes_total{pop=\"b\"} 9000",
            "missing_packets_total{pop=\"b\"} 7", "repaired_packets_total{pop=\"b\"} 6",
            "rtt_seconds{pop=\"b\"} 0.081500999", "messages_refused_total{reason=\"malformed\"} 4",
            "messages_refused_total{reason=\"stray\"} 9", "tracks{pop=\"b\",direction=\"receive\"} 5",
            "tracks{pop=\"b\",direction=\"transmit\"} 3", "packets_total{pop=\"b\",direction=\"receive\"} 80",
            "packets_total{pop=\"b\",direction=\"transmit\"} 100",
        ] { #expect(page.text.contains("\nneedletail_trunk_" + line + "\n"), "\(line)") }
        // What was not measured is not told.
        #expect(!page.text.contains("rtt_seconds{pop=\"c\"}"))
        var alone = PrometheusText()
        MetricsPage.render(&alone, await b.fleet)
        #expect(!alone.text.contains("\nneedletail_trunk_"))
    }
}
