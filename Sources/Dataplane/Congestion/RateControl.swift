/// Makes the target of what queue, acknowledged rate and trains show.
struct RateControl: BitwiseCopyable {
    /// What is known at an update. Rates are bit/s.
    struct Signals: BitwiseCopyable {
        var queue: QueueDelay
        /// Over a tenth of a second, and over a third of one.
        var recent: Double
        var rate: Double
        /// What is sent, over a quarter of a second and over a second.
        var sent: Double
        var usualSent: Double
        /// Of trains, 0 without any.
        var trainRate: Double
        /// Of a probe that came in since the last update, 0 without one.
        var probed: Double
        /// No estimate may be above.
        var limit: Double
        var lost: Int
        var samples: Int
        /// ns.
        var roundTrip: Double
        /// ns of queue that should be gone since the last update.
        var drained: Double
        var isLimited: Bool
        var mayGrow: Bool
    }

    /// What the path is taken to carry for this Session, bit/s.
    private(set) var share = Double(CongestionConstants.startRate)
    /// What may be sent now, bit/s: the share, less what drains the queue.
    private(set) var output = Double(CongestionConstants.startRate)
    private(set) var competition = CompetingTraffic()
    private(set) var isCrowded = false

    private var drain: QueueDrain
    /// Reports in a row that found no queue.
    private var emptyReports = 0
    private var hasBeenCrowded = false
    /// When a probe last raised the share, ns.
    private var raisedAt: UInt64 = 0
    /// Acknowledged rate and trains' rate when the queue last was longer than wanted, smoothed; 0 before.
    private var busyRate = 0.0
    private var busyTrainRate = 0.0
    /// ns below the wanted queue, smoothed.
    private var smoothError = 0.0

    /// Whether no queue stood for a while.
    var isEmpty: Bool { emptyReports > CongestionConstants.emptyPatience }

    init(now: UInt64) { drain = QueueDrain(now: now) }

    mutating func update(_ signals: Signals, now: UInt64) {
        let queue = signals.queue
        let wanted = wantedDelay * (queue.isNoisy ? CongestionConstants.noisyQueue : 1) + queue.allowance
        let wasCrowded = isCrowded
        isCrowded = queue.standing - wanted > crowdedDelay + queue.allowance
        hasBeenCrowded = hasBeenCrowded || (isCrowded && wasCrowded)
        let isOwn = isOwn(signals)
        let measured = wanted - (isCrowded ? queue.standing : queue.steady)
        let error = isOwn ? measured : max(measured, 0)
        if isCrowded {
            emptyReports = 0
            if isOwn { fall(signals, isSure: signals.samples >= 2 || wasCrowded) }
        } else {
            follow(signals, error: error, now: now)
        }
        noteBusy(signals, error: error)
        explore(signals, error: error, now: now)
        correct(signals, error: error, now: now)
        output = share * min(max(1 + CongestionConstants.queueGain * error / 1e9, CongestionConstants.leastOutput), 2)
        compete(signals, now: now)
    }

    /// Whether a queue can be of our making: who sends much less than the share and gets all of it through did not make it.
    private func isOwn(_ signals: Signals) -> Bool {
        max(signals.sent, signals.usualSent) > CongestionConstants.ownShare * share
            || signals.rate < CongestionConstants.arrivingShare * signals.sent
    }

    /// ns of waiting that fill the link without making anybody wait: shorter for more, so that shares become equal.
    private var wantedDelay: Double {
        let own = CongestionConstants.queueBits / share * 1e9
        return CongestionConstants.queueBase
            + min(max(own, CongestionConstants.leastQueue), CongestionConstants.mostQueue)
    }

    /// ns beside the wanted queue. On a slow path a single packet takes longer than that.
    private var crowdedDelay: Double {
        let packet = CongestionConstants.segmentBits / share * 1e9
        return max(CongestionConstants.crowdedDelay, min(packet, CongestionConstants.mostPacketTime))
    }

    /// A queue much longer than wanted: the share is what comes in now. One late packet alone may be a stall of the path.
    private mutating func fall(_ signals: Signals, isSure: Bool) {
        guard isSure, signals.queue.change > 0 || signals.lost > 0, signals.recent > 0 else { return }
        share = min(share, signals.recent)
    }

    private mutating func follow(_ signals: Signals, error: Double, now: UInt64) {
        if error < 0 {
            emptyReports = 0
            // After a jump the measured rate is of the time before it.
            guard now &- raisedAt > CongestionConstants.raiseSettle else { return }
            // A noisy path makes the measured rate noisy: without the margin its troughs would pull the share down.
            let margin = 1 + CongestionConstants.rateNoise * signals.queue.noise / Double(CongestionConstants.rateSpan)
            share += (min(signals.rate * margin, share) - share) * CongestionConstants.tracking
            return
        }
        let isEmpty = signals.queue.floor < CongestionConstants.emptyQueue + signals.queue.allowance
        emptyReports = isEmpty ? emptyReports &+ 1 : 0
        let seen = signals.trainRate > 0 ? min(signals.rate, signals.trainRate) : signals.rate
        if seen > share { share += (seen - share) * CongestionConstants.tracking }
        let mayGrow =
            signals.mayGrow && emptyReports >= CongestionConstants.emptyReports
            && !drain.isRecent(CongestionConstants.drainSettle, now: now)
            && (!signals.queue.isNoisy || busyTrainRate == 0)
        if mayGrow { grow(signals) }
    }

