import TestSupport
import Testing
import Wire

/// draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1.
@Suite struct TransportFeedbackTests {
    static let lost = RTCPWriter.lost

    /// One packet for as many of `arrivals` as it takes.
    static func feedback(
        _ arrivals: [Int64], from first: UInt16 = 10, capacity: Int = 1500
    ) -> (packet: [UInt8], covered: Int) {
        var covered = 0
        let packet = RTCPTests.compound(capacity) { writer in
            covered = arrivals.withUnsafeBufferPointer {
                writer.addTransportFeedback(
                    senderSSRC: 1, mediaSSRC: 2, baseSequence: first, feedbackCount: 77, arrivals: $0)
            }
        }
        return (packet, covered)
    }

    /// Whether the packet says exactly `arrivals`.
    static func check(_ packet: [UInt8], _ arrivals: ArraySlice<Int64>, from first: UInt16) throws {
        try RTCPTests.single(packet) { packet in
            let feedback = try #require(TransportFeedback(packet))
            #expect(feedback.baseSequence == first && feedback.feedbackCount == 77)
            #expect(feedback.senderSSRC == 1 && feedback.mediaSSRC == 2)
            #expect(feedback.receivedCount == arrivals.count { $0 != lost })
            let statuses = Array(feedback.statuses)
            #expect(statuses.map(\.sequence) == arrivals.indices.map { first &+ UInt16($0 - arrivals.startIndex) })
            var time = Int64(feedback.referenceTime) * 256
            let times = statuses.map { status in
                time += Int64(status.delta)
                return status.isReceived ? time : lost
            }
            #expect(times == Array(arrivals))
        }
    }

    /// The chunks of a packet.
    static func chunks(_ packet: [UInt8], _ count: Int) -> [UInt16] {
        (0..<count).map { UInt16(packet[20 + 2 * $0]) << 8 | UInt16(packet[21 + 2 * $0]) }
    }

    @Test func everythingArrivedIsOneRun() throws {
        let arrivals = (0..<100).map { Int64(1000 + 4 * $0) }
        let (packet, covered) = Self.feedback(arrivals)
        #expect(covered == 100)
        #expect(Self.chunks(packet, 1) == [0x2000 | 100])
        #expect(packet.count == 20 + 2 + 100 + 2)
        try Self.check(packet, arrivals[...], from: 10)
    }

    @Test func someLostAreAVectorOfBits() throws {
        var arrivals = (0..<14).map { Int64(3 * $0) }
        for index in [2, 3, 9] { arrivals[index] = Self.lost }
        let (packet, _) = Self.feedback(arrivals)
        #expect(Self.chunks(packet, 1) == [0b1011_0011_1110_1111])
        try Self.check(packet, arrivals[...], from: 10)
    }

    @Test func reorderedAndLateAreAVectorOfPairs() throws {
        // Received out of order, a gap of 300 ticks, one lost.
        let arrivals: [Int64] = [500, 490, 800, Self.lost, 801, 802, 803]
        let (packet, _) = Self.feedback(arrivals)
        #expect(Self.chunks(packet, 1) == [0b11_01_10_10_00_01_01_01])
        try Self.check(packet, arrivals[...], from: 10)
    }

    @Test func longLossIsARun() throws {
        var arrivals = [Int64](repeating: Self.lost, count: 9000)
        arrivals[0] = 5
        arrivals[8999] = 6
        let (packet, covered) = Self.feedback(arrivals, capacity: 30000)
        #expect(covered == 9000)
        try Self.check(packet, arrivals[...], from: 10)
        #expect(packet.count <= 20 + 8 + 4)
    }

    @Test func lossAtBothEnds() throws {
        let arrivals = [Self.lost, Self.lost, 100, Self.lost]
        let (packet, covered) = Self.feedback(arrivals, from: 0xfffe)
        #expect(covered == 4)
        try Self.check(packet, arrivals[...], from: 0xfffe)
    }

