import Mailbox
import TestSupport
import Testing
import Wire

@testable import Dataplane

@Suite struct LaneNames {
    /// A PoP has no more workers than names of Lanes reach.
    @Test func `each worker of a PoP has names`() {
        for worker in 0..<HandoverMesh.maximumWorkers {
            let name = LaneName(part: LaneName.lanePart, worker: worker, index: LaneName.capacity - 1, generation: .max)
            #expect(name.worker == worker && name.part == LaneName.lanePart)
        }
    }
}

@Suite struct LaneNumberings {
    /// Whatever order, gaps and restarts come: an index stands for one packet, and is found again as long as it can be.
    @Test(arguments: UInt64(1)...40) func `an index never stands for two packets`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var numbering = LaneNumbering()
        var rollover = RolloverCounter()
        var sequence = UInt64.random(in: 0..<70_000, using: &random)
        var sent: Set<UInt64> = []
        var owners: [UInt64: UInt64] = [:]
        var latest: [(sequence: UInt64, index: UInt64)] = []
        for _ in 0..<4_000 {
            switch UInt8.random(in: 0..<100, using: &random) {
            case 0: sequence = (sequence >> 48 &+ 1) << 48 | UInt64.random(in: 0...65_535, using: &random)
            case 1: sequence &+= UInt64.random(in: 1_000...100_000, using: &random)
            case 2...5: sequence &+= UInt64.random(in: 2...1_100, using: &random)
            default: sequence &+= 1
            }
            // Some come late, each number once.
            let late = UInt64.random(in: 0...2_000, using: &random)
            let present = late < 200 && late <= sequence ? sequence &- late : sequence
            guard sent.insert(present).inserted, let index = numbering.next(present) else { continue }
            #expect(owners.updateValue(present, forKey: index) == nil, "index \(index)")
            // A receiver that sees all of them follows.
            #expect(rollover.estimate(sequence: UInt16(truncatingIfNeeded: index)) == index)
            rollover.accept(index)
            latest.append((present, index))
            for (sequence, index) in latest.suffix(8) {
                guard let found = numbering.find(UInt32(truncatingIfNeeded: index)) else { continue }
                #expect(found.sequence == sequence && found.index == index)
            }
        }
        #expect(owners.count > 3_000)
    }

    @Test func `what was sent last is found`() {
        var numbering = LaneNumbering()
        #expect(numbering.find(0) == nil && numbering.find(.max) == nil)
        #expect(numbering.next(7) == 1_000)
        #expect(numbering.next(9) == 1_002)
        #expect(numbering.next(8) == 1_001)
        #expect(numbering.next(6) == nil, "before the first")
        // 1,024 are kept apart, more are closed up.
        #expect(numbering.next(9 + 1_024) == 1_002 + 1_024)
        #expect(numbering.next(10_000) == 2_026 + 256)
        #expect(numbering.next(9_999) == nil)
        #expect(numbering.find(1_001).map { $0.sequence } == 8)
        #expect(numbering.find(2_282).map { $0.sequence } == 10_000)
        #expect(numbering.find(2_100) == nil, "within the gap")
        #expect(numbering.find(2_283) == nil, "not yet")
    }
}

@Suite struct LaneHistories {
    private func with(_ body: (LaneHistory) -> Void) {
        let entries = UnsafeMutablePointer<UInt64>.allocate(capacity: LaneHistory.depth)
        entries.initialize(repeating: 0, count: LaneHistory.depth)
        defer { entries.deallocate() }
        body(LaneHistory(entries: entries))
    }

    @Test func `entries come back as they were`() {
        with { history in
            for number in UInt32(0)..<3_000 {
                history.note(
                    number,
                    .init(
                        crossing: UInt16(number), generation: UInt16(number & 0x3fff), layer: UInt8(number % 3),
                        index: .max - number))
            }
            for number in UInt32(3_000 - 1_024)..<3_000 {
                let entry = history.find(number, next: 3_000)
                #expect(
                    entry
                        == .init(
                            crossing: UInt16(number), generation: UInt16(number & 0x3fff), layer: UInt8(number % 3),
                            index: .max - number))
            }
            #expect(history.find(3_000 - 1_025, next: 3_000) == nil, "too old")
            #expect(history.find(3_000, next: 3_000) == nil, "not sent")
        }
    }

    @Test func `nothing was sent before the first`() {
        with { history in
            #expect(history.find(0, next: 0) == nil)
            #expect(history.find(LaneHistory.extended(0xfff0, next: 5), next: 5) == nil)
            history.note(0, .init(crossing: 1, generation: 2, layer: 0, index: 3))
            #expect(history.find(LaneHistory.extended(0, next: 1), next: 1)?.index == 3)
        }
    }

    @Test func `numbers go on behind 16 bits`() {
        #expect(LaneHistory.extended(0xffff, next: 0x1_0001) == 0xffff)
        #expect(LaneHistory.extended(0, next: 0x1_0001) == 0x1_0000)
        #expect(LaneHistory.extended(1, next: 0x1_0001) == 1)
        #expect(LaneHistory.generation(CrossingHandle(worker: 0, index: 1, generation: 0x4005)) == 5)
    }
}

