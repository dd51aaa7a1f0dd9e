import TestSupport
import Testing
import Wire

@testable import Recording

@Suite struct ReorderTests {
    private static let ms: UInt64 = 1_000_000
    /// The first packets have been waited for.
    private static let begun = ReorderBuffer.beginning

    /// A packet whose payload is its place.
    private static func packet(_ sequence: UInt16, place: Int = 0) -> [UInt8] {
        [0x80, 96, UInt8(sequence >> 8), UInt8(sequence & 0xff), 0, 0, 0, 1, 0, 0, 0, 9]
            + (0..<4).map { UInt8(truncatingIfNeeded: place >> (8 * $0)) }
    }

    @discardableResult
    private static func insert(
        _ buffer: inout ReorderBuffer, _ sequence: UInt16, place: Int = 0, at now: UInt64 = 0
    ) -> ReorderBuffer.Arrival? {
        packet(sequence, place: place).withUnsafeBytes { bytes in
            RTPPacket(bytes).map { buffer.insert($0, arrival: now) }
        }
    }

    /// Sequence numbers as they were sent; -1 for each that is lost; 70,000 for a restart.
    private static func outputs(_ buffer: inout ReorderBuffer, now: UInt64) -> [Int] {
        var found: [Int] = []
        while let output = buffer.next(now: now) {
            switch output {
            case .packet(let packet): found.append(Int(UInt16(truncatingIfNeeded: packet.sequence)))
            case .lost(let count): found += [Int](repeating: -1, count: Int(count))
            case .restart: found.append(70_000)
            }
        }
        return found
    }

    @Test func packetsOutOfOrderAreOrderedAcrossTheWrap() {
        var buffer = ReorderBuffer()
        for sequence in [65_534, 0, 65_535, 2, 1] as [UInt16] { Self.insert(&buffer, sequence) }
        #expect(Self.outputs(&buffer, now: Self.begun) == [65_534, 65_535, 0, 1, 2])
        #expect(buffer.deadline == nil)
    }

    @Test func theFirstToComeNeedNotBeTheFirst() {
        var buffer = ReorderBuffer()
        Self.insert(&buffer, 1)
        #expect(Self.outputs(&buffer, now: Self.begun - 1) == [])
        #expect(Self.insert(&buffer, 65_534) == .taken(65_534, missing: 65_535..<65_537))
        Self.insert(&buffer, 65_535)
        Self.insert(&buffer, 0)
        #expect(Self.outputs(&buffer, now: Self.begun) == [65_534, 65_535, 0, 1])
        #expect(Self.insert(&buffer, 65_533) == .late)
    }

    @Test func whatIsMissingIsWaitedForAndThenLost() {
        var buffer = ReorderBuffer()
        Self.insert(&buffer, 10)
        #expect(Self.insert(&buffer, 13, at: 5 * Self.ms) == .taken(65_549, missing: 65_547..<65_549))
        let patience = ReorderBuffer.patience
        #expect(buffer.deadline == Self.begun)
        #expect(Self.outputs(&buffer, now: Self.begun) == [10])
        #expect(buffer.deadline == 5 * Self.ms + patience)
        #expect(Self.outputs(&buffer, now: 5 * Self.ms + patience - 1) == [])
        #expect(Self.outputs(&buffer, now: 5 * Self.ms + patience) == [-1, -1, 13])
        #expect(Self.insert(&buffer, 11) == .late)
    }

    @Test func duplicatesAreNoticedBeforeAndAfterTheirTurn() {
        var buffer = ReorderBuffer()
        Self.insert(&buffer, 10)
        Self.insert(&buffer, 12)
        #expect(Self.insert(&buffer, 12) == .duplicate)
        #expect(Self.outputs(&buffer, now: Self.begun) == [10])
        #expect(Self.insert(&buffer, 10) == .late)
        #expect(Self.insert(&buffer, 11) == .taken(65_547, missing: 65_547..<65_547))
        #expect(Self.outputs(&buffer, now: Self.begun) == [11, 12])
    }

