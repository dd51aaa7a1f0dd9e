/// A histogram that a worker counts. A class holds values above the bound before it and up to its own; one more class holds
/// those above all bounds.
@frozen
public enum Distribution: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    /// ns from the beginning of the turn that took a packet in to the end of that turn, when all that follows from it
    /// was handed to the port. Counted for each packet that the turn forwarded.
    case forward
    /// Packets that one look at the device brought; looks that brought none do not count.
    case burst
    /// Of each Session that sends feedback, five times a second: what its path carries, kbit/s; how long packets wait on it,
    /// ms; how long it takes to the peer and back, ms; what is lost of what is sent, of 1000.
    case pathEstimate, pathQueue, pathRoundTrip, pathLoss

    /// How many bounds there are: counted without them, as a worker allocates nothing.
    var boundCount: Int {
        switch self {
        case .forward: 13
        case .burst: 6
        case .pathEstimate: Self.estimateSteps
        case .pathQueue, .pathRoundTrip, .pathLoss: Self.pathSteps
        }
    }

    /// Upper bounds of the classes, ascending.
    public var bounds: [UInt64] {
        switch self {
        case .forward:
            [
                1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000,
                5_000_000, 10_000_000,
            ]
        case .burst: [1, 2, 4, 8, 16, 32]
        case .pathEstimate: Self.steps(from: Self.leastEstimate, count: Self.estimateSteps)
        case .pathQueue, .pathRoundTrip, .pathLoss: Self.steps(from: 1, count: Self.pathSteps)
        }
    }

    @inlinable static var leastEstimate: UInt64 { 10 }
    @inlinable static var estimateSteps: Int { 13 }
    @inlinable static var pathSteps: Int { 10 }

    /// 1, 2 and 5 times `least`, and so in each decade.
    private static func steps(from least: UInt64, count: Int) -> [UInt64] {
        (0..<count).map { place in
            (0..<place).reduce(least) { bound, place in step(after: bound, at: place) }
        }
    }

    @inlinable @inline(__always)
    static func step(after bound: UInt64, at place: Int) -> UInt64 { place % 3 == 1 ? bound / 2 &* 5 : bound &* 2 }

    /// The class of a value among such `count` bounds.
    @inlinable
    static func stepClass(_ value: UInt64, from least: UInt64, count: Int) -> Int {
        var (bound, place) = (least, 0)
        while place < count, value > bound {
            bound = step(after: bound, at: place)
            place &+= 1
        }
        return place
    }

    /// The class of a duration, ns: bounds of 1, 2 and 5 in each decade from 1 µs, counted down without a table.
    @inlinable
    static func forwardClass(_ nanoseconds: UInt64) -> Int {
        var rest = nanoseconds
        var decade = 0
        while rest > 10_000 && decade < 9 {
            rest = (rest &+ 9) / 10
            decade &+= 3
        }
        let place = rest <= 1_000 ? 0 : rest <= 2_000 ? 1 : rest <= 5_000 ? 2 : rest <= 10_000 ? 3 : 4
        return decade &+ place
    }

    /// The class of a burst of at least 1 packet: powers of two up to 32.
    @inlinable @inline(__always)
    static func burstClass(_ packets: Int) -> Int {
        min(Int.bitWidth &- (packets &- 1).leadingZeroBitCount, 6)
    }

    /// Where the classes stand among a worker's words; their sum stands before them.
    static func offset(of distribution: Distribution) -> Int {
        allCases.prefix { $0 != distribution }.reduce(0) { $0 + $1.words }
    }

    /// The sum, the classes, and the class above all bounds.
    var words: Int { boundCount + 2 }
}

/// One reading of a distribution.
public struct DistributionReading: Sendable, Equatable {
    public var bounds: [UInt64]
    /// One more than bounds.
    public var counts: [UInt64]
    /// Of all values, in the unit of the bounds.
    public var sum: UInt64
}
