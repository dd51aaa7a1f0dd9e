import TestSupport
import Testing
import Wire

@testable import Dataplane

/// The estimate as a whole, on a path with one bottleneck.
@Suite struct BandwidthEstimators {
    @Test func `a path is filled and its queue stays short`() {
        let path = CongestionPath(capacity: 3_000_000)
        path.estimator.wants(10_000_000, now: path.now)
        path.run(seconds: 10)
        #expect((2_700_000...3_200_000).contains(path.estimator.target))
        #expect(path.estimator.queueDelay < 30_000_000)
        #expect((40_000_000...140_000_000).contains(path.estimator.roundTrip))
        #expect(path.estimator.counters.unknown == 0 && path.estimator.counters.repeated == 0)
    }

    @Test func `a drop of capacity is followed within half a second, and its queue drained`() {
        let path = CongestionPath(capacity: 3_000_000)
        path.run(seconds: 10)
        path.capacity = 500_000
        path.run(seconds: 0.5)
        #expect(path.estimator.isOverused && path.estimator.target < 500_000)
        path.run(seconds: 2)
        #expect(!path.estimator.isOverused && path.estimator.queueDelay < 60_000_000)
    }

    @Test func `who sends little keeps the estimate, within what was acknowledged of late`() {
        let path = CongestionPath(capacity: 3_000_000)
        path.run(seconds: 10)
        let full = path.estimator.target
        path.run(seconds: 2, rate: 300_000)
        #expect(path.estimator.target > full / 2)
        path.run(seconds: 58, rate: 300_000)
        #expect(path.estimator.target < 1_000_000)
    }

    @Test func `a pause changes nothing`() {
        let path = CongestionPath(capacity: 3_000_000)
        path.run(seconds: 10)
        // What was on its way comes in.
        path.run(seconds: 0.3, rate: 0)
        let before = path.estimator.share
        path.run(seconds: 20, rate: 0)
        #expect(path.estimator.share == before)
        path.run(seconds: 1)
        #expect(path.estimator.share > before * 8 / 10)
    }

    @Test func `a tenth of random loss does not lower it`() {
        var random = SplitMix(seed: 4)
        let path = CongestionPath(capacity: 3_000_000)
        path.tell = { _, arrival in Int.random(in: 0..<10, using: &random) == 0 ? nil : arrival }
        path.run(seconds: 15)
        #expect(path.estimator.target > 2_500_000)
        #expect((0.02...0.25).contains(path.estimator.lossRatio))
    }

    @Test func `a receiver that never answers gets less and less`() {
        let path = CongestionPath(capacity: 3_000_000)
        #expect(path.estimator.target == 300_000)
        for second in 1...30 as ClosedRange<UInt64> {
            let now = path.now + second * 1_100_000_000
            path.estimator.noteTime(now)
            // What was sent is held against it once.
            if second == 2 { path.estimator.noteTime(now + 1_000_000_000) }
            if second == 2 { #expect(path.estimator.target == 150_000) }
            path.estimator.noteSent(UInt16(second), bytes: 1_000, kind: .media, now: now)
        }
        #expect(path.estimator.target == UInt64(CongestionConstants.leastRate))
        path.run(seconds: 3)
        #expect(path.estimator.target > 200_000)
    }

    @Test func `feedback as it comes over the wire says the same`() throws {
        let path = CongestionPath(capacity: 3_000_000)
        for index in 0..<8 as Range<UInt64> {
            path.estimator.noteSent(
                UInt16(100 + index), bytes: 1_000, kind: .media, now: path.now + index * 1_000_000)
        }
        var memory = [UInt8](repeating: 0, count: 200)
        try memory.withUnsafeMutableBytes { room in
            // 4 ms apart, the fourth lost.
            let arrivals = (0..<8).map { $0 == 3 ? RTCPWriter.lost : Int64(-50 + $0 * 16) }
            var writer = RTCPWriter(into: room)
            let covered = arrivals.withUnsafeBufferPointer {
                writer.addTransportFeedback(
                    senderSSRC: 1, mediaSSRC: 2, baseSequence: 100, feedbackCount: 0, arrivals: $0)
            }
            #expect(covered == 8)
            var compound = RTCPCompound(UnsafeRawBufferPointer(rebasing: room.prefix(writer.count)))
            let feedback = try #require(compound.next().flatMap { TransportFeedback($0) })
            path.estimator.noteFeedback(feedback, now: path.now + 100_000_000)
            path.estimator.noteFeedback(feedback, now: path.now + 200_000_000)
        }
        #expect(path.estimator.bytesInFlight == 0 && path.estimator.counters.repeated == 8)
        #expect(path.estimator.roundTrip == 93_000_000)
        // The latest packet waited 7 x 3 ms more than the first one; the mean of seven is 10.8 ms.
        #expect((9_000_000...13_000_000).contains(path.estimator.queueDelay))
    }
}

/// Feedback that is wrong.
@Suite struct BadCongestionFeedback {
    /// No estimate is above what was sent and acknowledged times this.
    private static let factor = 3.1