    @Test func aStrayNumberDoesNoHarmAndTwoInARowAreARestart() {
        var buffer = ReorderBuffer()
        Self.insert(&buffer, 100)
        Self.insert(&buffer, 102)
        #expect(Self.insert(&buffer, 40_000) == .strayed)
        #expect(Self.outputs(&buffer, now: Self.begun) == [100])
        #expect(Self.insert(&buffer, 101) == .taken(65_637, missing: 65_637..<65_637))
        #expect(Self.insert(&buffer, 104) == .taken(65_640, missing: 65_639..<65_640))
        #expect(Self.insert(&buffer, 30_000) == .strayed)
        #expect(Self.insert(&buffer, 30_001) == .restarted)
        #expect(Self.outputs(&buffer, now: Self.begun) == [101, 102, -1, 104, 70_000, 30_000, 30_001])
    }

    @Test func aHoleLargerThanTheBufferIsGivenUp() {
        var buffer = ReorderBuffer()
        Self.insert(&buffer, 0)
        Self.insert(&buffer, 2)
        let far = UInt16(ReorderBuffer.capacity + 500)
        guard case .taken = Self.insert(&buffer, far) else { return #expect(Bool(false), "not taken") }
        let found = Self.outputs(&buffer, now: Self.begun)
        #expect(found.filter { $0 >= 0 } == [0, 2, Int(far)] && found.count == Int(far) + 1)
    }

    /// Whatever the order, what comes out is in order and complete, and counts what did not come.
    @Test(arguments: 1...20) func anyOrderComesOutInOrder(_ seed: UInt64) {
        var generator = SplitMix(seed: seed)
        var buffer = ReorderBuffer()
        let first = UInt16.random(in: 0...UInt16.max, using: &generator)
        var way: [(due: UInt64, place: Int)] = []
        var lost: Set<Int> = []
        for place in 0..<5_000 {
            let now = UInt64(place) * Self.ms
            // Nobody misses what was sent before the first that came.
            if place > 0, Double.random(in: 0..<1, using: &generator) < 0.05 {
                lost.insert(place)
                continue
            }
            let delay = place == 0 ? 0 : UInt64.random(in: 0...80, using: &generator) * Self.ms
            way.append((now + delay, place))
            if place % 17 == 0 { way.append((now + delay + 30 * Self.ms, place)) }
        }
        var places: [Int] = []
        var lostCount = 0
        func take(_ now: UInt64) {
            while let output = buffer.next(now: now) {
                switch output {
                case .packet(let packet): places.append(packet.payload.reversed().reduce(0) { $0 << 8 | Int($1) })
                case .lost(let count): lostCount += Int(count)
                case .restart: Issue.record("a restart")
                }
            }
        }
        for (due, place) in way.sorted(by: { $0.due < $1.due }) {
            Self.insert(&buffer, first &+ UInt16(truncatingIfNeeded: place), place: place, at: due)
            take(due)
        }
        take(.max)
        #expect(places == (0..<5_000).filter { !lost.contains($0) })
        // Those after the last packet that came nobody misses.
        #expect(lostCount == lost.count { $0 < places.last ?? 0 })
    }
}

@Suite struct NackTests {
    private static let ms: UInt64 = 1_000_000

    @Test func aPacketIsAskedForAgainEachRoundTripAndAHalf() {
        var schedule = NackSchedule()
        schedule.note(65_535..<65_538, now: 0)
        #expect(schedule.due == NackSchedule.allowance)
        #expect(schedule.take(now: NackSchedule.allowance - 1, roundTrip: 0) == [])
        #expect(schedule.take(now: 10 * Self.ms, roundTrip: 40 * Self.ms) == [65_535, 0, 1])
        schedule.noteArrival(65_536)
        #expect(schedule.take(now: 69 * Self.ms, roundTrip: 40 * Self.ms) == [])
        #expect(schedule.take(now: 70 * Self.ms, roundTrip: 40 * Self.ms) == [65_535, 1])
        schedule.forget(before: 65_537)
        #expect(schedule.take(now: 200 * Self.ms, roundTrip: 0) == [1])
    }

    @Test func thereIsAnEndToAsking() {
        var schedule = NackSchedule()
        schedule.note(7..<8, now: 0)
        let asked = (1...100).count { !schedule.take(now: UInt64($0) * 100 * Self.ms, roundTrip: 0).isEmpty }
        #expect(asked == NackSchedule.mostAsks)
        #expect(schedule.due == nil)
    }

    @Test func aLargeHoleIsAskedForWhereItIsLatest() {
        var schedule = NackSchedule()
        schedule.note(0..<3_000, now: 0)
        let asked = schedule.take(now: Self.ms * 100, roundTrip: 0)
        #expect(asked.count == NackSchedule.capacity && asked.last == 2_999)
    }
}
