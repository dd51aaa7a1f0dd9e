/// When to probe, and how fast: at the start, on when a probe came through, and toward a rate that is asked for.
struct ProbeSchedule: BitwiseCopyable {
    private var nextAt: UInt64
    private var sentAt: UInt64 = 0
    private var interval = CongestionConstants.probeInterval
    /// Bit/s: of the latest probe, and that somebody asked for.
    private var rate = 0.0
    private(set) var wanted = 0.0
    private(set) var count: UInt64 = 0
    /// Whether the latest probe came through, so that the next one goes on from there.
    private var isClimbing = false

    init(now: UInt64) { nextAt = now }

    /// Somebody would use so many bit/s. More than before is probed for at once.
    mutating func want(_ wanted: Double, target: Double, now: UInt64) {
        if wanted > self.wanted * 1.1, wanted > target, count > 0 {
            interval = CongestionConstants.probeInterval
            nextAt = min(nextAt, max(now, sentAt &+ CongestionConstants.probeSpacing))
        }
        self.wanted = wanted
    }

    /// A probe came in at `seen` bit/s.
    mutating func note(seen: Double, now: UInt64) {
        guard rate > 0 else { return }
        isClimbing = seen > CongestionConstants.probeThrough * rate && seen < wanted
        if isClimbing {
            nextAt = now
        } else {
            interval = min(interval &* 2, CongestionConstants.mostProbeInterval)
        }
        rate = 0
    }

    /// Whether the next probe may go, if anything is to be found out.
    func isDue(target: Double, now: UInt64) -> Bool { now >= nextAt && (count == 0 || wanted > target * 1.05) }

    /// Whether the next probe has been held back for long, and what is wanted is far away.
    func isOverdue(target: Double, now: UInt64) -> Bool {
        now >= nextAt &+ CongestionConstants.probePatience && wanted > CongestionConstants.farAway * target
    }

    /// `isBlind`: nothing else shows whether the path carries more, and no queue stands.
    mutating func next(target: Double, isBlind: Bool, now: UInt64) -> ProbeCluster? {
        guard isDue(target: target, now: now) else { return nil }
        if count == 0 { return start(now: now) }
        guard isClimbing || isBlind else { return nil }
        isClimbing = false
        sentAt = now
        rate = min(CongestionConstants.probeGain * target, CongestionConstants.probeMargin * wanted)
        nextAt = now &+ interval
        count &+= 1
        return cluster(target: target)
    }

    private mutating func start(now: UInt64) -> ProbeCluster {
        count = 1
        sentAt = now
        nextAt = now &+ interval
        rate = CongestionConstants.startProbeRate
        return ProbeCluster(
            rate: UInt64(rate), packets: CongestionConstants.startProbePackets,
            packetBytes: CongestionConstants.startProbeBytes)
    }

    /// So short that, if the path does not carry it, the queue stays short: small packets at small rates.
    private func cluster(target: Double) -> ProbeCluster {
        let bytes = min(max(rate * CongestionConstants.probePacketSeconds / 8, 100), CongestionConstants.packetBytes)
        let wished = Int(rate * CongestionConstants.probeSeconds / (bytes * 8))
        return ProbeCluster(
            rate: UInt64(rate),
            packets: min(max(wished, CongestionConstants.leastProbePackets), CongestionConstants.mostProbePackets),
            packetBytes: Int(bytes))
    }
}
