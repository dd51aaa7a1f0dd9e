/// Now and then sends less for a moment, so that the queue empties and the path's least delay shows: others on the path
/// learn it at the same time.
struct QueueDrain: BitwiseCopyable {
    private var nextAt: UInt64
    private(set) var end: UInt64 = 0
    private var checkAt: UInt64 = .max
    private var baseBefore: Int64 = .max

    init(now: UInt64) { nextAt = now &+ CongestionConstants.firstDrain }

    /// The factor to send with.
    mutating func factor(base: Int64, now: UInt64) -> Double {
        if now >= checkAt {
            checkAt = .max
            let isLower = base < baseBefore &- CongestionConstants.baseFound
            nextAt = now &+ (isLower ? CongestionConstants.drainAgain : CongestionConstants.drainInterval)
        }
        if now >= nextAt {
            nextAt = .max
            end = now &+ CongestionConstants.drainLength
            checkAt = now &+ CongestionConstants.drainCheck
            baseBefore = base
        }
        return now < end ? CongestionConstants.drainFactor : 1
    }

    /// Whether what is seen now comes of a drain.
    func isRecent(_ time: UInt64, now: UInt64) -> Bool { end > 0 && now < end &+ time }
}
