import Api
import Mailbox

/// What the node tells about itself on the `ops` listener.
struct Status: NodeStatus {
    private let set: WorkerSet
    let capacity: NodeCapacity
    let turnStreams: TURNStreamGauge?
    private let kernel: KernelGuard?

    /// - Parameters:
    ///   - capacity: of one worker.
    ///   - kernel: nil without an exception interface.
    init(_ set: WorkerSet, capacity: Capacity, turnStreams: TURNStreamGauge?, kernel: KernelGuard?) {
        self.set = set
        self.kernel = kernel
        self.turnStreams = turnStreams
        let count = set.mailboxes.count
        self.capacity = NodeCapacity(
            sessions: count * capacity.sessions, tracks: count * capacity.tracks, sinks: count * capacity.slots)
    }

    var conditions: [ReadinessCondition] { [link, transmission, gateway] + (kernel.map { [$0.condition] } ?? []) }

    private var link: ReadinessCondition {
        let isUp = set.port.isLinkUp
        return ReadinessCondition(
            name: "port", isMet: isUp,
            detail: isUp ? "link up" : "link down: look at the cable, the switch, or the kernel's end of it")
    }

    private var transmission: ReadinessCondition {
        let stuck = set.mailboxes.indices.filter { set.mailboxes[$0].counters[.transmitStall] >= 1_000 }
        return ReadinessCondition(
            name: "transmission", isMet: stuck.isEmpty,
            detail: stuck.isEmpty
                ? "the port takes frames"
                : "the port has taken no frame of worker \(stuck.map(String.init).joined(separator: ", ")) for a second: look at "
                    + "the device and its driver")
    }

    /// Every worker asks for itself: one that does not know the gateway cannot send.
    private var gateway: ReadinessCondition {
        let missing = set.mailboxes.reduce(UInt64(0)) { $0 | $1.counters[.missingGateways] }
        let families = [(1, "IPv4"), (2, "IPv6")].filter { missing & $0.0 != 0 }.map(\.1)
        return ReadinessCondition(
            name: "gateway", isMet: missing == 0,
            detail: missing == 0
                ? "known, or none is configured"
                : "no answer from the \(families.joined(separator: " and the ")) gateway: look at port.gateway and the router"
        )
    }

    var workers: [WorkerReading] {
        let name = set.port.configuration.name
        return set.mailboxes.enumerated().map { WorkerReading(worker: $0, port: name, counters: $1.counters) }
    }

    var ports: [PortReading] {
        let counted = set.port.statistics()
        return [
            PortReading(
                port: set.port.configuration.name, missed: counted.missed, receiveErrors: counted.receiveErrors,
                noBuffer: counted.noBuffer, transmitErrors: counted.transmitErrors)
        ]
    }

    var droppedLogLines: UInt64 { LineWriter.standardError.dropped }

    var build: BuildInfo { BuildInfo(version: Version.number, revision: Version.revision) }
}
