import Mailbox
import Meetings

/// Looks at the node once a second, and tells what it carries.
struct NodeObserver: Sendable {
    let identity: NodeIdentity
    let status: any NodeStatus
    let hub: MeetingHub
    let health: NodeHealth
    let drain: Drain
    let admission: Admission
    let relay: RelayPulse
    let certificates: [ListenerCertificate]
    let clock: any ApiClock
    let load = WorkerLoad()
    private let traffic = TrafficMeter()
    private let started: Timestamp

    init(
        identity: NodeIdentity, status: any NodeStatus, hub: MeetingHub, health: NodeHealth, drain: Drain,
        admission: Admission, relay: RelayPulse, certificates: [ListenerCertificate], clock: any ApiClock
    ) {
        self.identity = identity
        self.status = status
        self.hub = hub
        self.health = health
        self.drain = drain
        self.admission = admission
        self.relay = relay
        self.certificates = certificates
        self.clock = clock
        started = clock.now
    }

    /// Once a second, by the ticker.
    func look() async {
        let workers = status.workers
        load.look(at: workers)
        traffic.look(at: workers, now: clock.now)
        relay.look(at: workers, now: clock.now)
        admission.note(busyRatio: busyRatios.max() ?? 0)
        // So that a condition's time is right though nobody asks.
        _ = await findings()
    }

    /// Each condition of readiness.
    func findings() async -> [NodeHealth.Finding] { health.findings(participants: await hub.reading.people) }

    private var busyRatios: [Double] { status.workers.map { load.figures(of: $0.worker).busyRatio } }

    func reading() async -> NodeJSON {
        let hub = await hub.reading
        let state = drain.state
        let now = clock.now
        let workers = status.workers
        let capacity = status.capacity
        func used(_ counter: Counter) -> Int { workers.reduce(0) { $0 + Int(clamping: $1.counters[counter]) } }
        return NodeJSON(
            pop: .init(
                id: identity.pop, region: identity.region, latitude: identity.coordinates?.latitude,
                longitude: identity.coordinates?.longitude),
            version: status.build.version, since: clock.text(of: started), state: state.phase.rawValue,
            ready: health.findings(participants: hub.people).allSatisfy(\.condition.isMet),
            draining: state.phase != .serving,
            drainingSince: state.since.map(clock.text), drainDeadline: state.deadline.map(clock.text),
            drainDeadlineS: state.secondsLeft(at: now),
            drainTarget: state.target.map { .init(signalingUrl: $0.signalingURL, mediaServer: $0.mediaServer) },
            cores: workers.count, meetings: hub.meetings, participants: hub.participants,
            sessions: .init(used: used(.sessions), limit: capacity.sessions),
            tracks: .init(used: used(.tracks), limit: capacity.tracks),
            sinks: .init(used: used(.sinks), limit: capacity.sinks),
            allocations: used(.allocations),
            load: reading(participants: hub.people, capacity: capacity))
    }

    private func reading(participants: Int, capacity: NodeCapacity) -> NodeJSON.Load {
        let ratios = busyRatios
        let figures = traffic.figures
        let limit = admission.policy.busyRatio
        let places = 1 - Double(participants) / Double(max(capacity.sessions, 1))
        let isClosed = !drain.acceptsNewcomers || admission.isBusy
        return NodeJSON.Load(
            busyRatio: ratios.isEmpty ? 0 : ratios.reduce(0, +) / Double(ratios.count),
            busyRatioP95: admission.busyRatio, busyRatioLimit: limit,
            headroom: isClosed ? 0 : max(0, min(places, 1 - admission.busyRatio / limit)),
            packetsPerSecond: .init(receive: figures.receive.packets, transmit: figures.transmit.packets),
            bitsPerSecond: .init(receive: figures.receive.bits, transmit: figures.transmit.bits))
    }
}