    @Test func `numbers never sent, and feedback twice, are counted and change nothing`() {
        let path = CongestionPath(capacity: 1_000_000)
        path.run(seconds: 5)
        let target = path.estimator.target
        let first = path.number &- 500
        for _ in 0..<100 {
            path.estimator.beginFeedback(now: path.now)
            for offset in 1_000..<1_100 as Range<UInt16> {
                path.estimator.noteStatus(path.number &+ offset, isReceived: true, arrival: 0)
            }
            for offset in 0..<100 as Range<UInt16> {
                path.estimator.noteStatus(first &+ offset, isReceived: true, arrival: .max)
            }
            path.estimator.endFeedback()
        }
        #expect(path.estimator.target == target)
        #expect(path.estimator.counters.unknown == 10_000 && path.estimator.counters.repeated == 10_000)
    }

    @Test func `times that run backwards are counted and bounded`() {
        let path = CongestionPath(capacity: 1_000_000)
        path.run(seconds: 3)
        path.tell = { number, arrival in Int64(10_000_000_000) - arrival }
        path.run(seconds: 10)
        #expect(path.estimator.counters.backward > 100)
        #expect(Double(path.estimator.target) < 1_000_000 * Self.factor)
    }

    @Test func `who says that all came at once gets no more than was acknowledged times a factor`() {
        let path = CongestionPath(capacity: 1_000_000)
        path.tell = { _, _ in 0 }
        path.estimator.wants(100_000_000, now: path.now)
        path.run(seconds: 20, rate: 1_000_000)
        #expect(Double(path.estimator.target) < 1_000_000 * Self.factor)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `whatever feedback says, nothing breaks and no estimate is far above what was sent`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let path = CongestionPath(capacity: 1_000_000)
        path.estimator.wants(.max, now: path.now)
        path.tell = { _, arrival in Self.bent(arrival, &random) }
        var most: UInt64 = 0
        for _ in 0..<40 {
            path.run(seconds: 0.2, rate: 1_000_000)
            path.estimator.beginFeedback(now: Bool.random(using: &random) ? path.now : 0)
            for _ in 0..<Int.random(in: 0...200, using: &random) {
                let arrival = Self.bent(Int64.random(in: .min ... .max, using: &random), &random)
                path.estimator.noteStatus(
                    UInt16.random(in: .min ... .max, using: &random), isReceived: arrival != nil,
                    arrival: arrival ?? .max)
            }
            path.estimator.endFeedback()
            path.estimator.noteTime(path.now)
            _ = path.estimator.nextProbe(now: path.now)
            most = max(most, path.estimator.target)
            #expect(path.estimator.lossRatio >= 0 && path.estimator.lossRatio <= 1)
            #expect(path.estimator.queueDelay <= 10_000_000_000)
        }
        #expect(most >= UInt64(CongestionConstants.leastRate))
        #expect(Double(most) <= 1_000_000 * Self.factor)
    }

    /// Mostly what it was.
    private static func bent(_ arrival: Int64, _ random: inout SplitMix) -> Int64? {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: nil
        case 1: .max
        case 2: .min
        case 3: -arrival
        case 4: arrival &+ Int64.random(in: -1_000_000_000...1_000_000_000, using: &random)
        case 5: arrival / 1_000_000_000 * 1_000_000_000
        default: arrival
        }
    }
}
