import CDPDK

/// The processor's time stamp counter as nanoseconds since the clock was made. It is the only reader of a clock
/// in the data plane: the thread's loop reads it and hands `now` down.
public struct CycleClock: Sendable, BitwiseCopyable {
    /// Cycles when the clock was made.
    public let origin: UInt64
    /// Cycles per second.
    public let frequency: UInt64
    /// Nanoseconds per cycle, times 2^32.
    private let scale: UInt64

    /// Measured once, against the system's clock: EAL rounds to 10 MHz, which is 0.2% of 2.5 GHz. By such a clock packets seem
    /// to wait 2 ms longer with each second, as if a queue grew.
    private static let measuredFrequency = measureFrequency()

    /// A clock that starts now.
    public init() { self.init(origin: tsc_read(), frequency: Self.measuredFrequency) }

    init(origin: UInt64, frequency: UInt64) {
        self.origin = origin
        self.frequency = max(frequency, 1)
        scale = (1_000_000_000 << 32) / self.frequency
    }

    /// Takes 100 ms, at the ends of which a reading is off by less than 100 ns: 2 millionths.
    private static func measureFrequency() -> UInt64 {
        let first = readTogether()
        while ContinuousClock.now - first.time < .milliseconds(100) {}
        let last = readTogether()
        let elapsed = (last.time - first.time).components
        let nanoseconds = UInt64(elapsed.seconds) &* 1_000_000_000 &+ UInt64(elapsed.attoseconds / 1_000_000_000)
        let product = (last.cycles &- first.cycles).multipliedFullWidth(by: 1_000_000_000)
        return nanoseconds.dividingFullWidth(product).quotient
    }

    /// The counter and the system's clock at the same moment: of several readings the one that was interrupted least.
    private static func readTogether() -> (cycles: UInt64, time: ContinuousClock.Instant) {
        var best: (cycles: UInt64, time: ContinuousClock.Instant, span: UInt64)?
        for _ in 0..<16 {
            let before = tsc_read()
            let time = ContinuousClock.now
            let span = tsc_read() &- before
            if span < best?.span ?? .max { best = (before &+ span / 2, time, span) }
        }
        return best.map { ($0.cycles, $0.time) } ?? (tsc_read(), .now)
    }

    /// Nanoseconds since the clock was made.
    @inline(__always)
    public func now() -> UInt64 { nanoseconds(cycles() &- origin) }

    /// The counter itself, for costs.
    @inline(__always)
    public func cycles() -> UInt64 { tsc_read() }

    /// The nanoseconds that so many cycles last.
    @inline(__always)
    public func nanoseconds(_ cycles: UInt64) -> UInt64 {
        let product = cycles.multipliedFullWidth(by: scale)
        return product.high &<< 32 | product.low &>> 32
    }

    /// The cycles that so many nanoseconds last.
    func cycles(ofNanoseconds nanoseconds: UInt64) -> UInt64 {
        let product = nanoseconds.multipliedFullWidth(by: frequency)
        // Below 2^64 cycles, which are more than a hundred years.
        return (1_000_000_000 as UInt64).dividingFullWidth(product).quotient
    }
}