    /// An empty queue: up to what trains show. With others on the path they show more than our share: then up to what
    /// came in when the queue was last full, more only when trains show more than then, or when the queue stays empty.
    private mutating func grow(_ signals: Signals) {
        let calm = busyTrainRate == 0 ? 1 : 1 / (1 + signals.queue.allowance / CongestionConstants.calmScale)
        let shown = signals.trainRate * CongestionConstants.headroom
        var most = shown
        if busyTrainRate > 0 {
            let ratio = signals.trainRate / busyTrainRate
            let isMore = ratio > CongestionConstants.trainsShowMore && !signals.queue.isNoisy
            most = min(most, busyRate * (isMore ? ratio : 1) * CongestionConstants.headroom)
        }
        if most > share * 1.01 {
            share = min(most, share * (1 + CongestionConstants.growth * calm))
            return
        }
        let patience = CongestionConstants.emptyPatience
        let growth =
            emptyReports > 2 * patience
            ? CongestionConstants.fastGrowth : emptyReports > patience ? CongestionConstants.slowGrowth : 0
        let faster = share * (1 + growth * calm)
        share = max(share, signals.trainRate > 0 ? min(faster, shown) : faster)
    }

    private mutating func noteBusy(_ signals: Signals, error: Double) {
        guard error < 0, signals.rate > 0, signals.samples >= 2 else { return }
        let weight = CongestionConstants.busyWeight
        busyRate = busyRate == 0 ? signals.rate : busyRate + (signals.rate - busyRate) * weight
        guard signals.trainRate > 0 else { return }
        busyTrainRate =
            busyTrainRate == 0 ? signals.trainRate : busyTrainRate + (signals.trainRate - busyTrainRate) * weight
    }

    /// On a noisy path trains show little: what counts is that the queue stays shorter than wanted for long.
    private mutating func explore(_ signals: Signals, error: Double, now: UInt64) {
        guard !drain.isRecent(CongestionConstants.drainAftermath, now: now) else {
            smoothError = min(smoothError, 0)
            return
        }
        smoothError += (error - smoothError) * CongestionConstants.errorWeight
        let slack = hasBeenCrowded ? CongestionConstants.noiseSlack : CongestionConstants.noiseSlackBefore
        guard signals.mayGrow, signals.queue.isNoisy, smoothError > slack, signals.rate > 0.7 * share else { return }
        let scale = hasBeenCrowded ? CongestionConstants.noiseScale : CongestionConstants.noiseScaleBefore
        let growth = min(CongestionConstants.noiseGrowth, (smoothError - slack) / scale)
        share = max(share, min(share * (1 + growth), signals.rate * 1.3))
    }

    private mutating func correct(_ signals: Signals, error: Double, now: UInt64) {
        // Who sends less than the share learns nothing about it.
        if error < 0 || signals.rate > CongestionConstants.usedShare * share {
            let bounded = max(-CongestionConstants.mostError, min(CongestionConstants.mostError, error))
            share *= 1 + CongestionConstants.integralGain * bounded / 1e9 * CongestionConstants.updateSeconds
        }
        let probed = signals.probed * CongestionConstants.probeHeadroom
        let isSeen = error > 0 || !isCrowded && probed > CongestionConstants.farAway * share
        if isSeen, signals.mayGrow, probed > share {
            share = probed
            raisedAt = now
        }
        if signals.isLimited, signals.rate > 0 { share = min(share, signals.rate) }
        share = min(max(share, CongestionConstants.leastRate), min(signals.limit, CongestionConstants.mostRate))
        // What is no number would stay so for ever.
        if !share.isFinite { share = Double(CongestionConstants.startRate) }
    }

    private mutating func compete(_ signals: Signals, now: UInt64) {
        competition.note(
            queue: signals.queue.standing - signals.queue.allowance, drained: signals.drained,
            roundTrip: signals.roundTrip, share: share, lost: signals.lost, now: now)
        if competition.isPresent {
            let most = min(signals.limit, CongestionConstants.mostRate)
            share = min(max(competition.share(roundTrip: signals.roundTrip), CongestionConstants.leastRate), most)
            output = share * competition.factor(now: now)
        } else {
            output *= drain.factor(base: signals.queue.base, now: now)
        }
        output = max(output, CongestionConstants.leastRate)
    }
}
