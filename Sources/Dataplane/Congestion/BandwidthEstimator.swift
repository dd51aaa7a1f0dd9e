import Wire

/// What the way to a Session's peer carries, by transport-wide feedback. It is of fixed size, over memory that its worker
/// owns, and only that worker calls it. Times are ns of the worker's clock, rates bit/s.
public struct BandwidthEstimator: BitwiseCopyable {
    /// Bytes of memory beside the value itself, to be aligned to 8.
    public static var memorySize: Int { SendHistory.memorySize }

    // What each packet touches comes first.

    private var history: SendHistory
    /// When the first packet was sent after the latest feedback, ns; 0: none was. It moves on with each fall of the target.
    private var unansweredSince: UInt64 = 0
    /// Bits sent since the last update.
    private var sentBits = 0.0
    private var trains = TrainDispersion()
    private var queue = QueueDelay()
    private var acknowledged = AcknowledgedRate()
    private var proven = ProvenRate()
    private var loss = LossControl()
    private var control: RateControl
    private var probes: ProbeSchedule
    private var summary = FeedbackSummary()
    public private(set) var counters = FeedbackCounters()

    private var now: UInt64
    private var updatedAt: UInt64
    /// Bits a second that were sent, over a quarter of a second and over a second.
    private var sentRate = 0.0
    private var usualSentRate = 0.0
    private var arrivalBefore: Int64 = .min
    /// Behind what was sent after them: on such a path what seems lost may only be late.
    private(set) var lateness = Lateness()
    private var trainRate = 0.0
    private var acknowledgedRate = 0.0
    /// Of the target, while feedback stays out.
    private var silenceFactor = 1.0
    /// From sending to feedback, smoothed, ns.
    private var roundTripTime = 0.0
    private var clock: ArrivalClock

    /// `memory`: `memorySize` bytes in the worker's slab, kept for as long as the value is used.
    public init(memory: UnsafeMutableRawPointer, now: UInt64) {
        history = SendHistory(memory: memory)
        control = RateControl(now: now)
        probes = ProbeSchedule(now: now)
        clock = ArrivalClock()
        self.now = now
        updatedAt = now
    }

    /// What may be sent.
    public var target: UInt64 {
        Self.bounded(control.output * silenceFactor)
    }

    /// Also what is no number.
    private static func bounded(_ rate: Double) -> UInt64 {
        guard rate > CongestionConstants.leastRate else { return UInt64(CongestionConstants.leastRate) }
        return UInt64(min(rate, CongestionConstants.mostRate))
    }

    /// What may be sent over a while: the target moves below it for as long as a queue takes to drain.
    public var allowance: UInt64 { Self.bounded(control.share * silenceFactor) }

    /// What the path is taken to carry: the target without what drains a queue.
    public var share: UInt64 { Self.bounded(control.share) }
    /// What comes through for certain: the share, and while a queue stands no more than what came in of late.
    var carried: UInt64 { Self.bounded(isOverused ? min(control.share, acknowledgedRate) : control.share) }
    /// ns from sending to feedback.
    public var roundTrip: UInt64 { UInt64(roundTripTime) }
    /// ns that packets wait on the path.
    public var queueDelay: UInt64 { UInt64(queue.standing) }
    /// Of what was sent, 0 to 1.
    public var lossRatio: Double { loss.ratio }
    /// Whether the queue is much longer than wanted.
    public var isOverused: Bool { control.isCrowded }
    /// Whether others keep the queue full.
    public var isCompeting: Bool { control.competition.isPresent }
    public var probeCount: UInt64 { probes.count }
    public var bytesInFlight: Int { history.bytesInFlight }

    public mutating func noteSent(_ number: UInt16, bytes: Int, kind: SentKind, now: UInt64) {
        if unansweredSince == 0 { unansweredSince = max(now, 1) }
        sentBits += Double(bytes &* 8)
        history.note(number, bytes: bytes, kind: kind, now: now)
    }

    /// Somebody would use so much, such as the next layer of a stream: probes go as far, and not at all below the target.
    public mutating func wants(_ rate: UInt64, now: UInt64) {
        probes.want(Double(rate), target: control.share, now: now)
    }

    /// Whether `nextProbe` is worth a question.
    func mayProbe(now: UInt64) -> Bool { silenceFactor < 1 || probes.isDue(target: control.share, now: now) }

    /// The probe to send now.
    public mutating func nextProbe(now: UInt64) -> ProbeCluster? {
        if silenceFactor < 1, unansweredSince == 0 { return ProbeCluster.smallest }
        let isUnused = acknowledgedRate < CongestionConstants.unusedShare * control.share
        let isBlind = control.isEmpty && (isUnused || trainRate == 0) && !isCompeting && now >= loss.holdUntil
        // Where delays are never short, somebody who waits for more is not kept waiting for that.
        let isLate =
            !control.isCrowded && probes.isOverdue(target: control.share, now: now) && now >= loss.holdUntil
            && !isCompeting
        return probes.next(target: control.share, isBlind: isBlind || isLate, now: now)
    }

