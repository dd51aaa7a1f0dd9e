/// When the next packet of a Session may leave. Under its budget a packet leaves at once. Times are ns.
public struct Pacer: BitwiseCopyable {
    /// Of a byte, ns.
    private var byteTime = Self.byteTime(target: CongestionConstants.startRate)
    /// When the next packet may leave.
    public private(set) var readyAt: UInt64

    public init(now: UInt64) { readyAt = now }

    /// After each change of the target.
    public mutating func setTarget(_ target: UInt64, now: UInt64) {
        byteTime = Self.byteTime(target: target)
        // What was sent at another rate holds the next packet no longer than a full queue.
        readyAt = min(readyAt, now &+ CongestionConstants.pacerFull)
    }

    private static func byteTime(target: UInt64) -> Double {
        8e9 / (max(Double(target), CongestionConstants.leastRate) * CongestionConstants.pacingFactor)
    }

    public func mayGo(now: UInt64) -> Bool { now >= readyAt }

    public mutating func noteSent(bytes: Int, now: UInt64) {
        let earliest = now &- min(now, CongestionConstants.pacerBurst)
        readyAt = max(readyAt, earliest) &+ UInt64(Double(bytes) * byteTime)
    }

    /// How long so many bytes take to leave, ns.
    func time(ofBytes bytes: Int) -> UInt64 { UInt64(Double(bytes) * byteTime) }

    /// Whether what waits takes so long to leave that the next frame is better not sent.
    public func isFull(waitingBytes: Int) -> Bool {
        Double(waitingBytes) * byteTime > Double(CongestionConstants.pacerFull)
    }
}
