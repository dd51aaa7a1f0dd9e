import CDPDK

/// What a device can be asked to bring to one queue (rte_flow): UDP packets to ports of which the bits of `mask` are those of
/// `value`. Devices match bits; most know no ranges.
struct SteeringRule: Equatable {
    var isV4: Bool
    var value: UInt16
    var mask: UInt16
    var queue: UInt16

    /// Rules that together hold all of `ports` and nothing else: the largest aligned blocks.
    static func covering(_ ports: Range<Int>, isV4: Bool, queue: UInt16) -> [SteeringRule] {
        var rules: [SteeringRule] = []
        var next = ports.lowerBound
        while next < ports.upperBound {
            var size = next == 0 ? 1 << 16 : next & -next
            while next + size > ports.upperBound { size >>= 1 }
            rules.append(
                SteeringRule(
                    isV4: isV4, value: UInt16(next), mask: ~UInt16(truncatingIfNeeded: size - 1), queue: queue))
            next += size
        }
        return rules
    }
}

/// Whether the device brings relayed ports' packets to the worker that owns them.
public enum FlowSteering: Equatable, Sendable, CustomStringConvertible {
    /// Nothing to decide: one queue, or no relay.
    case needless
    case byDevice(rules: Int)
    /// Workers hand packets to their owners by ring, as they always can; `reason` is the device's.
    case byWorkers(reason: String)

    public var description: String {
        switch self {
        case .needless: "not needed"
        case .byDevice(let rules): "by the device, \(rules) rules"
        case .byWorkers(let reason): "by workers (the device: \(reason))"
        }
    }
}

extension DPDKPort {
    /// Asks the device to bring packets for relayed ports to their worker's queue: all of them, or none when it refuses one.
    /// RSS goes on for everything else.
    ///
    /// - Parameter workers: how many share the relay's ports; those without a queue keep getting theirs by ring.
    public func steer(_ relay: RelayConfiguration?, workers: Int) -> FlowSteering {
        guard let relay, queueCount > 1 else { return .needless }
        guard sockets == nil else { return .byWorkers(reason: "packet sockets know no rules") }
        let families = [(true, relay.v4), (false, relay.v6)].filter { $0.1 != nil }.map(\.0)
        let rules = (0..<min(workers, queueCount)).flatMap { worker in
            families.flatMap { isV4 in
                SteeringRule.covering(
                    relay.ports(ofWorker: worker, of: workers), isV4: isV4, queue: UInt16(worker))
            }
        }
        for commits in [false, true] {
            for rule in rules {
                let result = port_steer_udp(id, rule.isV4 ? 1 : 0, rule.value, rule.mask, rule.queue, commits ? 1 : 0)
                guard result != 0 else { continue }
                if commits { port_forget_rules(id) }
                return .byWorkers(reason: EAL.message(of: result))
            }
        }
        return .byDevice(rules: rules.count)
    }
}
