/// How many frames may pass: a token bucket on the worker's clock.
///
/// Credit is kept in nanoseconds, so that no division and no fraction is lost between calls.
struct FrameAllowance: BitwiseCopyable {
    /// Nanoseconds that one frame costs.
    private let cost: UInt64
    /// Credit at most.
    private let most: UInt64
    private var credit: UInt64
    private var filledAt: UInt64 = 0

    /// `rate` frames a second, and `burst` at once. A rate of 0 lets nothing pass.
    init(rate: Int, burst: Int) {
        cost = rate > 0 ? max(1, 1_000_000_000 / UInt64(rate)) : .max
        most = rate > 0 ? cost * UInt64(max(burst, 1)) : 0
        credit = most
    }

    /// Frames that may pass now.
    mutating func available(now: UInt64) -> Int {
        if now > filledAt {
            // Bounded before it is added, so that a clock that starts late does not overflow.
            credit = min(most, credit &+ min(most, now &- filledAt))
            filledAt = now
        }
        return Int(truncatingIfNeeded: credit / cost)
    }

    /// Takes what `count` frames cost; no more than were `available`.
    mutating func take(_ count: Int) { credit &-= cost &* UInt64(truncatingIfNeeded: count) }
}
