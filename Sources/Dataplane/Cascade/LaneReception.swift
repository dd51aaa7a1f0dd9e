import Wire

/// What came of a Lane's own sequence numbers, which count all of its packets: a gap shows as soon as the next packet of any
/// Track comes.
struct LaneReception: BitwiseCopyable {
    private struct Missing: BitwiseCopyable {
        var number: UInt64
        /// When it may be asked for (again), us modulo 2^32.
        var due: UInt32
        var tries: UInt8
    }

    /// At 1% loss and 100 ms there and back, the repairs under way of 64,000 packets a second.
    static let capacity = 64
    /// Packets of one path seldom overtake each other; two requests before an answer can come, as one may be lost; then one
    /// in each round trip and a little, us.
    static let firstWait: UInt32 = 1_000
    static let secondWait: UInt32 = 4_000
    static let lateness: UInt32 = 10_000
    /// Before the first report has come back.
    static let assumedRoundTrip: UInt32 = 250_000
    static let maximumTries: UInt8 = 6

    private var entries = InlineArray<64, Missing>(repeating: Missing(number: 0, due: 0, tries: 0))
    private(set) var missingCount = 0
    /// The highest number that came; meaningless until `isStarted`.
    private(set) var highest: UInt64 = 0
    private(set) var isStarted = false
    private(set) var received: UInt64 = 0
    /// Numbers that did not come in order, those of them that came, and those that were given up.
    private(set) var missed: UInt64 = 0
    private(set) var repaired: UInt64 = 0
    private(set) var lost: UInt64 = 0
    private var priorExpected: UInt64 = 0
    private var priorReceived: UInt64 = 0
    private var base: UInt64 = 0
    /// The middle 32 bits of the NTP time of the far end's latest sender report, and when it came, ns.
    private var senderReport: UInt32 = 0
    private var senderReportArrival: UInt64 = 0

    /// A packet came.
    @inline(__always)
    mutating func note(_ number: UInt16, now: UInt64) {
        received &+= 1
        if !isStarted {
            // Numbers begin with 0: the first may be lost, and the rest of a keyframe with it.
            guard number < UInt16(Self.capacity) else { return start(UInt64(number)) }
            start(0)
            highest = base &- 1
        }
        guard let extended = SequenceNumber.extended(number, near: highest) else { return }
        if extended == highest &+ 1 {
            highest = extended
        } else if extended > highest {
            advance(to: extended, isLost: false, now: now)
        } else {
            remove(extended)
        }
    }

    private mutating func start(_ number: UInt64) {
        isStarted = true
        // Room below for those that were overtaken.
        highest = number | 1 << 16
        base = highest
    }

    /// The far end says how many packets it has sent: the last may be lost, with none behind them to show it.
    mutating func noteSent(count: UInt32, now: UInt64) {
        guard isStarted, count > 0,
            let last = SequenceNumber.extended(UInt16(truncatingIfNeeded: count &- 1), near: highest), last > highest
        else { return }
        advance(to: last, isLost: true, now: now)
    }

    @inline(never)
    private mutating func advance(to number: UInt64, isLost: Bool, now: UInt64) {
        let end = isLost ? number &+ 1 : number
        let first = highest &+ 1
        highest = number
        guard end > first else { return }
        missed &+= end &- first
        guard end &- first <= UInt64(Self.capacity &- missingCount) else {
            lost &+= end &- first
            return
        }
        let due = Self.time(now) &+ Self.firstWait
        for missing in first..<end {
            entries[missingCount] = Missing(number: missing, due: due, tries: 0)
            missingCount &+= 1
        }
    }

    @inline(never)
    private mutating func remove(_ number: UInt64) {
        for index in 0..<missingCount where entries[index].number == number {
            missingCount &-= 1
            entries[index] = entries[missingCount]
            repaired &+= 1
            return
        }
    }

    /// Writes the numbers that are to be asked for now, ascending: how many. `list` has room for `capacity`. `roundTrip`: ns, 0
    /// while it is not known.
    mutating func takeDue(now: UInt64, roundTrip: UInt64, into list: UnsafeMutablePointer<UInt16>) -> Int {
        let time = Self.time(now)
        let known = UInt32(truncatingIfNeeded: min(roundTrip / 1_000, 1_000_000))
        let pause = (known == 0 ? Self.assumedRoundTrip : known) &+ Self.lateness
        var (kept, due) = (0, 0)
        for index in 0..<missingCount {
            var entry = entries[index]
            if Int32(bitPattern: time &- entry.due) >= 0 {
                guard entry.tries < Self.maximumTries else {
                    lost &+= 1
                    continue
                }
                entry.tries &+= 1
                entry.due = time &+ (entry.tries == 1 ? Self.secondWait : pause)
                Self.insert(UInt16(truncatingIfNeeded: entry.number), into: list, count: due)
                due &+= 1
            }
            entries[kept] = entry
            kept &+= 1
        }
        missingCount = kept
        return due
    }

    /// Ascending in sequence arithmetic (RFC 1982), as the NACK writer packs runs.
    private static func insert(_ number: UInt16, into list: UnsafeMutablePointer<UInt16>, count: Int) {
        var place = count
        while place > 0, Int16(bitPattern: list[place &- 1] &- number) > 0 {
            list[place] = list[place &- 1]
            place &-= 1
        }
        list[place] = number
    }

    mutating func noteSenderReport(ntp: UInt64, arrival: UInt64) {
        senderReport = UInt32(truncatingIfNeeded: ntp >> 16)
        senderReportArrival = arrival
    }

    /// The report block (RFC 3550 section 6.4.1) for the time since the last one.
    mutating func block(ssrc: UInt32, now: UInt64) -> ReportBlock {
        let expected = isStarted ? highest &- base &+ 1 : 0
        let (expectedNow, receivedNow) = (expected &- priorExpected, received &- priorReceived)
        priorExpected = expected
        priorReceived = received
        var fraction: UInt8 = 0
        if expectedNow > receivedNow {
            fraction = UInt8(truncatingIfNeeded: min(255, (expectedNow &- receivedNow) << 8 / expectedNow))
        }
        var delay: UInt32 = 0
        if senderReport != 0 {
            delay = UInt32(truncatingIfNeeded: (now &- senderReportArrival) / 1_000 &* 65_536 / 1_000_000)
        }
        return ReportBlock(
            ssrc: ssrc, fractionLost: fraction,
            cumulativeLost: Int32(truncatingIfNeeded: min(lost &+ UInt64(missingCount), 0x7f_ffff)),
            highestSequence: UInt32(truncatingIfNeeded: highest), lastSenderReport: senderReport,
            delaySinceLastSenderReport: delay)
    }

    /// ns to us.
    private static func time(_ now: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: now / 1_000) }
}
