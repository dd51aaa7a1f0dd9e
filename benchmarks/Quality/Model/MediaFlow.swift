import Dataplane

/// One sender of media with its estimator and pacer, and its receiver.
struct MediaFlow {
    let plan: FlowPlan
    /// Microseconds.
    let start: Int
    let oneWay: Int
    var estimator: BandwidthEstimator
    var pacer: Pacer
    private let memory: UnsafeMutableRawPointer

    /// Packets that wait, in bytes, in order.
    var waiting: [Int] = []
    var waitingBytes = 0
    var isPacerScheduled = false
    var nextNumber: UInt64 = 0
    var frame = 0
    /// Of the source now.
    var wanted = 0.0
    var isSilent = false
    var probe: ProbeCluster?
    var probePackets = 0

    // The receiver's: what came since the last feedback, the latest arrival in microseconds.
    var pending: [(number: UInt64, arrival: Int)] = []
    var lastArrival = 0
    var reported: UInt64 = 0
    var reports: [[(number: UInt64, arrival: Int)]] = []
    var delivered: [(arrival: Int, bytes: Int)] = []
    var deliveredInOrder = 0
    var sent = 0
    var dropped = 0
    var targets: [(time: Int, target: UInt64)] = []

    /// Of the sender's clock at the simulation's start, ns.
    static let epoch: UInt64 = 10_000_000_000

    static func clock(_ time: Int) -> UInt64 { epoch + UInt64(time) * 1_000 }

    init(_ plan: FlowPlan) {
        self.plan = plan
        start = Int(plan.start * 1e6)
        oneWay = Int(plan.oneWay * 1e6)
        memory = .allocate(byteCount: BandwidthEstimator.memorySize, alignment: 8)
        estimator = BandwidthEstimator(memory: memory, now: Self.clock(start))
        pacer = Pacer(now: Self.clock(start))
    }

    func release() { memory.deallocate() }

    /// What the source makes now, bit/s.
    var sourceRate: Double {
        let target = Double(estimator.target)
        guard !plan.layers.isEmpty else { return max(min(target, wanted), plan.leastRate) }
        return plan.layers.last { $0 <= target } ?? plan.layers[0]
    }

    /// Tells the estimator what came: 250 us is the unit of transport-wide feedback.
    mutating func read(report: Int, at time: Int) {
        let arrivals = reports[report]
        guard let last = arrivals.last else { return }
        estimator.beginFeedback(now: Self.clock(time))
        var index = 0
        while reported <= last.number {
            let number = UInt16(truncatingIfNeeded: reported)
            if arrivals[index].number == reported {
                let arrival = Int64(arrivals[index].arrival / 250 * 250_000)
                estimator.noteStatus(number, isReceived: true, arrival: arrival)
                index += 1
            } else {
                estimator.noteStatus(number, isReceived: false, arrival: 0)
            }
            reported += 1
        }
        estimator.endFeedback()
        pacer.setTarget(estimator.target, now: Self.clock(time))
        targets.append((time, estimator.target))
    }
}
