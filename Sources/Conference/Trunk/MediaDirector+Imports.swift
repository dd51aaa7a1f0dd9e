import Fleet
import Mailbox
import Meetings
import Wire

/// Sources that are taken from other PoPs: their Lanes and Tracks.
extension MediaDirector {
    /// What a source is shown by.
    enum Supply {
        case track(PublishedTrack)
        /// Nothing yet: a Slot may wait for it.
        case later
        /// There is no place for it.
        case full
    }

    /// The source's Track. A remote one is taken to `worker` if it is not here yet.
    func supply(of source: SourceID, for worker: Int) -> Supply {
        if let member = publishingMember(source.participant) {
            return member.tracks[source.role].map { .track($0) } ?? .later
        }
        if trunks.remotes[source.participant]?.tracks[source.role] == nil { succeed(source) }
        guard let remote = trunks.remotes[source.participant] else { return .later }
        if let handle = remote.tracks[source.role], let known = trunks.imports[handle] { return .track(known.track) }
        return startImport(source, remote, on: worker)
    }

    func startImport(_ source: SourceID, _ remote: RemoteMember, on worker: Int) -> Supply {
        let (pop, publication) = (remote.publisher.feeder, remote.publisher.publication)
        let setback = trunks.setbacks[source]
        guard let media = publication.source(source.role), let trunk = trunks.trunks[pop], trunk.isReady,
            let peer = trunk.peer, setback.map({ lastPoll >= $0.until }) ?? true
        else { return .later }
        // Lanes have names for that many workers.
        let worker = worker % LaneEnd.mostWorkers
        let far = Int(setback?.worker ?? publication.worker) % min(Int(peer.workers), LaneEnd.mostWorkers)
        guard let lane = inbound(to: pop, Trunk.Pair(worker: worker, remote: far)) else { return .full }
        guard let handle = takeTrack(worker, for: lane, of: pop), let end = trunks.trunks[pop]?.inbound[lane]?.end
        else { return .full }
        let track = PublishedTrack(opening: OpenTrack(media, source.role, track: handle, lane: end.handle))
        trunks.imports[handle] = Import(source: source, feeder: pop, track: track, lane: lane, idleSince: lastPoll)
        trunks.remotes[source.participant]?.tracks[source.role] = handle
        trunks.trunks[pop]?.imports[handle.laneName.raw] = handle
        trunks.trunks[pop]?.inbound[lane]?.tracks.insert(handle)
        if trunks.trunks[pop]?.inbound[lane]?.isOpen == true { open(handle) }
        tell(
            pop,
            .carry(
                CarryRequest(
                    lane: lane, track: handle.laneName.raw, meeting: remote.meeting, participant: source.participant,
                    role: source.role.rawValue, publication: publication.id)))
        return .track(track)
    }

    private func takeTrack(_ worker: Int, for lane: UInt32, of pop: PoPName) -> TrackHandle? {
        guard let handle = workers[worker].tracks.take() else { return nil }
        guard handle.index < LaneName.capacity, trunks.trunks[pop]?.inbound[lane]?.names.note(handle) == true else {
            workers[worker].tracks.giveBack(handle)
            return nil
        }
        return handle
    }

    /// Gives the worker a Track whose Lane it has.
    private func open(_ handle: TrackHandle) {
        guard let known = trunks.imports[handle], !known.isOpen else { return }
        trunks.imports[handle]?.isOpen = true
        workers[handle.worker].send(.openTrack(known.track.opening))
    }

    /// Maps a Track where it is waited for.
    private func map(_ handle: TrackHandle) {
        guard let known = trunks.imports[handle], let remote = trunks.remotes[known.source.participant] else { return }
        let rooms = rooms(with: known.source.participant, in: remote.meeting)
        let viewers = rooms.flatMap { meetings[$0]?.members.members.compactMap { members[$0] } ?? [] }
        for viewer in viewers where viewer.worker == handle.worker {
            for slot in viewer.slots where slot.origin == handle {
                workers[handle.worker].send(
                    .mapSlot(MapSlot(slot: slot.handle, track: handle, maxHeight: slot.maxHeight)))
            }
        }
    }

    /// What is taken of somebody ends, and what is waited for of it.
    func endImports(of participant: ParticipantID, now: UInt64) {
        let tracks = trunks.remotes[participant]?.tracks ?? [:]
        let successors = trunks.remotes[participant]?.successors ?? [:]
        for role in SourceRole.allCases {
            trunks.setbacks[SourceID(participant, role)] = nil
            if let handle = successors[role] { endImport(handle, isTold: true, now: now) }
            if let handle = tracks[role] { endImport(handle, isTold: true, now: now) }
        }
    }

    /// - Parameter isTold: the far end does not know yet.
    func endImport(_ handle: TrackHandle, isTold: Bool, now: UInt64) {
        guard let known = trunks.imports[handle] else { return }
        for id in trunks.exports(of: handle) { endExport(id, .gone, now: now) }
        trunks.imports[handle] = nil
        trunks.forget(handle, of: known.source)
        trunks.trunks[known.feeder]?.imports[handle.laneName.raw] = nil
        trunks.trunks[known.feeder]?.inbound[known.lane]?.tracks.remove(handle)
        if trunks.trunks[known.feeder]?.inbound[known.lane]?.tracks.isEmpty == true {
            trunks.trunks[known.feeder]?.inbound[known.lane]?.idleSince = now
        }
        endReplicas(of: handle, now: now)
        if known.isOpen {
            closeTrack(handle, now: now)
        } else {
            // Under the next name the place may be used at once.
            workers[handle.worker].tracks.giveBack(handle)
        }
        if isTold { tell(known.feeder, .release(handle.laneName.raw)) }
        if known.users > 0 { showAnew(known.source.participant, known.source.role) }
    }

