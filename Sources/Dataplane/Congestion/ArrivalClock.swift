/// The receiver's time, by the reference times of transport-wide feedback.
struct ArrivalClock: BitwiseCopyable {
    /// The unit of receive deltas, ns.
    static let tick: Int64 = 250_000
    /// Ticks of a unit of the reference time.
    private static let unit: Int64 = 256

    /// Of 24 bits, which wrap after 12 days.
    private var reference: Int32 = 0
    private var extended: Int64 = 0
    private var isRunning = false

    /// The ticks of a feedback's reference time.
    mutating func start(reference next: Int32) -> Int64 {
        let difference = ((next &- reference) << 8) >> 8
        extended = isRunning ? extended &+ Int64(difference) : 0
        isRunning = true
        reference = next
        return extended &* Self.unit
    }
}
