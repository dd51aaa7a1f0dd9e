import Synchronization

/// What the TCP and TLS listeners of TURN count; written on their event loop, read by whoever scrapes.
public final class TURNStreamGauge: Sendable {
    private let connections = Atomic<Int>(0)
    private let refused = Atomic<UInt64>(0)
    private let slowReader = Atomic<UInt64>(0)
    private let workerFull = Atomic<UInt64>(0)
    private let gone = Atomic<UInt64>(0)
    private let oversize = Atomic<UInt64>(0)

    public init() {}

    /// Open connections.
    var count: Int { connections.load(ordering: .relaxed) }
    /// Connections refused for a limit.
    var refusals: UInt64 { refused.load(ordering: .relaxed) }

    func setCount(_ count: Int) { connections.store(count, ordering: .relaxed) }
    func countRefusal() { refused.wrappingAdd(1, ordering: .relaxed) }
    func count(_ drop: TURNBridge.Drop) { increment(drop, by: 1) }

    /// Messages dropped for this reason.
    subscript(drop: TURNBridge.Drop) -> UInt64 { increment(drop, by: 0) }

    /// Adds, and answers what it was before.
    @discardableResult
    private func increment(_ drop: TURNBridge.Drop, by amount: UInt64) -> UInt64 {
        switch drop {
        case .slowReader: slowReader.wrappingAdd(amount, ordering: .relaxed).oldValue
        case .workerFull: workerFull.wrappingAdd(amount, ordering: .relaxed).oldValue
        case .gone: gone.wrappingAdd(amount, ordering: .relaxed).oldValue
        case .oversize: oversize.wrappingAdd(amount, ordering: .relaxed).oldValue
        }
    }
}
