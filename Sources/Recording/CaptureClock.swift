import Wire

/// When the frames of one stream were captured, by their RTP timestamps: anchored by sender reports (RFC 3550 section 6.4.1), whose
/// drift it follows slowly; before the first of them, and where none comes, by when the earliest packets came in.
struct CaptureClock: Sendable {
    /// What the caller says of it in the log.
    enum Step: Equatable, Sendable {
        /// The timestamps jumped: what follows is dated anew, by so much, ns.
        case jumped(Int64)
    }

    /// Once reports count, the clock changes by one part of this of the time that passes at most: 1,000 ppm, where crystals
    /// are wrong by 100.
    static let slowness: Int64 = 1_000
    /// Until it has come to where the reports say that it is: 5%, too little to be heard.
    static let firstSlowness: Int64 = 20
    /// It has come there, ns.
    static let settled: Int64 = 1_000_000
    /// A report that is so far from the clock is a jump, ns.
    static let jump: Int64 = 500_000_000
    /// A frame that would have been captured longer before it came in, or longer after that, was not: ns.
    static let mostLateness: Int64 = 4_000_000_000
    static let mostEarliness: Int64 = 500_000_000

    private let rate: Int64
    /// The latest timestamp, counted on where its 32 bits wrap; nil before the first.
    private var latest: Int64?
    /// Added to the time that the timestamps count, ns.
    private var offset: Int64 = 0
    private var arrivals = OffsetFilter()
    /// What reports say the offset is; nil before the first.
    private var target: Int64?
    private var isSettled = false
    private var updatedAt: UInt64 = 0

    /// - Parameter rate: of the RTP timestamps, Hz.
    init(rate: UInt32) { self.rate = Int64(rate) }

    /// A sender report: the timestamp belongs to `moment`, ns of the recorder's clock.
    mutating func note(report timestamp: UInt32, moment: UInt64) {
        // Before the first packet nobody knows whether it is the same count.
        guard let latest else { return }
        let ticks = latest &+ Int64(SequenceNumber.distance(from: UInt32(truncatingIfNeeded: latest), to: timestamp))
        let sample = Int64(bitPattern: moment) &- nanoseconds(ticks)
        // One that puts what came in lately where it cannot be is wrong.
        if let earliest = arrivals.offset {
            guard earliest - sample <= Self.mostLateness, sample - earliest <= Self.mostEarliness else { return }
        }
        target = sample
    }

    /// When a frame was captured, ns of the recorder's clock, and whether the timestamps jumped before it. It came in at
    /// `arrival`, ns.
    mutating func time(of timestamp: UInt32, arrival: UInt64) -> (time: UInt64, step: Step?) {
        let last = latest ?? Int64(timestamp)
        let ticks = last &+ Int64(SequenceNumber.distance(from: UInt32(truncatingIfNeeded: last), to: timestamp))
        let counted = nanoseconds(ticks)
        let sample = Int64(bitPattern: arrival) &- counted
        defer {
            latest = ticks
            updatedAt = arrival
        }
        guard latest != nil else {
            restart(sample, now: arrival)
            return (arrival, nil)
        }
        let lateness = sample - offset
        if lateness > Self.mostLateness || lateness < -Self.mostEarliness {
            restart(sample, now: arrival)
            return (arrival, .jumped(lateness))
        }
        arrivals.note(sample, now: arrival)
        follow(now: arrival)
        return (UInt64(max(counted &+ offset, 0)), nil)
    }

    private mutating func restart(_ sample: Int64, now: UInt64) {
        arrivals = OffsetFilter()
        arrivals.note(sample, now: now)
        offset = sample
        target = nil
        isSettled = false
    }

    private mutating func follow(now: UInt64) {
        let aim = target ?? arrivals.offset ?? offset
        let error = aim - offset
        if target != nil, error.magnitude <= UInt64(Self.settled) { isSettled = true }
        if error.magnitude > UInt64(Self.jump) {
            offset = aim
            return
        }
        let passed = Int64(now &- min(updatedAt, now))
        let limit = passed / (isSettled ? Self.slowness : Self.firstSlowness)
        offset += min(max(error, -limit), limit)
    }

    private func nanoseconds(_ ticks: Int64) -> Int64 {
        let (seconds, rest) = ticks.quotientAndRemainder(dividingBy: rate)
        return seconds &* 1_000_000_000 &+ rest &* 1_000_000_000 / rate
    }
}