@Suite struct LaneReceptions {
    private let millisecond: UInt64 = 1_000_000

    private func due(_ reception: inout LaneReception, at now: UInt64, roundTrip: UInt64 = 0) -> [UInt16] {
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: LaneReception.capacity) { list in
            let count = reception.takeDue(now: now, roundTrip: roundTrip, into: list.baseAddress!)
            return Array(list[..<count])
        }
    }

    @Test func `a gap is asked for after a millisecond, soon again, then once a round trip`() {
        var reception = LaneReception()
        for number in [UInt16(0), 1, 4] { reception.note(number, now: 0) }
        #expect(due(&reception, at: millisecond - 1_000).isEmpty)
        #expect(due(&reception, at: millisecond) == [2, 3])
        #expect(due(&reception, at: 2 * millisecond).isEmpty)
        reception.note(3, now: 3 * millisecond)
        #expect(reception.repaired == 1 && reception.missed == 2)
        #expect(due(&reception, at: 5 * millisecond, roundTrip: 50 * millisecond) == [2])
        #expect(due(&reception, at: 64 * millisecond, roundTrip: 50 * millisecond).isEmpty)
        var now = 65 * millisecond
        for _ in 3...6 {
            #expect(due(&reception, at: now, roundTrip: 50 * millisecond) == [2])
            now += 60 * millisecond
        }
        #expect(due(&reception, at: now).isEmpty)
        #expect(reception.lost == 1 && reception.missingCount == 0)
    }

    @Test func `the first and the last may be lost too`() {
        var reception = LaneReception()
        reception.noteSent(count: 7, now: 0)
        reception.note(2, now: 0)
        reception.noteSent(count: 5, now: 0)
        reception.noteSent(count: 5, now: 0)
        #expect(due(&reception, at: millisecond) == [0, 1, 3, 4])
        for number in [UInt16(0), 1, 3, 4] { reception.note(number, now: 2 * millisecond) }
        #expect(reception.repaired == 4 && reception.missingCount == 0 && reception.received == 5)
    }

    @Test func `numbers go on behind 16 bits, and those asked for ascend`() {
        var reception = LaneReception()
        reception.note(0xfffc, now: 0)
        reception.note(0xfffe, now: 0)
        reception.note(2, now: 0)
        #expect(due(&reception, at: millisecond) == [0xfffd, 0xffff, 0, 1])
        #expect(reception.highest & 0xffff == 2)
    }

    @Test func `more than can be repaired is given up, however far the numbers leap`() {
        var reception = LaneReception()
        reception.note(0, now: 0)
        reception.note(65, now: 0)
        #expect(reception.missingCount == 64)
        reception.note(67, now: 0)
        #expect(reception.missingCount == 64 && reception.lost == 1)
        reception.note(30_000, now: 0)
        #expect(reception.lost == 1 + 29_932)
        reception.noteSent(count: .max, now: 0)
        reception.noteSent(count: 0, now: 0)
    }

    @Test func `the report says what share is lost`() {
        var reception = LaneReception()
        for number in UInt16(0)..<100 where number % 4 != 1 { reception.note(number, now: 0) }
        reception.noteSenderReport(ntp: 0x1234_5678_9abc_def0, arrival: 0)
        let block = reception.block(ssrc: 5, now: 500 * millisecond)
        #expect(block.ssrc == 5 && block.fractionLost == 64 && block.cumulativeLost == 25)
        #expect(block.lastSenderReport == 0x5678_9abc && block.delaySinceLastSenderReport == 32_768)
        #expect(reception.block(ssrc: 5, now: 0).fractionLost == 0, "nothing since")
    }
}
