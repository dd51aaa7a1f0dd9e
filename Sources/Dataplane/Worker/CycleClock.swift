import CDPDK

/// The processor's time stamp counter as nanoseconds since the clock was made. It is the only reader of a clock
/// in the data plane: the thread's loop reads it and hands `now` down.
public struct CycleClock: Sendable, BitwiseCopyable {
    /// Cycles when the clock was made.
    public let origin: UInt64
    /// Cycles per second, which EAL measured at its start.
    public let frequency: UInt64
    /// Nanoseconds per cycle, times 2^32.
    private let scale: UInt64

    /// A clock that starts now. EAL must be started.
    public init() { self.init(origin: tsc_read(), frequency: tsc_hz()) }

    init(origin: UInt64, frequency: UInt64) {
        self.origin = origin
        self.frequency = max(frequency, 1)
        scale = (1_000_000_000 << 32) / self.frequency
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
}