    @Test func nothingArrivedIsNoFeedback() {
        let (packet, covered) = Self.feedback([Self.lost, Self.lost])
        #expect(covered == 0 && packet.isEmpty)
        #expect(Self.feedback([]).covered == 0)
        #expect(Self.feedback([1], capacity: 20).covered == 0)
    }

    @Test func aDeltaBeyond16BitsEndsThePacket() throws {
        let arrivals: [Int64] = [0, 0x7fff, 0xffff, 0, 1]
        let (first, covered) = Self.feedback(arrivals)
        #expect(covered == 2)
        try Self.check(first, arrivals[..<2], from: 10)
        let (second, more) = Self.feedback(Array(arrivals[2...]))
        #expect(more == 1)
        try Self.check(second, arrivals[2..<3], from: 10)
        let edge: [Int64] = [0x8000, 0, 0x7fff]
        try Self.check(Self.feedback(edge).packet, edge[...], from: 10)
        #expect(Self.feedback(edge).covered == 3)
    }

    @Test func timesBeforeTheEpochAndBeyond24Bits() throws {
        let negative: [Int64] = [-1000, -999, -1200]
        try Self.check(Self.feedback(negative).packet, negative[...], from: 10)
        // The reference time wraps (24 bits of 64 ms).
        let far = Int64(1) << 40 | 5
        try RTCPTests.single(Self.feedback([far, far + 1]).packet) { packet in
            let feedback = try #require(TransportFeedback(packet))
            #expect(feedback.referenceTime == 0 && feedback.statuses.map(\.delta) == [5, 1])
        }
    }

    @Test func randomArrivalsComeBackInPieces() throws {
        var random = SplitMix(seed: 21)
        for round in 0..<400 {
            var clock = Int64.random(in: -10000...1_000_000, using: &random)
            let lossy = Int.random(in: 0...3, using: &random)
            let arrivals = (0..<Int.random(in: 1...400, using: &random)).map { _ -> Int64 in
                if Int.random(in: 0..<4, using: &random) < lossy { return Self.lost }
                let isLarge = Int.random(in: 0..<20, using: &random) == 0
                clock += isLarge ? .random(in: -40000...40000, using: &random) : .random(in: 0...260, using: &random)
                return clock
            }
            var start = 0
            while start < arrivals.count {
                let rest = Array(arrivals[start...])
                let (packet, covered) = Self.feedback(rest, from: UInt16(start), capacity: 60 + round * 3)
                guard covered > 0 else {
                    #expect(rest.prefix(Swift.min(rest.count, 8)).allSatisfy { $0 == Self.lost })
                    break
                }
                #expect(packet.count <= 60 + round * 3 && packet.count % 4 == 0)
                try Self.check(packet, rest[..<covered], from: UInt16(start))
                start += covered
            }
        }
    }

    @Test(arguments: [
        // One status without a chunk, a run whose deltas do not fit, a vector of pairs likewise.
        "8fcd 0004 00000001 00000002 0000 0001 00000000", "8fcd 0005 00000001 00000002 0000 0003 00000000 2003 0101",
        "8fcd 0005 00000001 00000002 0000 0002 00000000 e800 0101",
        // Runs of nothing do not loop.
        "8fcd 0005 00000001 00000002 0000 ffff 00000000 0000 0000",
    ])
    func malformedFeedbackIsRefused(_ text: String) throws {
        try RTCPTests.single(bytes(text)) { #expect(TransportFeedback($0) == nil) }
    }

    @Test func reservedSymbolIsNotReceived() throws {
        try RTCPTests.single(bytes("8fcd 0005 00000001 00000002 0000 0002 00000000 f400 0700")) { packet in
            let statuses = Array(try #require(TransportFeedback(packet)).statuses)
            #expect(statuses.map(\.isReceived) == [false, true] && statuses.map(\.delta) == [0, 7])
        }
    }
}
