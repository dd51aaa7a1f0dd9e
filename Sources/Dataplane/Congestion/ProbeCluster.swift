/// Packets to send in a row beside media, to see whether the path carries their rate.
public struct ProbeCluster: Sendable, BitwiseCopyable {
    /// Bit/s.
    public let rate: UInt64
    public let packets: Int
    /// Of one packet, as sizes are counted everywhere.
    public let packetBytes: Int

    /// Whether anything comes through at all.
    static let smallest = ProbeCluster(rate: CongestionConstants.startRate, packets: 1, packetBytes: 100)

    /// Between two packets, ns.
    public var interval: UInt64 { UInt64(packetBytes &* 8) &* 1_000_000_000 / max(rate, 1) }
}
