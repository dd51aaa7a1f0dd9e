import Fleet
import Logging
import Meetings
import Testing

@testable import Api

/// Two PoPs, A and B, on one virtual clock and a Registry in memory.
private struct Pair {
    let clock = ManualClock()
    let store: MemoryRegistry.Store
    let origins = FleetOrigins()
    let a: FleetMember
    let b: FleetMember

    init() throws {
        let clock = clock
        let start = clock.now
        let store = MemoryRegistry.Store { .milliseconds(clock.now.milliseconds - start.milliseconds) }
        self.store = store
        a = try Self.member("a", store, clock, FleetOrigins())
        b = try Self.member("b", store, clock, origins)
    }

    static func member(
        _ name: String, _ store: MemoryRegistry.Store, _ clock: ManualClock, _ origins: FleetOrigins
    ) throws -> FleetMember {
        let name = try #require(PoPName(name))
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return FleetMember(
            FleetConfiguration(name: name, url: "https://\(name).example.org/"), identity: NodeIdentity(region: "eu"),
            origins: origins, registry: MemoryRegistry(store, as: PoPInstance(name: name, instance: 1)), clock: clock,
            logger: logger)
    }

    static let report = FleetMember.Report(load: 0.25, participants: 3, capacity: 100, isDraining: false)

    /// Lets so many seconds pass, in which both do what is due.
    func pass(_ seconds: Int, _ meetings: [MeetingID: MeetingNumber] = [:], onlyB: Bool = false) async {
        for _ in 0..<seconds {
            if !onlyB { await a.tick(Self.report, meetings: meetings) }
            await b.tick(Self.report, meetings: [:])
            clock.advanceUnheard(by: .seconds(1))
        }
    }
}

struct FleetMemberTests {
    private let one = MeetingID("m_one")!
    private let number = MeetingNumber("123-456-789")!

    @Test func aMeetingIsFoundFromItsCreationToItsEnd() async throws {
        let pair = try Pair()
        await pair.pass(6)
        #expect(await pair.a.claim(one, number: number) == .granted(epoch: 1))
        for reference in ["m_one", "123456789"] {
            let problem = await pair.b.absence(of: reference, via: [])
            let elsewhere = try #require(problem.elsewhere)
            #expect(problem.status == 307 && problem.code == "elsewhere")
            #expect(elsewhere.url == "https://a.example.org" && elsewhere.via.map(\.rawValue) == ["b"])
            #expect(elsewhere.signalingURL == "wss://a.example.org/api/v1/signal")
        }
        await pair.pass(60, [one: number])
        #expect(await pair.b.absence(of: "m_one", via: []).code == "elsewhere")
        await pair.pass(1)
        #expect(await pair.b.absence(of: "m_one", via: []).code == "meeting_not_found")
    }

    @Test func aPoPThatIsNewSendsNobodyOnBeforeTheOthersKnowIt() async throws {
        let pair = try Pair()
        _ = await pair.a.claim(one, number: number)
        #expect(await pair.b.absence(of: "m_one", via: []).code == "meeting_not_found")
        await pair.pass(5, [one: number])
        #expect(await pair.b.absence(of: "m_one", via: []) == .registryUnavailable)
        await pair.pass(1, [one: number])
        #expect(await pair.b.absence(of: "m_one", via: []).code == "elsewhere")
    }

