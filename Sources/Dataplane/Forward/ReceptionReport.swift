import Wire

/// What a receiver report says of one SSRC that we receive (RFC 3550 sections 6.4.1, A.3 and A.8).
struct ReceptionReport: BitwiseCopyable {
    private var base: UInt64 = 0
    private var highest: UInt64 = 0
    private var received: UInt64 = 0
    private var priorExpected: UInt64 = 0
    private var priorReceived: UInt64 = 0
    /// Interarrival jitter in timestamp units, scaled by 16.
    private var jitter: UInt32 = 0
    private var transit: UInt32 = 0
    /// The middle 32 bits of the NTP time of the latest sender report, and when it came, ns.
    private var senderReport: UInt32 = 0
    private var senderReportArrival: UInt64 = 0

    var hasReceived: Bool { received > 0 }

    /// Counts a packet. `arrival` in ns, `clockRate` in Hz.
    mutating func count(sequence: UInt64, timestamp: UInt32, arrival: UInt64, clockRate: UInt32) {
        let ticks = UInt32(truncatingIfNeeded: arrival / 1_000 &* UInt64(clockRate) / 1_000_000)
        let newTransit = ticks &- timestamp
        if received == 0 {
            base = sequence
            highest = sequence
        } else {
            let difference = Int32(bitPattern: newTransit &- transit).magnitude
            jitter = jitter &+ difference &- ((jitter &+ 8) >> 4)
        }
        transit = newTransit
        highest = max(highest, sequence)
        received &+= 1
    }

    /// A sender report of this SSRC: `ntp` is its 64-bit timestamp.
    mutating func noteSenderReport(ntp: UInt64, arrival: UInt64) {
        senderReport = UInt32(truncatingIfNeeded: ntp >> 16)
        senderReportArrival = arrival
    }

    /// The report block for the time since the last one.
    mutating func block(ssrc: UInt32, now: UInt64) -> ReportBlock {
        let expected = highest &- base &+ 1
        let expectedNow = expected &- priorExpected
        let receivedNow = received &- priorReceived
        priorExpected = expected
        priorReceived = received
        var fraction: UInt8 = 0
        if expectedNow > receivedNow {
            fraction = UInt8(truncatingIfNeeded: min(255, (expectedNow &- receivedNow) << 8 / expectedNow))
        }
        let lost = Int64(bitPattern: expected &- received)
        var delay: UInt32 = 0
        if senderReport != 0 {
            delay = UInt32(truncatingIfNeeded: (now &- senderReportArrival) / 1_000 &* 65_536 / 1_000_000)
        }
        return ReportBlock(
            ssrc: ssrc, fractionLost: fraction,
            cumulativeLost: Int32(truncatingIfNeeded: min(max(lost, -0x80_0000), 0x7f_ffff)),
            highestSequence: UInt32(truncatingIfNeeded: highest), jitter: jitter >> 4,
            lastSenderReport: senderReport, delaySinceLastSenderReport: delay)
    }
}
