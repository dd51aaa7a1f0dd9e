import Mailbox
import Wire

/// What the way to a Session's peer carries, and what of it its Slots were granted last. One lies in the worker's slab for
/// each Session; only that worker touches it.
struct SessionCongestion: BitwiseCopyable {
    // What each packet touches comes first, up to the first fields of the estimator: one cache line.

    private(set) var pacer: Pacer
    /// Something waits for the pacer.
    private(set) var isWaiting = false
    /// The estimate limits what is sent.
    private var isLimited = false
    /// The Session is in the worker's list of those of which something waits.
    var isListed = false
    /// Feedback has come: before that nobody knows whether the peer sends any, and what there is to share.
    private(set) var isHeard = false
    /// How many earlier sounds go with each.
    private(set) var redundancy: UInt8 = 0
    var nextPaced = Link.none
    var estimator: BandwidthEstimator
    private var lists = PacedLists()
    /// How long what went last had waited.
    private(set) var waits = Lateness()
    var reports = PathReports()
    private var allocation = BitrateAllocation()
    /// What the latest sharing came to.
    private var outcome = BitrateAllocation.Outcome()
    /// Of the sounds, which come first, once, bits/s; and of those among them that can be repeated.
    private var sound: UInt64 = 0
    private var repeatableSound: UInt64 = 0
    private var protection = SoundRedundancy()
    /// When the bitrates were shared last, ns, and whether something changed since.
    private var sharedAt: UInt64 = 0
    private var isChanged = true
    /// Since when there is less than was granted, ns; 0: there is enough.
    private var shortSince: UInt64 = 0
    /// Since when something was sent and no feedback has ever come, ns; 0: nothing was.
    private var awaitedSince: UInt64 = 0
    /// The peer agreed to send feedback, and sends none.
    private var isUnanswered = false

    /// Bytes from one to the next of a slab: whole cache lines.
    static var stride: Int { (MemoryLayout<SessionCongestion>.stride + 63) & ~63 }

    init(memory: UnsafeMutableRawPointer, now: UInt64) {
        estimator = BandwidthEstimator(memory: memory, now: now)
        pacer = Pacer(now: now)
    }

    /// Something was sent with a transport-wide number; bytes of the RTP packet.
    @inline(__always)
    mutating func noteSent(_ number: UInt16, bytes: Int, kind: SentKind, now: UInt64) {
        estimator.noteSent(number, bytes: bytes, kind: kind, now: now)
        // A probe is meant to go over the budget, and nothing waits for it.
        if kind != .probe { pacer.noteSent(bytes: bytes, now: now) }
    }

    /// Whether another packet has to wait.
    @inline(__always)
    func holdsBack(now: UInt64) -> Bool { isWaiting || isLimited && !pacer.mayGo(now: now) }

    /// False where so much waits already that it would come too late, or there is no room.
    mutating func hold(_ packet: PacedPacket, as class: PacedPacket.Class, in pool: inout IndexPool<PacedPacket>)
        -> Bool
    {
        guard pacer.time(ofBytes: lists.bytes) < CongestionConstants.longestWait else { return false }
        guard lists.add(packet, to: &pool, as: `class`) else { return false }
        isWaiting = true
        return true
    }

    /// Takes out what goes first of all that waits; nil when nothing does.
    mutating func takeWaiting(from pool: inout IndexPool<PacedPacket>) -> PacedPacket? {
        let packet = lists.take(from: &pool)
        isWaiting = !lists.isEmpty
        return packet
    }

    /// Something goes that waited so long, ns.
    mutating func noteWait(_ wait: UInt64, now: UInt64) { waits.note(Int64(clamping: wait), now: now) }

    /// Takes out what waits of a Slot's pictures, as `PacedLists.unlinkPictures`.
    mutating func unlinkPictures(of slot: SlotHandle, in pool: inout IndexPool<PacedPacket>) -> UInt32 {
        let first = lists.unlinkPictures(of: slot, in: &pool)
        isWaiting = !lists.isEmpty
        return first
    }

    /// Slots that show nothing for want of bandwidth.
    var paused: Int { outcome.paused }
    /// Something is shown smaller than wanted, or not at all.
    var isShort: Bool { outcome.wish != 0 }

