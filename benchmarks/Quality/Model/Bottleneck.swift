/// A drop-tail queue before a link of varying capacity.
public struct Bottleneck {
    let capacity: CapacitySchedule
    /// What the queue holds at most, as time at the capacity of now, seconds.
    let depth: Double
    /// Bytes that a queue holds in any case.
    private static let leastBytes = 6_000.0

    /// What is queued or in service: when its service ends, and its bytes; in order.
    private var departures: [(end: Int, bytes: Int)] = []
    private var first = 0
    private var queuedBytes = 0
    /// What media met: its arrival, the end of its service.
    private(set) var passed: [(arrival: Int, start: Int, end: Int, bytes: Int)] = []

    /// `depth`: seconds.
    public init(capacity: CapacitySchedule, depth: Double) {
        self.capacity = capacity
        self.depth = depth
    }

    private mutating func forget(before time: Int) {
        while first < departures.count, departures[first].end <= time {
            queuedBytes -= departures[first].bytes
            first += 1
        }
    }

    /// The start and end of the packet's service, nil when the queue is full. Times are microseconds.
    public mutating func enter(bytes: Int, at time: Int) -> (start: Int, end: Int)? {
        forget(before: time)
        let limit = max(depth * capacity.rate(at: time) / 8, Self.leastBytes)
        guard Double(queuedBytes + bytes) <= limit else { return nil }
        let start = max(time, departures.last?.end ?? 0)
        let end = capacity.end(of: Double(bytes * 8), from: start)
        departures.append((end, bytes))
        queuedBytes += bytes
        passed.append((time, start, end, bytes))
        return (start, end)
    }
}
