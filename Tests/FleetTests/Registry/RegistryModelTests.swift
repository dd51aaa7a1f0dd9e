import Fleet
import Meetings
import Testing

/// The Registry in Redis does what the one in memory does, whatever is asked in whatever order.
@Suite(.timeLimit(.minutes(2))) struct RegistryModelTests {
    private enum Answer: Equatable {
        case claim(ClaimOutcome)
        case renewal(RenewalOutcome)
        case registration(Registration?)
        case nothing
    }

    private static let meetings = (1...3).map { MeetingID("m_\($0)")! }
    private static let numbers = (1...3).map { MeetingNumber("\(100_000_000 + $0)")! }
    /// Two PoPs, and another life of the first.
    private static let callers: [(String, UInt64)] = [("a", 1), ("b", 1), ("a", 2)]

    @Test(arguments: 1...4) func redisDoesWhatMemoryDoes(_ seed: Int) async throws {
        var generator = Seeded(seed)
        try await withRedis { server in
            let benches: [any RegistryBench] = [MemoryBench(), try await RedisBench(server)]
            var registries: [[any Registry]] = []
            for bench in benches {
                var row: [any Registry] = []
                for (name, instance) in Self.callers { row.append(try await bench.registry(name, instance: instance)) }
                registries.append(row)
            }
            var epochs: [MeetingID: UInt64] = [:]
            for step in 0..<1_000 {
                // One in 25 ends all leases, one in 100 forgets everything.
                let draw = Int.random(in: 0..<100, using: &generator)
                if draw == 0 {
                    for bench in benches { try await bench.forget() }
                    epochs = [:]
                } else if draw < 5 {
                    for (meeting, number) in zip(Self.meetings, Self.numbers) {
                        try await benches[1].endLease(meeting, number)
                    }
                    try await benches[0].endLease(Self.meetings[0], Self.numbers[0])
                }
                let before = generator
                var answers: [Answer] = []
                for row in registries {
                    generator = before
                    answers.append(try await Self.step(row, using: &generator))
                }
                #expect(answers[0] == answers[1], "seed \(seed), step \(step)")
                if answers[0] != answers[1] { return }
                for meeting in Self.meetings {
                    guard let epoch = try await registries[1][0].find(meeting)?.home.epoch else { continue }
                    #expect(epoch >= epochs[meeting] ?? 0, "an epoch went back, seed \(seed), step \(step)")
                    epochs[meeting] = epoch
                }
            }
        }
    }

    private static func step(_ registries: [any Registry], using generator: inout Seeded) async throws -> Answer {
        let registry = registries[Int.random(in: 0..<registries.count, using: &generator)]
        let meeting = meetings[Int.random(in: 0..<3, using: &generator)]
        let number = numbers[Int.random(in: 0..<3, using: &generator)]
        let epoch = UInt64.random(in: 1...8, using: &generator)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: return .claim(try await registry.claim(meeting, number: number))
        case 1:
            let isDead = Bool.random(using: &generator)
            return .claim(try await registry.takeOver(meeting, number: number, seen: epoch, homeIsDead: isDead))
        case 2:
            let leases = zip(meetings, numbers).map { Lease(meeting: $0, number: $1, epoch: epoch) }
            return .renewal(try await registry.renew(leases))
        case 3:
            try await registry.release(meeting, epoch: epoch)
            return .nothing
        case 4: return .registration(try await registry.find(meeting))
        default: return .registration(try await registry.find(number))
        }
    }
}