    /// What a Slot may show of a new Track until bitrates are shared.
    var firstGrant: LayerGrant { isUnanswered ? .unlimited : isHeard ? .awaited : .lowest }

    /// Called now and then. Whether it became plain that the peer sends no feedback, so that nothing can be limited.
    mutating func note(time: UInt64) -> Bool {
        guard !isHeard else {
            estimator.noteTime(time)
            waits.fade(now: time)
            pacer.setTarget(estimator.target, now: time)
            return false
        }
        if awaitedSince == 0, estimator.bytesInFlight > 0 { awaitedSince = time }
        guard !isUnanswered, awaitedSince != 0, time &- awaitedSince > CongestionConstants.unansweredAfter else {
            return false
        }
        isUnanswered = true
        return true
    }

    /// ns between two messages of our feedback to the peer, so that they leave a narrow path to what they speak of.
    var feedbackInterval: UInt64 {
        guard isHeard else { return CongestionConstants.feedbackInterval }
        let part = Double(estimator.carried) * CongestionConstants.feedbackPart
        let interval = min(
            CongestionConstants.feedbackBits / part * 1e9, Double(CongestionConstants.mostFeedbackInterval))
        return max(UInt64(interval), CongestionConstants.feedbackInterval)
    }

    /// Feedback on what was sent.
    mutating func note(_ feedback: TransportFeedback, now: UInt64) {
        if !isHeard {
            isHeard = true
            isUnanswered = false
            isChanged = true
        }
        estimator.noteFeedback(feedback, now: now)
        pacer.setTarget(estimator.target, now: now)
    }

    /// A Slot shows something else, or in another size.
    mutating func noteChange() { isChanged = true }

    /// Whether bitrates are to be shared anew: what is granted does not fit any more, or more would, or the time has come to
    /// look at what the Layers cost by now.
    func isDue(now: UInt64) -> Bool {
        guard isHeard else { return false }
        let elapsed = now &- sharedAt
        if isChanged || elapsed >= CongestionConstants.shareInterval { return true }
        guard elapsed >= CongestionConstants.leastShareInterval else { return false }
        let share = estimator.allowance
        return share < soundCost &+ outcome.spent || outcome.wish != 0 && share >= soundCost &+ outcome.wish
    }

    /// Of the sounds with what is repeated of them, bits/s.
    private var soundCost: UInt64 { sound &+ repeatableSound &* UInt64(redundancy) }

    /// Looks at what is lost of sounds, now and then.
    mutating func protectSound(now: UInt64) {
        redundancy = protection.next(
            after: redundancy, loss: estimator.lossRatio, isCrowded: estimator.isOverused, sound: repeatableSound,
            allowance: estimator.allowance, now: now)
    }

    /// Shares what there is beside the sounds among the tiles. `sound`: their rate, and `repeatable` of those among them that
    /// can be repeated, bits/s.
    mutating func share(
        _ tiles: UnsafeMutableBufferPointer<BitrateLadder>, sound: UInt64, repeatable: UInt64, now: UInt64
    ) {
        self.sound = sound
        repeatableSound = repeatable
        sharedAt = now
        isChanged = false
        isLimited = true
        let allowance = estimator.allowance
        let budget = allowance > soundCost ? allowance &- soundCost : 0
        if budget >= outcome.spent { shortSince = 0 } else if shortSince == 0 { shortSince = max(now, 1) }
        // A keyframe makes the estimate tremble; what goes over it for a moment waits in the pacer.
        let isBrief = shortSince == 0 || now &- shortSince < CongestionConstants.shortPatience
        let kept = isBrief ? budget &+ budget / 4 : budget
        outcome = allocation.share(tiles, budget: budget, kept: kept, now: now)
        estimator.wants(outcome.wish == 0 ? 0 : outcome.wish &+ soundCost, now: now)
    }

    /// Nothing is known of what is sent.
    mutating func shareUnlimited(now: UInt64) {
        sharedAt = now
        isChanged = false
        isLimited = false
        outcome = BitrateAllocation.Outcome()
    }
}
