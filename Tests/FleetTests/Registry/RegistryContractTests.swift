import Fleet
import Meetings
import Testing

/// What holds for every Registry, in memory and in Redis.
@Suite(.timeLimit(.minutes(1))) struct RegistryContractTests {
    static let meeting = MeetingID("m_one")!
    static let other = MeetingID("m_two")!
    static let number = MeetingNumber("123456789")!
    static let otherNumber = MeetingNumber("987654321")!

    static func record(_ name: String, load: Double = 0.25) -> PoPRecord {
        PoPRecord(
            name: PoPName(name)!, region: "eu", position: Position(latitude: 50.1, longitude: 8.7),
            fleetAddresses: ["192.0.2.1:7443"], mediaAddresses: ["192.0.2.2:3478", "[2001:db8::2]:3478"],
            signalingURL: "https://\(name).example.com", versions: 1...2, load: load, participants: 12, capacity: 5_000)
    }

    static func home(_ name: String, _ epoch: UInt64) -> Home { Home(pop: PoPName(name)!, epoch: epoch) }

    @Test(arguments: RegistryKind.allCases) func oneOfTwoGetsAMeeting(_ kind: RegistryKind) async throws {
        try await withBench(kind) { bench in
            let (a, b) = (try await bench.registry("a"), try await bench.registry("b"))
            #expect(try await a.claim(Self.meeting, number: Self.number) == .granted(epoch: 1))
            #expect(try await b.claim(Self.meeting, number: Self.number) == .held(by: Self.home("a", 1)))
            #expect(try await a.claim(Self.meeting, number: Self.number) == .granted(epoch: 1))
            let expected = Registration(meeting: Self.meeting, number: Self.number, home: Self.home("a", 1))
            #expect(try await b.find(Self.meeting) == expected)
            #expect(try await b.find(Self.number) == expected)
            #expect(try await b.find(Self.other) == nil)
            #expect(try await b.find(Self.otherNumber) == nil)
        }
    }

    @Test(arguments: RegistryKind.allCases) func oneOfEightThatClaimAtOnceGetsIt(_ kind: RegistryKind) async throws {
        try await withBench(kind) { bench in
            var registries: [any Registry] = []
            for index in 0..<8 { registries.append(try await bench.registry("pop-\(index)")) }
            for round in 1...20 {
                let meeting = MeetingID("m_\(round)")!
                let number = MeetingNumber("\(100_000_000 + round)")!
                let outcomes = try await Self.all(registries) { try await $0.claim(meeting, number: number) }
                let home = try #require(try await registries[0].find(meeting)).home
                #expect(home.epoch == 1)
                #expect(outcomes.filter { $0 == .granted(epoch: 1) }.count == 1)
                #expect(outcomes.filter { $0 == .held(by: home) }.count == 7)
            }
        }
    }

    @Test(arguments: RegistryKind.allCases) func oneOfEightBranchesTakesOver(_ kind: RegistryKind) async throws {
        try await withBench(kind) { bench in
            var registries: [any Registry] = []
            for index in 0..<8 { registries.append(try await bench.registry("pop-\(index)")) }
            _ = try await registries[0].claim(Self.meeting, number: Self.number)
            for epoch in 1...20 {
                let seen = UInt64(epoch)
                let current = try #require(try await registries[0].find(Self.meeting)).home
                #expect(current.epoch == seen)
                let branches = registries.enumerated().filter { "pop-\($0.offset)" != current.pop.rawValue }
                let outcomes = try await Self.all(branches.map(\.element)) {
                    try await $0.takeOver(Self.meeting, number: Self.number, seen: seen, homeIsDead: true)
                }
                let next = try #require(try await registries[0].find(Self.meeting)).home
                #expect(next.pop != current.pop)
                #expect(outcomes.filter { $0 == .granted(epoch: seen + 1) }.count == 1)
                #expect(outcomes.filter { $0 == .held(by: next) }.count == 6)
            }
        }
    }

    private static func all(
        _ registries: [any Registry], _ body: @escaping @Sendable (any Registry) async throws -> ClaimOutcome
    ) async throws -> [ClaimOutcome] {
        try await withThrowingTaskGroup(of: ClaimOutcome.self) { group in
            for registry in registries { group.addTask { try await body(registry) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test(arguments: RegistryKind.allCases) func aHomeThatLivesIsNotTakenOver(_ kind: RegistryKind) async throws {
        try await withBench(kind) { bench in
            let (a, b) = (try await bench.registry("a"), try await bench.registry("b"))
            _ = try await a.claim(Self.meeting, number: Self.number)
            let held = ClaimOutcome.held(by: Self.home("a", 1))
            #expect(try await b.takeOver(Self.meeting, number: Self.number, seen: 1, homeIsDead: false) == held)
            #expect(try await b.takeOver(Self.meeting, number: Self.number, seen: 7, homeIsDead: true) == held)
            try await bench.endLease(Self.meeting, Self.number)
            #expect(try await b.find(Self.meeting) == nil)
            #expect(try await b.find(Self.number) == nil)
            let taken = try await b.takeOver(Self.meeting, number: Self.number, seen: 1, homeIsDead: false)
            #expect(taken == .granted(epoch: 2))
            #expect(try await b.takeOver(Self.meeting, number: Self.number, seen: 1, homeIsDead: true) == taken)
            #expect(
                try await a.renew([Lease(meeting: Self.meeting, number: Self.number, epoch: 1)]).lost
                    == [Self.meeting: Self.home("b", 2)])
        }
    }

    @Test(arguments: RegistryKind.allCases) func anEpochOutlivesItsHome(_ kind: RegistryKind) async throws {
        try await withBench(kind) { bench in
            let (a, b) = (try await bench.registry("a"), try await bench.registry("b"))
            #expect(try await a.claim(Self.meeting, number: Self.number) == .granted(epoch: 1))
            try await bench.endLease(Self.meeting, Self.number)
            #expect(try await b.claim(Self.meeting, number: Self.number) == .granted(epoch: 2))
            try await a.release(Self.meeting, epoch: 2)
            try await b.release(Self.meeting, epoch: 1)
            #expect(try await a.find(Self.meeting)?.home == Self.home("b", 2))
            try await b.release(Self.meeting, epoch: 2)
            #expect(try await a.find(Self.meeting) == nil)
            #expect(try await a.find(Self.number) == nil)
            #expect(try await b.claim(Self.meeting, number: Self.number) == .granted(epoch: 3))
        }
    }

    @Test(arguments: RegistryKind.allCases) func aHomeRegistersAgainWhereAllWasForgotten(_ kind: RegistryKind)
        async throws
    {
        try await withBench(kind) { bench in
            let (a, b) = (try await bench.registry("a"), try await bench.registry("b"))
            _ = try await a.takeOver(Self.meeting, number: Self.number, seen: 6, homeIsDead: true)
            let lease = Lease(meeting: Self.meeting, number: Self.number, epoch: 7)
            #expect(try await a.renew([lease]) == RenewalOutcome())
            try await bench.forget()
            #expect(try await a.find(Self.meeting) == nil)
            // Before the Home is back, another meets nobody there.
            #expect(try await b.claim(Self.meeting, number: Self.number) == .granted(epoch: 1))
            #expect(try await a.renew([lease]) == RenewalOutcome())
            #expect(try await b.find(Self.number)?.home == Self.home("a", 7))
            let late = try await b.renew([Lease(meeting: Self.meeting, number: Self.number, epoch: 1)])
            #expect(late.lost == [Self.meeting: Self.home("a", 7)])
            #expect(try await b.claim(Self.meeting, number: Self.number) == .held(by: Self.home("a", 7)))
        }
    }

    @Test(arguments: RegistryKind.allCases) func ofTwoHomesWithOneEpochTheLaterLoses(_ kind: RegistryKind) async throws
    {
        try await withBench(kind) { bench in
            let (a, b) = (try await bench.registry("a"), try await bench.registry("b"))
            _ = try await a.claim(Self.meeting, number: Self.number)
            let outcome = try await b.renew([Lease(meeting: Self.meeting, number: Self.number, epoch: 1)])
            #expect(outcome.lost == [Self.meeting: Self.home("a", 1)])
            #expect(try await b.find(Self.meeting)?.home == Self.home("a", 1))
        }
    }

    @Test(arguments: RegistryKind.allCases) func aNumberLeadsToOneMeeting(_ kind: RegistryKind) async throws {
        try await withBench(kind) { bench in
            let (a, b) = (try await bench.registry("a"), try await bench.registry("b"))
            _ = try await a.claim(Self.meeting, number: Self.number)
            #expect(try await b.claim(Self.other, number: Self.number) == .numberTaken(by: Self.meeting))
            #expect(
                try await b.takeOver(Self.other, number: Self.number, seen: 1, homeIsDead: true)
                    == .numberTaken(by: Self.meeting))
            let renewed = try await b.renew([Lease(meeting: Self.other, number: Self.number, epoch: 3)])
            #expect(renewed.lost.isEmpty)
            #expect(renewed.numbersLost == [Self.other: Self.meeting])
            #expect(try await a.find(Self.number)?.meeting == Self.meeting)
            #expect(try await a.find(Self.other)?.home == Self.home("b", 3))
            try await a.release(Self.meeting, epoch: 1)
            #expect(
                try await b.renew([Lease(meeting: Self.other, number: Self.number, epoch: 3)]) == RenewalOutcome())
            #expect(try await a.find(Self.number)?.meeting == Self.other)
        }
    }

    @Test(arguments: RegistryKind.allCases) func aPoPThatWasStartedAgainIsAnotherHome(_ kind: RegistryKind) async throws
    {
        try await withBench(kind) { bench in
            let before = try await bench.registry("a", instance: 1)
            let after = try await bench.registry("a", instance: .max)
            #expect(try await before.claim(Self.meeting, number: Self.number) == .granted(epoch: 1))
            #expect(try await after.claim(Self.meeting, number: Self.number) == .granted(epoch: 2))
            let outcome = try await before.renew([Lease(meeting: Self.meeting, number: Self.number, epoch: 1)])
            #expect(outcome.lost == [Self.meeting: Self.home("a", 2)])
        }
    }

    @Test(arguments: RegistryKind.allCases) func thePoPsAreThoseThatSaySo(_ kind: RegistryKind) async throws {
        try await withBench(kind) { bench in
            let (a, b) = (try await bench.registry("a"), try await bench.registry("b"))
            #expect(try await a.pops() == [])
            try await b.announce(Self.record("b"))
            try await a.announce(Self.record("a"))
            #expect(try await a.pops() == [Self.record("a"), Self.record("b")])
            try await b.announce(Self.record("b", load: 1))
            #expect(try await a.pops().map(\.load) == [0.25, 1])
            try await a.withdraw()
            #expect(try await b.pops().map(\.name.rawValue) == ["b"])
            try await bench.endRecord("b")
            #expect(try await b.pops() == [])
            await #expect(throws: RegistryError.invalid("record of b")) { try await a.announce(Self.record("b")) }
            await #expect(throws: RegistryError.invalid("record of a")) {
                try await a.announce(Self.record("a", load: 2))
            }
        }
    }

    @Test(arguments: RegistryKind.allCases) func twoPoPsOfOneNameNoticeEachOther(_ kind: RegistryKind) async throws {
        try await withBench(kind) { bench in
            let first = try await bench.registry("a", instance: 1)
            let second = try await bench.registry("a", instance: 2)
            #expect(try await first.announce(Self.record("a")) == nil)
            #expect(try await first.announce(Self.record("a")) == nil)
            #expect(try await second.announce(Self.record("a"))?.instance == 1)
            #expect(try await second.announce(Self.record("a")) == nil)
            #expect(try await first.announce(Self.record("a"))?.instance == 2)
            try await first.withdraw()
            #expect(try await second.announce(Self.record("a")) == nil)
        }
    }

    @Test(arguments: RegistryKind.allCases) func epochsThatCannotBeAreRefused(_ kind: RegistryKind) async throws {
        try await withBench(kind) { bench in
            let a = try await bench.registry("a")
            for epoch in [0, 1 << 48, UInt64.max] {
                await #expect(throws: RegistryError.invalid("epoch \(epoch)")) {
                    try await a.takeOver(Self.meeting, number: Self.number, seen: epoch, homeIsDead: true)
                }
                await #expect(throws: RegistryError.invalid("epoch \(epoch)")) {
                    try await a.renew([Lease(meeting: Self.meeting, number: Self.number, epoch: epoch)])
                }
                await #expect(throws: RegistryError.invalid("epoch \(epoch)")) {
                    try await a.release(Self.meeting, epoch: epoch)
                }
            }
            let highest = Home.epochs.upperBound - 1
            #expect(
                try await a.takeOver(Self.meeting, number: Self.number, seen: highest, homeIsDead: true)
                    == .granted(epoch: Home.epochs.upperBound))
            #expect(try await a.find(Self.meeting)?.home.epoch == Home.epochs.upperBound)
        }
    }
}
