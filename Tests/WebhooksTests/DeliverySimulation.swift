import Meetings
import TestSupport
import Testing

@testable import Webhooks

/// Receivers, a store and their sender on virtual time, from a seed: what is written down arrives, in the order of its meeting,
/// whatever receivers do, and whenever the sender is killed and started again.
private struct World {
    struct Row: Equatable {
        var number: Int
        var since: Timestamp
        var attempts = 0
        var nextAt: Timestamp
    }

    /// How a receiver answers.
    enum Receiver: CaseIterable {
        case good, failing, slow, busy, gone, dead
    }

    struct Attempt {
        var line: DeliveryLine
        var row: Row
        var answer: DeliveryAnswer
        var end: Timestamp
    }

    static let timeout: Duration = .seconds(15)

    var generator: SplitMix
    var now = Timestamp(milliseconds: 1_800_000_000_000)
    let schedule = RetrySchedule([.seconds(1), .seconds(5), .seconds(30), .seconds(60), .seconds(60), .seconds(60)])
    let receivers: [String: Receiver]
    // What lasts.
    var rows: [DeliveryLine: [Row]] = [:]
    var made: [DeliveryLine: Int] = [:]
    var dead: [DeliveryLine: [Int]] = [:]
    /// What came to receivers and was taken.
    var taken: [DeliveryLine: [Int]] = [:]
    /// The longest that a receiver who takes everything has waited.
    var longest: Duration = .zero
    // What a kill takes.
    var lines = DeliveryLines()
    var underWay: [Attempt] = []

    init(seed: UInt64) {
        generator = SplitMix(seed: seed)
        receivers = Dictionary(uniqueKeysWithValues: Receiver.allCases.map { ("\($0)", $0) })
    }

    mutating func happen() {
        let meeting = "m_\(Int.random(in: 0..<30, using: &generator))"
        for endpoint in receivers.keys.sorted() {
            let line = DeliveryLine(endpoint: endpoint, meeting: meeting)
            made[line, default: 0] += 1
            rows[line, default: []].append(Row(number: made[line] ?? 0, since: now, nextAt: now))
            lines.note(line)
        }
    }

    mutating func answer(_ receiver: Receiver) -> (DeliveryAnswer, Duration) {
        let quick = Duration.milliseconds(Int.random(in: 5...200, using: &generator))
        let isLucky = Bool.random(using: &generator)
        return switch receiver {
        case .good: (.status(200), quick)
        case .failing: (isLucky ? .status(204) : .status(500), quick)
        case .slow: isLucky ? (.status(200), .seconds(10)) : (.silence("late"), Self.timeout)
        case .busy: (isLucky ? .status(200) : .status(429, retryAfter: "7"), quick)
        case .gone: (.status(410), quick)
        case .dead: (.silence("refused"), Self.timeout)
        }
    }

    mutating func start() {
        for line in lines.start(at: now) {
            guard let row = rows[line]?.first else {
                lines.finish(line, .idle)
                continue
            }
            guard row.nextAt <= now else {
                lines.finish(line, .wait(until: row.nextAt))
                continue
            }
            let (answer, time) = answer(receivers[line.endpoint] ?? .good)
            underWay.append(Attempt(line: line, row: row, answer: answer, end: now + time))
        }
    }

    mutating func settle() {
        let done = underWay.filter { $0.end <= now }
        underWay.removeAll { $0.end <= now }
        for attempt in done { settle(attempt) }
    }

    mutating func settle(_ attempt: Attempt) {
        let line = attempt.line
        let verdict = schedule.verdict(
            on: attempt.answer, attempts: attempt.row.attempts + 1, since: attempt.row.since, at: now,
            using: &generator)
        switch verdict {
        case .delivered:
            taken[line, default: []].append(attempt.row.number)
            if line.endpoint == "good" { longest = max(longest, now - attempt.row.since) }
            rows[line]?.removeFirst()
            lines.finish(line, .ready)
        case .dead:
            dead[line, default: []].append(attempt.row.number)
            rows[line]?.removeFirst()
            lines.finish(line, .ready)
        case .retry(let moment):
            rows[line]?[0].attempts += 1
            rows[line]?[0].nextAt = moment
            lines.finish(line, .wait(until: moment))
        }
    }

    /// Whatever was under way may have been taken, and nobody wrote that down.
    mutating func kill() {
        for attempt in underWay {
            if case .status(200..<300, _) = attempt.answer, Bool.random(using: &generator) {
                taken[attempt.line, default: []].append(attempt.row.number)
            }
        }
        underWay = []
        lines = DeliveryLines()
        for (line, rows) in rows where !rows.isEmpty { lines.note(line) }
    }

