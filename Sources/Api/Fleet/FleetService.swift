import Meetings
import ServiceLifecycle

/// The PoP's life in its fleet: until all others have stopped, and then it leaves.
struct FleetService: Service {
    let member: FleetMember
    let observer: NodeObserver

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                await member.tick(observer.fleetReport(), meetings: observer.hub.numbers)
                try await observer.clock.sleep(for: .seconds(1))
            }
        }
        await member.leave()
    }
}

extension NodeObserver {
    /// The load is that of places or of workers, whichever is nearer to its limit.
    func fleetReport() async -> FleetMember.Report {
        let hub = await hub.reading
        let sessions = max(status.capacity.sessions, 1)
        let load = max(Double(hub.people) / Double(sessions), admission.busyRatio / admission.policy.busyRatio)
        return FleetMember.Report(
            load: admission.isBusy || load.isNaN ? 1 : min(1, max(0, load)), participants: hub.participants,
            capacity: min(sessions, 10_000_000), isDraining: !drain.acceptsNewcomers)
    }
}
