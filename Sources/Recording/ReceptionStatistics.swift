import Wire

/// What a receiver report says of one stream (RFC 3550 sections 6.4.1, A.3 and A.8).
struct ReceptionStatistics: Sendable {
    private var first: UInt64?
    private var highest: UInt64 = 0
    private var received: UInt64 = 0
    private var lastExpected: UInt64 = 0
    private var lastReceived: UInt64 = 0
    /// Sixteenths of the RTP clock's ticks.
    private var jitter: Int64 = 0
    private var transit: Int64?
    private var report: (middle: UInt32, arrival: UInt64)?

    /// - Parameter sequence: counted on.
    mutating func note(_ sequence: UInt64, timestamp: UInt32, arrival: UInt64, rate: UInt32) {
        if first == nil { first = sequence }
        highest = max(highest, sequence)
        received += 1
        let ticks = UInt32(truncatingIfNeeded: arrival / 1_000_000 &* UInt64(rate) / 1_000)
        let transit = Int64(Int32(bitPattern: ticks &- timestamp))
        if let last = self.transit {
            let change = min((transit - last).magnitude, 1 << 31)
            jitter += Int64(change) - (jitter + 8) >> 4
        }
        self.transit = transit
    }

    /// A sender report with this NTP time came in.
    mutating func noteReport(ntp: UInt64, arrival: UInt64) {
        report = (UInt32(truncatingIfNeeded: ntp >> 16), arrival)
    }

    /// Nil before the first packet. What was lost counts from the report before.
    mutating func block(ssrc: UInt32, now: UInt64) -> ReportBlock? {
        guard let first else { return nil }
        let expected = highest - first + 1
        let expectedSince = expected - lastExpected
        let receivedSince = received - lastReceived
        (lastExpected, lastReceived) = (expected, received)
        let lostSince = expectedSince > receivedSince ? expectedSince - receivedSince : 0
        var block = ReportBlock(ssrc: ssrc)
        block.fractionLost = expectedSince == 0 ? 0 : UInt8(min(lostSince << 8 / expectedSince, 255))
        block.cumulativeLost = Int32(clamping: Int64(expected) - Int64(received))
        block.highestSequence = UInt32(truncatingIfNeeded: highest - 1 << 16)
        block.jitter = UInt32(clamping: jitter >> 4)
        if let report {
            block.lastSenderReport = report.middle
            block.delaySinceLastSenderReport = UInt32(clamping: (now &- report.arrival) / 1_000 << 16 / 1_000_000)
        }
        return block
    }
}
