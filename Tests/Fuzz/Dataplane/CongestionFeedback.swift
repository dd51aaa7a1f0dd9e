import Wire

@testable import Dataplane

/// The bandwidth estimator under feedback of any kind: it stays within its bounds, and no estimate is above what was sent
/// times the factor that the constants allow.
///
/// A step: a byte of what, and what the step reads.
func fuzzCongestionFeedback(_ input: UnsafeRawBufferPointer) {
    withBlock(BandwidthEstimator.memorySize + 8) { block in
        guard let base = block.baseAddress else { return }
        var script = CongestionScript(input: input[...], memory: base.alignedUp(toMultipleOf: 8))
        while !script.isAtEnd {
            script.step()
            script.check()
        }
    }
}

private struct CongestionScript {
    private var input: Slice<UnsafeRawBufferPointer>
    private var estimator: BandwidthEstimator
    private var pacer: Pacer
    private var now: UInt64 = 1_000_000_000
    private var number: UInt16 = 0

    init(input: Slice<UnsafeRawBufferPointer>, memory: UnsafeMutableRawPointer) {
        self.input = input
        estimator = BandwidthEstimator(memory: memory, now: now)
        pacer = Pacer(now: now)
    }

    var isAtEnd: Bool { input.isEmpty }

    private mutating func take(_ count: Int) -> UInt64 {
        var value: UInt64 = 0
        for _ in 0..<count { value = value << 8 | UInt64(input.popFirst() ?? 0) }
        return value
    }

    mutating func step() {
        let what = take(1)
        switch what % 8 {
        case 0...2: send(Int(what >> 3) + 1)
        case 3: now += take(2) * 10_000
        case 4: statuses(Int(what >> 3) + 1)
        case 5: probe()
        case 6: estimator.wants(take(8), now: now)
        default: raw(Int(what >> 3) + 1)
        }
    }

    private mutating func send(_ count: Int) {
        for _ in 0..<count {
            let bytes = Int(take(1)) * 6
            estimator.noteSent(number, bytes: bytes, kind: .media, now: now)
            pacer.noteSent(bytes: bytes, now: now)
            number &+= 1
            now += 500_000
        }
    }

    /// Mostly of what was sent, at times that make some sense.
    private mutating func statuses(_ count: Int) {
        estimator.beginFeedback(now: now)
        for index in 0..<count {
            let delta = take(1)
            estimator.noteStatus(
                number &- UInt16(count) &+ UInt16(index), isReceived: delta != 0,
                arrival: Int64(now) + Int64(delta) * 250_000)
        }
        end()
    }

    /// Of any number at any time.
    private mutating func raw(_ count: Int) {
        estimator.beginFeedback(now: now)
        for _ in 0..<count {
            let flags = take(1)
            estimator.noteStatus(
                UInt16(take(2)), isReceived: flags & 1 == 0, arrival: Int64(bitPattern: take(flags & 2 == 0 ? 8 : 3)))
        }
        end()
    }

    private mutating func end() {
        estimator.endFeedback()
        estimator.noteTime(now)
        pacer.setTarget(estimator.target, now: now)
    }

    private mutating func probe() {
        guard let probe = estimator.nextProbe(now: now) else { return }
        precondition(probe.rate > 0 && probe.interval > 0 && probe.packets <= 20 && probe.packetBytes <= 1_200)
        for _ in 0..<probe.packets {
            estimator.noteSent(number, bytes: probe.packetBytes, kind: .probe, now: now)
            number &+= 1
            now += probe.interval
        }
    }

    func check() {
        precondition(estimator.target >= UInt64(CongestionConstants.leastRate))
        precondition(estimator.share <= UInt64(CongestionConstants.mostRate))
        precondition(estimator.queueDelay <= UInt64(CongestionConstants.mostDelay))
        precondition((0...1).contains(estimator.lossRatio) && estimator.bytesInFlight >= 0)
        use(estimator.roundTrip)
        use(pacer.readyAt)
    }
}
