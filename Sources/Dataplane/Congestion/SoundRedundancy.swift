import Wire

/// How many earlier sounds go with each one, to a receiver that loses some of what it is sent (RFC 2198).
struct SoundRedundancy: BitwiseCopyable {
    /// Of what is sent, where no queue made it, smoothed, 0 to 1.
    private var loss = 0.0
    /// When the queue was last much longer than wanted, ns.
    private var crowdedAt: UInt64 = 0
    /// Since when fewer would do, ns; 0: they would not.
    private var fewerSince: UInt64 = 0

    /// Called with each look at the path: how many go from now on.
    ///
    /// - Parameters:
    ///   - count: how many went so far.
    ///   - loss: of what is sent, 0 to 1.
    ///   - isCrowded: a queue is much longer than wanted, and may be full: more of anything makes more loss.
    ///   - sound: what the sounds take that can be repeated, once, bits/s.
    ///   - allowance: what may be sent in all, bits/s.
    mutating func next(
        after count: UInt8, loss sample: Double, isCrowded: Bool, sound: UInt64, allowance: UInt64, now: UInt64
    ) -> UInt8 {
        if isCrowded { crowdedAt = max(now, 1) }
        let isRandom = crowdedAt == 0 || now &- crowdedAt >= CongestionConstants.crowdedLoss
        loss += ((isRandom ? sample : 0) - loss) * CongestionConstants.reportedLossWeight
        guard sound > 0 else { return 0 }
        // Where sound is most of what there is room for, more of it makes the loss.
        let room = allowance / CongestionConstants.redundancyPart / sound
        let most = UInt8(truncatingIfNeeded: min(room, UInt64(RedundantAudio.mostBlocks)))
        let wanted = min(Self.wanted(loss, factor: 1), most)
        guard count <= most, wanted < count, Self.wanted(loss, factor: 0.5) < count else {
            fewerSince = 0
            return min(max(wanted, count), most)
        }
        if fewerSince == 0 { fewerSince = max(now, 1) }
        guard now &- fewerSince >= CongestionConstants.redundancyPatience else { return count }
        fewerSince = 0
        return count &- 1
    }

    /// `factor`: of the losses from which on they go.
    private static func wanted(_ loss: Double, factor: Double) -> UInt8 {
        if loss >= CongestionConstants.twoSoundsLoss * factor { return 2 }
        return loss >= CongestionConstants.oneSoundLoss * factor ? 1 : 0
    }
}
