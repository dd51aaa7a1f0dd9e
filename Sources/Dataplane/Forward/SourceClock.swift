/// When the timestamps of a source were taken: its publisher's own word (sender reports, RFC 3550 section 6.4.1) in terms of
/// the workers' clock, so that neither encoders nor networks move it.
struct SourceClock: BitwiseCopyable {
    /// A timestamp of the source, and when it was taken, ns of the workers' clock.
    var timestamp: UInt32
    var moment: UInt64

    /// The source's timestamp at another moment, ns.
    func timestamp(at now: UInt64, clockRate: UInt32) -> UInt32 {
        let ticks = Self.ticks(Int64(bitPattern: now &- moment), clockRate)
        return timestamp &+ UInt32(truncatingIfNeeded: ticks)
    }

    /// Whether it fits a packet of this timestamp that came at `arrival`, ns: within 5 s. Some peers report timestamps of another
    /// clock.
    func agrees(timestamp: UInt32, arrival: UInt64, clockRate: UInt32) -> Bool {
        let expected = self.timestamp(at: arrival, clockRate: clockRate)
        return Int32(bitPattern: expected &- timestamp).magnitude < 5 &* clockRate
    }

    /// Ticks of the RTP clock in `nanoseconds`, to the microsecond.
    static func ticks(_ nanoseconds: Int64, _ clockRate: UInt32) -> Int64 {
        nanoseconds / 1_000 &* Int64(clockRate) / 1_000_000
    }
}
