/// How far the wall clock of a Session's peer is from the workers' clock, as its sender reports tell. One for all that it
/// sends, so that its sound and its pictures keep to each other.
///
/// The fastest reports tell it best, as delays of the network only make reports look late. The offset follows them slowly
/// enough that nobody hears it, and fast enough for a clock that is wrong by 100 ppm.
struct PublisherClock: BitwiseCopyable {
    /// The fastest report of this long counts, and of as long before, ns.
    static let window: UInt64 = 10_000_000_000
    /// The offset changes by one part of this at most: 500 ppm.
    static let slowness: UInt64 = 2_000
    /// A clock that jumped further than this was set anew, ns.
    static let jump: Int64 = 1_000_000_000

    /// Added to the peer's time, ns; nil before the first report.
    private var offset: Int64?
    private var present: Int64 = 0
    private var previous: Int64 = 0
    private var windowBegin: UInt64 = 0
    private var updatedAt: UInt64 = 0

    /// A sender report with this 64-bit NTP time came in at `arrival`, ns: when it was written, ns of the workers' clock.
    mutating func note(ntp: UInt64, arrival: UInt64) -> UInt64 {
        let time = Self.nanoseconds(ntp)
        let sample = Int64(bitPattern: arrival) &- time
        let offset = follow(sample, arrival: arrival)
        self.offset = offset
        updatedAt = arrival
        return UInt64(bitPattern: max(time &+ offset, 0))
    }

    /// A moment that it names in 64-bit NTP, ns of the workers' clock; nil before the first report.
    func moment(ofNTP ntp: UInt64) -> UInt64? {
        offset.map { UInt64(bitPattern: max(Self.nanoseconds(ntp) &+ $0, 0)) }
    }

    private static func nanoseconds(_ ntp: UInt64) -> Int64 {
        Int64(bitPattern: (ntp >> 32) &* 1_000_000_000 &+ ((ntp & 0xffff_ffff) &* 1_000_000_000) >> 32)
    }

    private mutating func follow(_ sample: Int64, arrival: UInt64) -> Int64 {
        guard let offset, (sample &- offset).magnitude <= UInt64(Self.jump) else {
            (present, previous, windowBegin) = (sample, sample, arrival)
            return sample
        }
        if arrival &- windowBegin >= Self.window {
            (previous, present, windowBegin) = (present, sample, arrival)
        } else {
            present = min(present, sample)
        }
        let limit = Int64((arrival &- updatedAt) / Self.slowness)
        return offset &+ min(max(min(present, previous) &- offset, -limit), limit)
    }
}
