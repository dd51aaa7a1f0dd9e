/// What one media flow of a case wants and meets.
public struct FlowPlan: Sendable {
    /// Seconds.
    public var start = 0.0
    /// Seconds, to the receiver and back.
    public var oneWay = 0.05
    /// What the source takes, Mbit/s, from a second on.
    public var wanted: [(second: Double, megabits: Double)] = [(0, 5)]
    /// Of the encoder, bit/s.
    public var leastRate = 50_000.0
    /// The layers of a simulcast, bit/s, lowest first; none: a source of any rate.
    public var layers: [Double] = []
    /// Seconds in which the flow sends nothing.
    public var silence: ClosedRange<Double>?
    /// Whether it goes the other way: over the second bottleneck, its feedback over the first.
    public var isReverse = false
}

/// How arrivals vary beside the queue.
public enum Variation: Sendable {
    case none
    /// Uniform, at most so many microseconds early or late.
    case jitter(Int)
    /// What would arrive in the last of these microseconds of every period waits for the next period.
    case stalls(Int, period: Int)
}

/// A network and the flows that share it.
public struct Case: Sendable {
    public let name: String
    public let seconds: Double
    public let capacity: CapacitySchedule
    public var flows: [FlowPlan] = [FlowPlan()]
    /// What the queue holds, seconds.
    public var depth = 0.3
    public var randomLoss = 0.0
    public var variation = Variation.none
    /// The way back, where it is a bottleneck as well.
    public var back: CapacitySchedule?
    /// TCP flows: start in seconds, segments; nil segments without an end.
    public var tcp: [(start: Double, segments: Int?)] = []
    /// Short TCP flows, one after the other in each of so many places, of 100 KB to 1 MB.
    public var shortTCP = 0
    /// Of which Jain's index is taken, seconds.
    public var fairness: ClosedRange<Double>?
    /// Of which utilisation is taken beside another rate than the capacity: from a second on, Mbit/s.
    public var reference: (second: Double, megabits: Double)?

    init(_ name: String, _ seconds: Double, _ steps: [(second: Double, megabits: Double)]) {
        self.name = name
        self.seconds = seconds
        capacity = CapacitySchedule(steps)
    }
}
