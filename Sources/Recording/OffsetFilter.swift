/// How far one clock is from another, by samples of which some are late: the earliest ones tell it best, as delays only
/// ever add. The estimate follows them slowly, so that nobody hears it.
struct OffsetFilter: Sendable {
    /// The earliest sample of this long counts, and of as long before, ns.
    static let window: UInt64 = 10_000_000_000
    /// The estimate changes by one part of this of the time that passes at most: 500 ppm.
    static let slowness: UInt64 = 2_000
    /// A clock that is further from the estimate was set anew, ns.
    static let jump: Int64 = 1_000_000_000

    /// ns; nil before the first sample.
    private(set) var offset: Int64?
    private var present: Int64 = 0
    private var previous: Int64 = 0
    private var windowBegin: UInt64 = 0
    private var updatedAt: UInt64 = 0

    /// A sample at `now`, ns.
    mutating func note(_ sample: Int64, now: UInt64) {
        guard let offset, (sample &- offset).magnitude <= UInt64(Self.jump) else {
            (present, previous, windowBegin, updatedAt, self.offset) = (sample, sample, now, now, sample)
            return
        }
        if now &- windowBegin >= Self.window {
            (previous, present, windowBegin) = (present, sample, now)
        } else {
            present = min(present, sample)
        }
        let limit = Int64((now &- updatedAt) / Self.slowness)
        guard limit > 0 else { return }
        self.offset = offset &+ min(max(min(present, previous) &- offset, -limit), limit)
        updatedAt = now
    }
}

/// The wall clock of whoever sends us sender reports, against ours. One for all that it sends, so that sound and pictures keep
/// to each other, and those of all participants too.
struct ReportClock: Sendable {
    private var filter = OffsetFilter()

    /// A sender report with this NTP time came in at `arrival`, ns.
    ///
    /// - Returns: when it was written, ns of our clock.
    mutating func note(ntp: UInt64, arrival: UInt64) -> UInt64 {
        let time = Self.nanoseconds(ntp)
        filter.note(Int64(bitPattern: arrival) &- time, now: arrival)
        return UInt64(max(time &+ (filter.offset ?? 0), 0))
    }

    /// Of the 64-bit NTP format (RFC 5905 section 6), since 1900. Ends in 2192 of this arithmetic.
    private static func nanoseconds(_ ntp: UInt64) -> Int64 {
        Int64(bitPattern: (ntp >> 32) &* 1_000_000_000 &+ ((ntp & 0xffff_ffff) &* 1_000_000_000) >> 32)
    }
}