    // MARK: answers

    func takeCarried(_ name: UInt32, from pop: PoPName, now: UInt64) {
        guard let handle = trunks.trunks[pop]?.imports[name], let known = trunks.imports[handle], known.isOpen,
            !known.isCarried
        else { return }
        trunks.imports[handle]?.isCarried = true
        trunks.setbacks[known.source] = nil
        if trunks.remotes[known.source.participant]?.successors[known.source.role] == handle {
            endPredecessor(known.source, now: now)
        }
        openWaiting(of: handle, now: now)
    }

    func takeRefusal(_ refusal: CarryRefusal, ofTrack name: UInt32, from pop: PoPName, now: UInt64) {
        guard let handle = trunks.trunks[pop]?.imports[name] else { return }
        setBack(handle, refusal, now: now)
    }

    private func setBack(_ handle: TrackHandle, _ refusal: CarryRefusal, now: UInt64) {
        guard let source = trunks.imports[handle]?.source else { return }
        statistics.refusedImports += 1
        trunks.setbacks[source, default: Setback()].note(refusal, now: now)
        endImport(handle, isTold: false, now: now)
    }

    // MARK: Lanes

    /// The Lane between two workers, by our name, asked for if there is none; nil without a place for one.
    private func inbound(to pop: PoPName, _ pair: Trunk.Pair) -> UInt32? {
        guard let trunk = trunks.trunks[pop] else { return nil }
        if let name = trunk.pairs[pair] { return name }
        let remote = [true, false].lazy.compactMap { isV6 in
            self.addressFamilies.contains(isV6) ? trunk.address(isV6: isV6) : nil
        }.first
        guard let remote, let handle = workers[pair.worker].takeLane() else { return nil }
        let secret = makeSecret(phase: 0)
        let end = LaneEnd(handle, receivePhase: 0, sendPhase: nil, at: lastPoll)
        let name = end.name.raw
        trunks.trunks[pop]?.inbound[name] = InboundLane(end, pair: pair, remote: remote, secret: secret)
        trunks.trunks[pop]?.pairs[pair] = name
        trunks.lanes[handle] = TrunkTable.LaneID(pop: pop, name: name, isInbound: true)
        tell(
            pop,
            .openLane(
                LaneRequest(
                    lane: name, worker: UInt8(clamping: pair.remote), isV6: !remote.address.isV4, secret: secret)))
        return name
    }

    func takeOffer(_ offer: LaneOffer, of name: UInt32, from pop: PoPName) {
        let far = LaneName(raw: offer.name)
        guard let lane = trunks.trunks[pop]?.inbound[name], !lane.isOpen, far.part == LaneName.lanePart else { return }
        trunks.trunks[pop]?.inbound[name]?.isOpen = true
        trunks.trunks[pop]?.inbound[name]?.end.sendPhase = offer.secret.phase
        workers[lane.pair.worker].send(
            .openLane(
                OpenLane(
                    lane: lane.end.handle, peer: far, remote: lane.remote, receive: LaneKey(lane.secret),
                    send: LaneKey(offer.secret))))
        for handle in lane.tracks.sorted(by: { $0.raw < $1.raw }) {
            open(handle)
            map(handle)
        }
    }

    func takeRefusal(_ refusal: CarryRefusal, ofLane name: UInt32, from pop: PoPName, now: UInt64) {
        guard let lane = trunks.trunks[pop]?.inbound[name] else { return }
        for handle in lane.tracks.sorted(by: { $0.raw < $1.raw }) { setBack(handle, refusal, now: now) }
        endInbound(name, of: pop, isTold: false, now: now)
    }

    /// - Parameter isTold: the far end does not know yet.
    func endInbound(_ name: UInt32, of pop: PoPName, isTold: Bool, now: UInt64) {
        guard let lane = trunks.trunks[pop]?.inbound[name] else { return }
        for handle in lane.tracks.sorted(by: { $0.raw < $1.raw }) { endImport(handle, isTold: false, now: now) }
        trunks.trunks[pop]?.inbound[name] = nil
        trunks.trunks[pop]?.pairs[lane.pair] = nil
        trunks.trunks[pop]?.bury(lane.end)
        endLane(lane.end.handle, isOpen: lane.isOpen, now: now)
        if isTold { tell(pop, .closeLane(name)) }
    }

    // MARK: time

    /// Lets go of what nobody shows any more, and of Lanes without Tracks.
    func endIdle(now: UInt64) {
        endPredecessors(now: now)
        let idle = trunks.imports.values.filter {
            $0.users == 0 && now >= $0.idleSince &+ options.importLinger && !trunks.isSuccessor($0)
        }
        for known in idle.sorted(by: { $0.handle.raw < $1.handle.raw }) {
            endImport(known.handle, isTold: true, now: now)
        }
        for pop in trunks.names {
            let lanes = trunks.trunks[pop]?.inbound ?? [:]
            for (name, lane) in lanes.sorted(by: { $0.key < $1.key })
            where lane.tracks.isEmpty && now >= lane.idleSince &+ options.laneLinger {
                endInbound(name, of: pop, isTold: true, now: now)
            }
        }
    }

    /// What was refused is asked for again, if anybody still waits for it.
    func askAgain(now: UInt64) {
        let due = trunks.setbacks.filter { !$0.value.isOver && now >= $0.value.until }.keys
        for source in due.sorted() {
            trunks.setbacks[source]?.isOver = true
            showAnew(source.participant, source.role)
        }
    }
}