    @Test func nobodyIsSentInACircleOrMoreThanFourTimes() async throws {
        let pair = try Pair()
        await pair.pass(6)
        _ = await pair.a.claim(one, number: number)
        func code(_ via: String...) async throws -> String {
            await pair.b.absence(of: "m_one", via: try via.map { try #require(PoPName($0)) }).code
        }
        #expect(try await code("c", "d", "e") == "elsewhere")
        #expect(try await code("a") == "meeting_not_found")
        #expect(try await code("c", "b") == "meeting_not_found")
        #expect(try await code("c", "d", "e", "f") == "meeting_not_found")
        // The Home itself has ended it.
        #expect(await pair.a.absence(of: "m_one", via: []).code == "meeting_not_found")
    }

    @Test func aMeetingWhoseHomeIsGoneIsUnknownAgain() async throws {
        let pair = try Pair()
        await pair.pass(6, [one: number])
        #expect(await pair.b.absence(of: "m_one", via: []).code == "elsewhere")
        await pair.pass(16, onlyB: true)
        #expect(await pair.b.absence(of: "m_one", via: []).code == "meeting_not_found")
        let lost = await pair.b.fleet
        #expect(lost.count(.lost) == 1 && lost.count(.serving) == 0)
    }

    @Test func whatWasMadeWhileTheRegistryWasAwayIsClaimedWhenItIsBack() async throws {
        let pair = try Pair()
        await pair.pass(6)
        pair.store.setUp(false)
        #expect(await pair.a.claim(one, number: number) == .later)
        await pair.pass(300, [one: number])
        #expect(await pair.b.absence(of: "m_one", via: []) == .registryUnavailable)
        let away = await pair.b.fleet
        #expect(!away.isRegistryUp && away.count(.serving) == 1)
        pair.store.forget()
        pair.store.setUp(true)
        // The others come back a little later.
        await pair.pass(3, onlyB: true)
        #expect(await pair.b.fleet.count(.lost) == 0)
        await pair.pass(1, [one: number])
        #expect(await pair.b.absence(of: "m_one", via: []).code == "elsewhere")
        #expect(await pair.a.fleet.epochChanges == 0)
        await pair.pass(5, [one: number])
        let back = await pair.b.fleet
        #expect(back.count(.serving) == 1 && back.peers.allSatisfy { $0.age < .seconds(5) })
    }

    @Test func aNumberThatAnotherMeetingHasIsDrawnAgainOrLeftToIt() async throws {
        let pair = try Pair()
        await pair.pass(6)
        let two = try #require(MeetingID("m_two"))
        _ = await pair.a.claim(one, number: number)
        #expect(await pair.b.claim(two, number: number) == .numberTaken)
        // Made while the Registry was away: people know the number already.
        await pair.b.tick(Pair.report, meetings: [two: number])
        let found = try #require(await pair.a.absence(of: "m_two", via: []).elsewhere)
        #expect(found.url == "https://b.example.org")
        #expect(await pair.b.absence(of: number.description, via: []).elsewhere?.url == "https://a.example.org")
    }

    @Test func aMeetingThatAnotherTookOverIsNotAskedForEachSecondAndCounted() async throws {
        let pair = try Pair()
        await pair.pass(6, [one: number])
        let thief = MemoryRegistry(pair.store, as: PoPInstance(name: try #require(PoPName("c")), instance: 9))
        #expect(try await thief.takeOver(one, number: number, seen: 1, homeIsDead: true) == .granted(epoch: 2))
        await pair.pass(6, [one: number])
        #expect(await pair.a.fleet.epochChanges == 1)
        try await thief.release(one, epoch: 2)
        await pair.pass(6, [one: number])
        #expect(await pair.a.fleet.epochChanges == 2)
        #expect(try await thief.find(one)?.home == Home(pop: try #require(PoPName("a")), epoch: 3))
    }

    @Test func nobodyIsSentToOneThatLeftAndNobodyMissesIt() async throws {
        let pair = try Pair()
        await pair.pass(6, [one: number])
        await pair.a.leave()
        let asker = MemoryRegistry(pair.store, as: PoPInstance(name: try #require(PoPName("c")), instance: 9))
        #expect(try await asker.find(one) == nil)
        #expect(try await asker.pops().map(\.isDraining) == [true, false])
        await pair.pass(6, onlyB: true)
        #expect(await pair.b.fleet.count(.draining) == 1)
        await pair.pass(12, onlyB: true)
        #expect(await pair.b.fleet.peers.isEmpty)
    }

    @Test func theOthersOriginsAreKnownWhileTheyAre() async throws {
        let pair = try Pair()
        #expect(!pair.origins.contains("https://a.example.org"))
        await pair.pass(6)
        #expect(pair.origins.contains("https://a.example.org"))
        #expect(pair.origins.sources == ["https://a.example.org", "https://b.example.org"])
    }

    @Test(arguments: [
        ("https://POP1.Example.org:443/", "https://pop1.example.org"),
        ("http://[fd00::1]:8080", "http://[fd00::1]:8080"),
        ("https://a;script-src *", nil), ("https://a/b", nil), ("wss://a", nil), ("https://user@a", nil), ("", nil),
    ])
    func onlyAnOriginIsOne(url: String, origin: String?) { #expect(FleetOrigins.origin(url) == origin) }

    @Test func aFleetOfManyPoPsMakesNoLongHeader() {
        let origins = FleetOrigins()
        origins.replace(with: (0..<64).map { "https://pop\($0).example.org" })
        #expect(origins.sources.count == 64)
        origins.replace(with: (0..<65).map { "https://pop\($0).example.org" })
        #expect(origins.sources == ["https:", "http:"] && origins.contains("https://pop64.example.org"))
    }
}
