/// How late some packets are of late, as the longest of a while.
struct Lateness: BitwiseCopyable {
    /// ns.
    private(set) var longest: UInt64 = 0
    /// The same; 0 where it is so short that it changes nothing, ns.
    var notable: UInt64 { longest < CongestionConstants.leastLateness ? 0 : longest }

    /// When it was seen, or halved, ns.
    private var at: UInt64 = 0

    /// A packet was so late, ns.
    mutating func note(_ late: Int64, now: UInt64) {
        let late = min(UInt64(max(late, 0)), CongestionConstants.mostLateness)
        guard late >= longest else { return }
        longest = late
        at = now
    }

    /// Called now and then.
    mutating func fade(now: UInt64) {
        guard now &- at >= CongestionConstants.latenessLife else { return }
        longest /= 2
        at = now
    }
}
