/// The clock of timers: it never goes back.
public enum MonotonicClock {
    private static let start = ContinuousClock.now

    /// Nanoseconds since it was first asked.
    @Sendable
    public static func nanoseconds() -> UInt64 {
        // The first question makes the start: it must be made before now is read.
        let start = start
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
