import Mailbox

/// What the node tells about itself on the `ops` listener; the executable provides it. Asked on every
/// scrape, so it must be quick and never block.
public protocol NodeStatus: Sendable {
    /// All must be met for `/readyz` to say yes.
    var conditions: [ReadinessCondition] { get }
    /// One entry per worker.
    var workers: [WorkerReading] { get }
    /// One entry per device.
    var ports: [PortReading] { get }
    var build: BuildInfo { get }
    /// The places of all workers' tables.
    var capacity: NodeCapacity { get }
    /// Nil: no TURN over TCP and TLS.
    var turnStreams: TURNStreamGauge? { get }
    /// Lines of the log that could not be written.
    var droppedLogLines: UInt64 { get }
}

extension NodeStatus {
    public var turnStreams: TURNStreamGauge? { nil }
    public var ports: [PortReading] { [] }
    public var droppedLogLines: UInt64 { 0 }
}

/// One thing that must be true before the node takes traffic.
public struct ReadinessCondition: Sendable, Equatable {
    /// A stable word: `port`, `workers`, `draining`.
    public var name: String
    public var isMet: Bool
    /// For operators: what is wrong and what to do.
    public var detail: String

    public init(name: String, isMet: Bool, detail: String = "") {
        self.name = name
        self.isMet = isMet
        self.detail = detail
    }
}

/// Where a worker's counters are read.
public struct WorkerReading: Sendable {
    public var worker: Int
    /// The Port's name in the configuration.
    public var port: String
    public var counters: Counters

    public init(worker: Int, port: String, counters: Counters) {
        self.worker = worker
        self.port = port
        self.counters = counters
    }
}

/// What a device lost before a worker saw it, or after: packets since the start.
public struct PortReading: Sendable, Equatable {
    /// The Port's name in the configuration.
    public var port: String
    /// No worker took them in time.
    public var missed: UInt64
    /// They came in damaged.
    public var receiveErrors: UInt64
    /// There was no buffer to put them into.
    public var noBuffer: UInt64
    public var transmitErrors: UInt64

    public init(port: String, missed: UInt64, receiveErrors: UInt64, noBuffer: UInt64, transmitErrors: UInt64) {
        self.port = port
        self.missed = missed
        self.receiveErrors = receiveErrors
        self.noBuffer = noBuffer
        self.transmitErrors = transmitErrors
    }
}

/// Which program runs.
public struct BuildInfo: Sendable, Equatable {
    public var version: String
    public var revision: String

    public init(version: String, revision: String) {
        self.version = version
        self.revision = revision
    }
}
