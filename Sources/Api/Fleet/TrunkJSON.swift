import Conference

/// What goes over the Trunk to a PoP, as `GET /api/v1/fleet` tells it.
struct TrunkJSON: Encodable {
    /// The other PoP's director is heard.
    var open: Bool
    var lanes: Int
    /// Tracks that come over it now, and that go.
    var tracksIn: Int
    var tracksOut: Int
    var sentPackets: UInt64
    var sentBytes: UInt64
    var receivedPackets: UInt64
    /// Packets for this PoP that did not come in their turn, and those of them that came later.
    var missingPackets: UInt64
    var repairedPackets: UInt64
    /// Of the slowest Lane, milliseconds, once it was measured.
    var rttMs: Double?

    init(_ report: TrunkReport) {
        open = report.isOpen
        lanes = report.lanes
        tracksIn = report.carriedIn
        tracksOut = report.carriedOut
        sentPackets = report.sentPackets
        sentBytes = report.sentBytes
        receivedPackets = report.receivedPackets
        missingPackets = report.missingPackets
        repairedPackets = report.repairedPackets
        // Nanoseconds, to microseconds' precision.
        rttMs = report.roundTrip == 0 ? nil : Double(report.roundTrip / 1_000) / 1_000
    }
}
