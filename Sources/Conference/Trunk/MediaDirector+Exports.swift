import Fleet
import Mailbox
import Meetings
import Wire

/// What other PoPs are carried: Tracks of members, and at a relay those that it takes itself.
extension MediaDirector {
    func carry(_ request: CarryRequest, for pop: PoPName, now: UInt64) {
        if let refusal = refusal(of: request, for: pop, now: now) {
            statistics.refusedExports += 1
            tell(pop, .refused(track: request.track, refusal))
        }
    }

    /// Carries what is asked for; the reason when that is not possible.
    private func refusal(of request: CarryRequest, for pop: PoPName, now: UInt64) -> CarryRefusal? {
        guard let trunk = trunks.trunks[pop], let lane = trunk.outbound[request.lane]?.end.handle,
            LaneName(raw: request.track).part == 0, let role = SourceRole(rawValue: request.role)
        else { return .gone }
        guard trunk.exports[request.track] == nil else {
            // One name never stands for two.
            endExport(ExportID(pop: pop, name: request.track), now: now)
            return .gone
        }
        guard trunk.exports.count < options.mostExports, !workers[lane.worker].isCongested else { return .full }
        let track: TrackHandle
        switch find(SourceID(request.participant, role), request, for: pop, on: lane.worker) {
        case .success(let found): track = found
        case .failure(let obstacle): return obstacle.refusal
        }
        guard track.worker == lane.worker else { return .elsewhere(worker: UInt8(clamping: track.worker)) }
        let export = Export(
            source: SourceID(request.participant, role), lane: request.lane, name: request.track, track: track,
            since: now)
        trunks.insert(export, for: pop)
        // A relay's Track may not come yet.
        guard trunks.imports[track]?.isCarried ?? true, !openCrossing(ExportID(pop: pop, name: request.track)) else {
            return nil
        }
        _ = trunks.remove(ExportID(pop: pop, name: request.track), now: now)
        return .full
    }

    private struct Obstacle: Error {
        let refusal: CarryRefusal
    }

    /// The Track of a member, or of somebody whose Tracks come here.
    private func find(
        _ source: SourceID, _ request: CarryRequest, for pop: PoPName, on worker: Int
    ) -> Result<TrackHandle, Obstacle> {
        if let member = publishingMember(source.participant) {
            guard member.meeting == request.meeting, publication(of: member).id == request.publication,
                let track = member.tracks[source.role]
            else { return .failure(Obstacle(refusal: .gone)) }
            return .success(track.handle)
        }
        // Nobody is carried what comes from there.
        guard let remote = trunks.remotes[source.participant], remote.meeting == request.meeting,
            remote.publisher.publication.id == request.publication, remote.publisher.feeder != pop,
            remote.publisher.pop != pop
        else { return .failure(Obstacle(refusal: .gone)) }
        switch supply(of: source, for: worker) {
        case .track(let track): return .success(track.handle)
        case .later: return .failure(Obstacle(refusal: .gone))
        case .full: return .failure(Obstacle(refusal: .full))
        }
    }

    /// False when there is no place for it.
    private func openCrossing(_ id: ExportID) -> Bool {
        guard let export = trunks.trunks[id.pop]?.exports[id.name], export.crossing == nil,
            let lane = trunks.trunks[id.pop]?.outbound[export.lane]?.end.handle
        else { return true }
        guard let crossing = workers[lane.worker].crossings.take() else { return false }
        trunks.trunks[id.pop]?.exports[id.name]?.crossing = crossing
        workers[lane.worker].send(
            .openCrossing(
                OpenCrossing(
                    crossing: crossing, track: export.track, lane: lane, name: LaneName(raw: export.name))))
        tell(id.pop, .carried(export.name))
        return true
    }

    /// A relay's Track comes now: those who wait for it are carried it.
    func openWaiting(of track: TrackHandle, now: UInt64) {
        for id in trunks.exports(of: track) where !openCrossing(id) { endExport(id, .full, now: now) }
    }

    /// What a relay did not get in time is refused, so that two PoPs that ask each other for it do not wait for ever.
    func refuseLate(now: UInt64) {
        for pop in trunks.names {
            let late = trunks.trunks[pop]?.exports.values.filter {
                $0.crossing == nil && now >= $0.since &+ options.relayPatience
            }
            for export in (late ?? []).sorted(by: { $0.name < $1.name }) {
                endExport(ExportID(pop: pop, name: export.name), .gone, now: now)
            }
        }
    }

    /// - Parameter refusal: what the far end is told; nil when it knows.
    func endExport(_ id: ExportID, _ refusal: CarryRefusal? = nil, now: UInt64) {
        guard let export = trunks.remove(id, now: now) else { return }
        if let crossing = export.crossing {
            workers[crossing.worker].send(.closeCrossing(crossing))
            workers[crossing.worker].crossings.beginClosing(crossing)
            closing.add(crossing, since: now)
        }
        if let refusal { tell(id.pop, .refused(track: id.name, refusal)) }
    }

    // MARK: Lanes

    func takeLane(_ request: LaneRequest, from pop: PoPName, now: UInt64) {
        if let refusal = refusal(of: request, from: pop, now: now) {
            tell(pop, .laneRefused(lane: request.lane, refusal))
        }
    }

    private func refusal(of request: LaneRequest, from pop: PoPName, now: UInt64) -> CarryRefusal? {
        let worker = Int(request.worker)
        guard let trunk = trunks.trunks[pop], trunk.outbound[request.lane] == nil, workers.indices.contains(worker),
            LaneName(raw: request.lane).part == LaneName.lanePart, let remote = trunk.address(isV6: request.isV6)
        else { return .gone }
        guard trunk.outbound.count < options.mostLanes, !workers[worker].isCongested,
            let handle = workers[worker].takeLane()
        else { return .full }
        let secret = makeSecret(phase: 0)
        let end = LaneEnd(handle, receivePhase: 0, sendPhase: request.secret.phase, at: now)
        trunks.trunks[pop]?.outbound[request.lane] = OutboundLane(end: end)
        trunks.lanes[handle] = TrunkTable.LaneID(pop: pop, name: request.lane, isInbound: false)
        workers[worker].send(
            .openLane(
                OpenLane(
                    lane: handle, peer: LaneName(raw: request.lane), remote: remote, receive: LaneKey(secret),
                    send: LaneKey(request.secret))))
        tell(pop, .laneOpened(lane: request.lane, LaneOffer(name: end.name.raw, secret: secret)))
        return nil
    }

    func endOutbound(_ name: UInt32, of pop: PoPName, now: UInt64) {
        guard let lane = trunks.trunks[pop]?.outbound[name] else { return }
        for export in lane.exports.sorted() { endExport(ExportID(pop: pop, name: export), now: now) }
        trunks.trunks[pop]?.outbound[name] = nil
        trunks.trunks[pop]?.bury(lane.end)
        endLane(lane.end.handle, isOpen: true, now: now)
    }

    /// Closes our end of a Lane over which nothing goes any more.
    func endLane(_ handle: LaneHandle, isOpen: Bool, now: UInt64) {
        trunks.lanes[handle] = nil
        guard isOpen else { return workers[handle.worker].lanes.giveBack(handle) }
        workers[handle.worker].send(.closeLane(handle))
        workers[handle.worker].lanes.beginClosing(handle)
        closing.add(handle, since: now)
    }
}