    /// Called now and then: while feedback on what was sent stays out, the target falls.
    public mutating func noteTime(_ now: UInt64) {
        lateness.fade(now: now)
        guard unansweredSince != 0, now > unansweredSince &+ CongestionConstants.silence else { return }
        silenceFactor *= CongestionConstants.silenceFactor
        // Whether anything comes through is seen by what is sent next.
        unansweredSince = 0
    }
}

// MARK: - Feedback

extension BandwidthEstimator {
    /// Transport-wide feedback.
    public mutating func noteFeedback(_ feedback: TransportFeedback, now: UInt64) {
        beginFeedback(now: now)
        var ticks = clock.start(reference: feedback.referenceTime)
        for status in feedback.statuses {
            ticks &+= Int64(status.delta)
            noteStatus(status.sequence, isReceived: status.isReceived, arrival: ticks &* ArrivalClock.tick)
        }
        endFeedback()
    }

    /// Feedback of any kind: this, then a status for each number, then `endFeedback`.
    public mutating func beginFeedback(now: UInt64) { self.now = max(self.now, now) }

    /// `arrival`: ns of the receiver's clock.
    public mutating func noteStatus(_ number: UInt16, isReceived: Bool, arrival: Int64) {
        switch history.take(number, isReceived: isReceived) {
        case .unknown: counters.unknown &+= 1
        case .known: counters.repeated &+= 1
        case .found(let packet, let isLate):
            guard isReceived else { return noteLost(packet) }
            if arrivalBefore != .min, isLate || arrival < arrivalBefore {
                // What came before it was sent after it, or counted when this one did not.
                lateness.note(arrivalBefore > arrival ? arrivalBefore &- arrival : arrival &- arrivalBefore, now: now)
            }
            if isLate { summary.noteLate() }
            noteReceived(packet, arrival: arrival)
        }
    }

    private mutating func noteLost(_ packet: SentPacket) {
        summary.noteLost()
        trains.noteLost(bits: Double(packet.bytes) * 8)
    }

    private mutating func noteReceived(_ packet: SentPacket, arrival: Int64) {
        if arrival < arrivalBefore { counters.backward &+= 1 }
        arrivalBefore = arrival
        let bits = Double(packet.bytes) * 8
        let microseconds = now / 1_000
        let age = UInt32(truncatingIfNeeded: microseconds) &- packet.time
        let sent = Int64(truncatingIfNeeded: (microseconds &- UInt64(age)) &* 1_000)
        summary.noteReceived(
            bits: bits, sent: sent, arrival: arrival, roundTrip: Double(age) * 1_000, rate: control.share)
        trains.note(bits: bits, sent: sent, arrival: arrival, isProbe: packet.kind == .probe, rate: control.share)
    }

    public mutating func endFeedback() {
        guard summary.received > 0 else { return }
        unansweredSince = 0
        silenceFactor = 1
        // Many small reports count as one: gains and growth are those of an update.
        guard now &- updatedAt >= CongestionConstants.leastUpdate else { return }
        update()
        summary = FeedbackSummary()
        sentBits = 0
        updatedAt = now
    }

    /// What came in just now, bit/s.
    private var recentRate: Double {
        let recent = queue.isNoisy ? 0 : acknowledged.rate(over: CongestionConstants.recentSpan)
        guard recent < CongestionConstants.lumpyRate else { return recent }
        return acknowledged.rate(over: CongestionConstants.recentSpanNoisy)
    }

    private mutating func update() {
        let elapsed = Double(min(now &- updatedAt, 200_000_000))
        trains.close()
        let weight = roundTripTime == 0 ? 1 : CongestionConstants.roundTripWeight
        roundTripTime += (summary.roundTrip - roundTripTime) * weight
        queue.note(summary.leastDelay, mean: summary.meanAboveLeast, now: now)
        acknowledged.note(bits: summary.receivedBits, end: summary.lastArrival)
        trainRate = trains.rate(since: summary.lastArrival &- CongestionConstants.trainLife)
        let isLumpy = control.share < CongestionConstants.lumpyRate
        let rate = acknowledged.rate(
            over: isLumpy ? CongestionConstants.rateSpanLumpy : CongestionConstants.rateSpan)
        sentRate += (sentBits / max(elapsed, 1) * 1e9 - sentRate) * CongestionConstants.sentWeight
        usualSentRate += (sentRate - usualSentRate) * CongestionConstants.usualSentWeight
        acknowledgedRate = rate
        let probed = trains.takeProbed()
        proven.note(acknowledged: rate, elapsed: elapsed)
        if probed > 0 {
            proven.note(probed: probed)
            probes.note(seen: probed, now: now)
        }
        let isLimited = loss.note(received: summary.received, lost: summary.lost, now: now)
        let signals = RateControl.Signals(
            queue: queue, recent: recentRate, rate: rate, sent: sentRate, usualSent: usualSentRate,
            trainRate: trainRate, probed: probed,
            limit: proven.limit, lost: max(summary.lost, 0), samples: summary.samples, roundTrip: roundTripTime,
            drained: rate > 0 ? max(0, elapsed - sentBits / rate * 1e9) : 0, isLimited: isLimited,
            mayGrow: now >= loss.holdUntil)
        control.update(signals, now: now)
    }
}