    mutating func turn(by step: Duration = .milliseconds(50)) {
        now = now + step
        settle()
        start()
    }

    var isDone: Bool { rows.values.allSatisfy(\.isEmpty) }
}

@Suite(.timeLimit(.minutes(2))) struct DeliverySimulation {
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func everythingArrivesInOrderWhateverReceiversDo(_ seed: UInt64) {
        var world = World(seed: seed)
        for _ in 0..<2_000 {
            if Int.random(in: 0..<10, using: &world.generator) == 0 { world.happen() }
            if Int.random(in: 0..<1_000, using: &world.generator) == 0 { world.kill() }
            world.turn()
            #expect(world.lines.underWay <= World.Receiver.allCases.count * DeliveryLines.endpointLimit)
        }
        let longest = world.longest
        var turns = 0
        // A week, in steps of some seconds.
        while !world.isDone, turns < 7 * 86_400 / 5 {
            world.turn(by: .seconds(5))
            turns += 1
        }
        #expect(world.isDone)
        // An idle line is looked at once more, and then forgotten.
        for _ in 0..<10 { world.turn() }
        let isQuiet = world.lines.isQuiet(at: world.now)
        #expect(world.lines.count == 0 && isQuiet)
        for (line, count) in world.made {
            // Repeated ones follow the one that they repeat.
            let firsts = (world.taken[line] ?? []).reduce(into: [Int]()) { if $1 > $0.last ?? 0 { $0.append($1) } }
            let repeats = Set(world.taken[line] ?? []).subtracting(firsts)
            #expect(repeats.isEmpty, "\(line): out of order")
            let all = (firsts + (world.dead[line] ?? [])).sorted()
            #expect(Set(all) == Set(1...count), "\(line): \(all.count) of \(count)")
            if line.endpoint == "good" { #expect(firsts.count == count) }
            if ["dead", "gone"].contains(line.endpoint) { #expect(world.dead[line]?.count == count) }
        }
        // Nobody waits for another's receiver: what a kill delayed among it.
        #expect(longest < .seconds(3), "\(longest)")
    }

    private func expectStart(
        _ expected: [DeliveryLine], _ lines: inout DeliveryLines, at now: Timestamp,
        _ location: SourceLocation = #_sourceLocation
    ) {
        let started = lines.start(at: now)
        #expect(started == expected, sourceLocation: location)
    }

    @Test func oneWebhookOfALineIsUnderWayAndOthersGoOn() {
        let (one, other) = (DeliveryLine(endpoint: "a", meeting: "m_1"), DeliveryLine(endpoint: "a", meeting: "m_2"))
        let now = Timestamp(milliseconds: 0)
        var lines = DeliveryLines()
        lines.note(one)
        expectStart([one], &lines, at: now)
        lines.note(one)
        lines.note(other)
        expectStart([other], &lines, at: now)
        // The news that came meanwhile is looked at.
        lines.finish(one, .idle)
        expectStart([one], &lines, at: now)
        lines.finish(one, .wait(until: now + .seconds(5)))
        lines.finish(other, .idle)
        // What follows waits for the one before it, unless somebody hastens it.
        lines.note(one)
        expectStart([], &lines, at: now + .seconds(4))
        let isQuiet = lines.isQuiet(at: now + .seconds(4))
        #expect(isQuiet)
        expectStart([one], &lines, at: now + .seconds(5))
        lines.hasten(one)
        lines.finish(one, .wait(until: now + .seconds(50)))
        expectStart([one], &lines, at: now + .seconds(5))
        lines.finish(one, .wait(until: now + .seconds(50)))
        lines.hasten(one)
        expectStart([one], &lines, at: now + .seconds(5))
        lines.finish(one, .idle)
        expectStart([], &lines, at: now + .seconds(100))
        #expect(lines.count == 0)
    }

    @Test func anEndpointHasAFewAttemptsAtOnceInTurn() {
        let now = Timestamp(milliseconds: 0)
        var lines = DeliveryLines()
        let all = (0..<100).map { DeliveryLine(endpoint: "a", meeting: "m_\($0)") }
        for line in all { lines.note(line) }
        let other = DeliveryLine(endpoint: "b", meeting: "m_0")
        lines.note(other)
        let first = lines.start(at: now)
        #expect(Set(first) == Set(all.prefix(DeliveryLines.endpointLimit) + [other]))
        expectStart([], &lines, at: now)
        // Who had its turn comes behind all others.
        lines.finish(all[0], .ready)
        expectStart([all[DeliveryLines.endpointLimit]], &lines, at: now)
    }
}
