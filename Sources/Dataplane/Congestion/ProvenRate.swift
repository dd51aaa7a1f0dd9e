/// The most that was sent and acknowledged of late: no estimate is far above it, whatever a receiver says.
struct ProvenRate: BitwiseCopyable {
    /// Bit/s, fading.
    private var acknowledged = 0.0
    private var probed = 0.0

    /// Bit/s that an estimate may have.
    var limit: Double {
        max(Double(CongestionConstants.startRate), acknowledged * CongestionConstants.provenFactor, probed)
    }

    /// `elapsed`: ns since the last call.
    mutating func note(acknowledged rate: Double, elapsed: Double) {
        let fading = 1 - min(elapsed, 200e6) / CongestionConstants.provenLife
        acknowledged = max(acknowledged * fading, rate)
        probed *= fading
    }

    mutating func note(probed rate: Double) { probed = max(probed, rate) }
}
