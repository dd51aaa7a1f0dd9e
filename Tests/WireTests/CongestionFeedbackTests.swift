import Testing

@testable import Wire

@Suite struct CongestionFeedbackTests {
    private func read<Result>(_ words: [UInt32], _ body: (CongestionFeedback?) throws -> Result) rethrows -> Result {
        let bytes = words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) } }
        return try bytes.withUnsafeBytes { room in
            var compound = RTCPCompound(room)
            return try body(compound.next().flatMap { CongestionFeedback($0) })
        }
    }

    /// Two streams: three reports and padding, and none.
    private static let message: [UInt32] = [
        0x8bcd_0007, 0x0000_0009, 0x0000_0001, 0xffff_0003, 0x8005_0000, 0xffff_0000, 0x0000_0002, 0x1234_0000,
    ]

    @Test func reportsAreInOrderOfStreams() throws {
        // The last word is the timestamp.
        try read([0x8bcd_0008] + Self.message.dropFirst() + [0xaabb_ccdd]) { feedback in
            let feedback = try #require(feedback)
            let streams = Array(feedback)
            #expect(feedback.senderSSRC == 9 && feedback.timestamp == 0xaabb_ccdd)
            try #require(streams.count == 2)
            let (first, second) = (streams[0], streams[1])
            #expect(first.ssrc == 1 && first.firstSequence == 0xffff && first.count == 3)
            #expect(first[0].isReceived && first[0].mark == .notCapable && first[0].age == 5)
            #expect(!first[1].isReceived && first[1].age == nil)
            #expect(first[2].isReceived && first[2].mark == .experienced && first[2].age == nil, "over range")
            #expect(second.ssrc == 2 && second.firstSequence == 0x1234 && second.count == 0)
        }
    }

    @Test(
        arguments: [(UInt16(0x8000), 0), (0x9ffd, 0x1ffd), (0x9ffe, nil), (0x9fff, nil), (0x1234, nil)]
            as [(UInt16, UInt16?)])
    func agesAreUpToEightSeconds(word: UInt16, age: UInt16?) {
        #expect(CongestionReport(word).age == age)
    }

    @Test(arguments: [(UInt16(0x8000), 0), (0xa000, 1), (0xc000, 2), (0xe000, 3)] as [(UInt16, UInt8)])
    func marksAreThoseOfTheIPHeader(word: UInt16, mark: UInt8) {
        #expect(CongestionReport(word).mark.rawValue == mark)
    }

    /// Each shorter by a word, and with more reports than there are.
    @Test func whatDoesNotFitIsNone() {
        for count in 1..<Self.message.count {
            var words = Array(Self.message.prefix(count))
            words[0] = 0x8bcd_0000 | UInt32(count - 1)
            // A timestamp alone, and the first stream, are whole messages.
            read(words) { #expect(($0 != nil) == (count == 3 || count == 7), "\(count)") }
        }
        read([0x8bcd_0004, 9, 1, 0x0000_ffff, 7]) { #expect($0 == nil) }
        read([0x8fcd_0002, 9, 7]) { #expect($0 == nil) }
        read([0x8bcd_0002, 9, 7]) { feedback in
            #expect(feedback?.timestamp == 7)
            #expect(feedback.map { Array($0).count } == 0)
        }
    }
}
