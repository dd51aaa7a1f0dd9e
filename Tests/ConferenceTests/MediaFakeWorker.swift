import Mailbox
import Wire

@testable import Conference

/// A worker as the mailbox's contract describes it, without packets: it reads commands, keeps what is open,
/// and writes down whatever a real worker would have to count as a mistake of control.
final class FakeWorker {
    struct SlotModel {
        var opening: OpenSlot
        var track = TrackHandle.none
        var maxHeight: UInt16 = 0
    }

    let number: Int
    let mailbox: WorkerMailbox
    private let capacity: Capacity
    /// Another worker, to read its commands before one that depends on them is judged; nil leaves it alone.
    var catchUp: (Int) -> FakeWorker? = { _ in nil }
    /// Also reports what goes with a Session, as a real worker may.
    var reportsEverything = false
    /// Loses the closed events, as with a full ring.
    var isSilent = false
    /// Has no core for the time being.
    var isHeld = false

    private(set) var sessions: [SessionHandle: OpenSession] = [:]
    private(set) var restarts: [SessionHandle: [RestartICE]] = [:]
    private(set) var extensions: [SessionHandle: ExtensionMap] = [:]
    private(set) var keys: [SessionHandle: InstallKeys] = [:]
    private(set) var tracks: [TrackHandle: OpenTrack] = [:]
    private(set) var slots: [SlotHandle: SlotModel] = [:]
    /// Replicas by the Track that feeds them.
    private(set) var feeds: [TrackHandle: Set<TrackHandle>] = [:]
    /// Of other PoPs: addresses, Lanes and what goes over them.
    private(set) var trunks: Set<Endpoint> = []
    private(set) var lanes: [LaneHandle: OpenLane] = [:]
    private(set) var crossings: [CrossingHandle: OpenCrossing] = [:]
    /// What each end seals with, by the Lane, in order.
    private(set) var laneKeys: [LaneHandle: (receive: [[UInt8]], send: [[UInt8]])] = [:]
    /// Names of Tracks that the far end used under the present key.
    private var names: [LaneHandle: Set<UInt32>] = [:]
    private(set) var faults: [String] = []
    private(set) var mapsRead = 0
    /// The last generation seen in each place of each table, and the places that are taken.
    private var generations: [Place: UInt32] = [:]
    private var taken: Set<Place> = []

    private struct Place: Hashable {
        enum Table {
            case sessions, tracks, slots, lanes, crossings
        }

        var table: Table
        var index: Int
    }

    init(number: Int, mailbox: WorkerMailbox, capacity: Capacity) {
        self.number = number
        self.mailbox = mailbox
        self.capacity = capacity
    }

    var isEmpty: Bool {
        sessions.isEmpty && tracks.isEmpty && slots.isEmpty && feeds.isEmpty && lanes.isEmpty && crossings.isEmpty
    }

    /// Places that ever had an entry.
    var generationsSeen: Int { generations.count }

    /// Replicas that no Slot shows.
    var idleReplicas: Int {
        let shown = Set(slots.values.map(\.track))
        return tracks.values.count { $0.source.origin != nil && !shown.contains($0.track) }
    }

    /// Reads at most `limit` commands.
    func turn(limit: Int = .max) {
        var left = limit
        while left > 0, let command = mailbox.commands.pop() {
            left -= 1
            take(command)
        }
    }

    func tell(_ event: Event) {
        if !mailbox.events.push(event) { faults.append("events full") }
    }

    private func take(_ command: Command) {
        switch command {
        case .openSession(let opening):
            checkPlace(.sessions, opening.session.raw, capacity.sessions)
            sessions[opening.session] = opening
        case .restartICE(let restart):
            if check(sessions[restart.session] != nil, "restart of a stale session") {
                restarts[restart.session, default: []].append(restart)
            }
        case .configureSession(let session, let map):
            if check(sessions[session] != nil, "configure of a stale session") { extensions[session] = map }
        case .installKeys(let install):
            if check(sessions[install.session] != nil, "keys for a stale session") { keys[install.session] = install }
        case .closeSession(let session): close(session)
        case .openTrack(let opening): open(opening)
        case .closeTrack(let track): closeReplica(track)
        case .openSlot(let opening):
            checkPlace(.slots, opening.slot.raw, capacity.slots)
            check(sessions[opening.session] != nil, "slot of a stale session")
            slots[opening.slot] = SlotModel(opening: opening)
        case .mapSlot(let map): take(map)
        case .closeSlot: check(false, "slots close with their session")
        case .feed(let track, let replica):
            check(tracks[track].map { $0.source.origin == nil } ?? false, "feed from a stale track or a replica")
            check(replica.worker != number, "feed to itself")
            check(feeds[track, default: []].insert(replica).inserted, "fed twice")
            // The other worker may read on into a feed of ours, and we beyond this one: judged at the end.
            guard let other = catchUp(replica.worker) else { return }
            other.turn()
            check(other.knows(replica, of: track), "fed before its replica is open")
        case .openTap, .closeTap: check(false, "nobody reads taps")
        case .openTrunk(let remote): check(trunks.insert(remote).inserted, "a trunk is opened twice")
        case .closeTrunk(let remote): check(trunks.remove(remote) != nil, "close of a stale trunk")
        case .openLane(let opening): open(opening)
        case .changeLaneKey(let change): take(change)
        case .closeLane(let lane): close(lane)
        case .openCrossing(let opening): open(opening)
        case .closeCrossing(let crossing): close(crossing)
        case .unfeed(let track, let replica):
            check(feeds[track]?.remove(replica) != nil, "unfeed of what is not fed")
            if feeds[track]?.isEmpty == true { feeds[track] = nil }
        }
    }

    private func open(_ opening: OpenTrack) {
        checkPlace(.tracks, opening.track.raw, capacity.tracks)
        if let origin = opening.source.origin {
            check(origin.worker != number, "replica of a track of its own worker")
        } else if let lane = opening.source.lane {
            check(lanes[lane] != nil, "track of a stale lane")
            let name = opening.track.laneName
            check(names[lane, default: []].insert(name.raw).inserted, "a name is used twice under one key")
        } else {
            check(opening.source.session.flatMap { sessions[$0] } != nil, "track of a stale session")
        }
        check((1...3).contains(opening.layerCount), "a track has 1 to 3 layers")
        tracks[opening.track] = opening
    }

    /// A replica that was opened and already closed again is known too: the feed was sent while it was open.
    private func knows(_ replica: TrackHandle, of origin: TrackHandle) -> Bool {
        if let track = tracks[replica] { return track.source.origin == origin }
        return generations[Place(table: .tracks, index: replica.index)].map { $0 >= replica.generation } ?? false
    }

    private func take(_ map: MapSlot) {
        mapsRead += 1
        guard let slot = slots[map.slot], check(sessions[slot.opening.session] != nil, "map of an orphan") else {
            check(false, "map of a stale slot")
            return
        }
        if !map.track.isNone {
            check(map.track.worker == number, "map of another worker's track")
            check(tracks[map.track] != nil, "map of a stale track")
            check(tracks[map.track]?.kind == slot.opening.kind, "map of another kind")
            check(tracks[map.track]?.source != .session(slot.opening.session), "a participant sees itself")
            if let codec = tracks[map.track]?.codec {
                check(slot.opening.payloadTypes[codec].hasMedia, "codec not negotiated")
            }
        }
        slots[map.slot]?.track = map.track
        slots[map.slot]?.maxHeight = map.maxHeight
    }

    private func closeReplica(_ track: TrackHandle) {
        guard let opening = tracks[track] else {
            check(false, "close of a stale track")
            return
        }
        check(opening.source.session == nil, "a session's track closes with it")
        check(!crossings.values.contains { $0.track == track }, "closed while it is carried")
        tracks[track] = nil
        vacate(.tracks, track.index)
        if !isSilent { tell(.trackClosed(track)) }
    }

    private func close(_ session: SessionHandle) {
        guard check(sessions.removeValue(forKey: session) != nil, "close of a stale session") else { return }
        vacate(.sessions, session.index)
        extensions[session] = nil
        keys[session] = nil
        for (track, opening) in tracks where opening.source.session == session {
            check(feeds[track] == nil, "closed while it feeds a replica")
            check(!crossings.values.contains { $0.track == track }, "closed while it is carried")
            tracks[track] = nil
            vacate(.tracks, track.index)
            if reportsEverything { tell(.trackClosed(track)) }
        }
        for (slot, model) in slots where model.opening.session == session {
            slots[slot] = nil
            vacate(.slots, slot.index)
            if reportsEverything { tell(.slotClosed(slot)) }
        }
        if !isSilent { tell(.sessionClosed(session)) }
    }

    private func open(_ opening: OpenLane) {
        checkPlace(.lanes, opening.lane.raw, capacity.lanes)
        check(trunks.contains(opening.remote), "a lane to a stranger")
        check(opening.peer.part == LaneName.lanePart, "no lane's name")
        lanes[opening.lane] = opening
        laneKeys[opening.lane] = ([opening.receive.bytes], [opening.send.bytes])
        check(opening.receive.bytes != opening.send.bytes, "one key for both directions")
    }

    private func take(_ change: ChangeLaneKey) {
        guard check(lanes[change.lane] != nil, "key of a stale lane"), var keys = laneKeys[change.lane] else { return }
        let known = change.isSend ? keys.send : keys.receive
        check(!known.contains(change.key.bytes), "a key for a second time")
        check(known.last?.last != change.key.phase, "the same phase again")
        if change.isSend { keys.send.append(change.key.bytes) } else { keys.receive.append(change.key.bytes) }
        laneKeys[change.lane] = keys
        if !change.isSend { names[change.lane] = nil }
    }

    private func close(_ lane: LaneHandle) {
        guard check(lanes.removeValue(forKey: lane) != nil, "close of a stale lane") else { return }
        check(!tracks.values.contains { $0.source.lane == lane }, "closed with its tracks")
        check(!crossings.values.contains { $0.lane == lane }, "closed with its crossings")
        names[lane] = nil
        vacate(.lanes, lane.index)
        if !isSilent { tell(.laneClosed(lane)) }
    }

    private func open(_ opening: OpenCrossing) {
        checkPlace(.crossings, opening.crossing.raw, capacity.crossings)
        check(tracks[opening.track].map { $0.source.origin == nil } ?? false, "a stale track or a replica is carried")
        check(lanes[opening.lane] != nil, "carried over a stale lane")
        check(opening.name.part == 0, "no track's name")
        let isNew = !crossings.values.contains { $0.lane == opening.lane && $0.name == opening.name }
        check(isNew, "a name is used twice")
        crossings[opening.crossing] = opening
    }

    private func close(_ crossing: CrossingHandle) {
        guard check(crossings.removeValue(forKey: crossing) != nil, "close of a stale crossing") else { return }
        vacate(.crossings, crossing.index)
        if !isSilent { tell(.crossingClosed(crossing)) }
    }

    /// A place must be within the table, empty, of this worker, and under a generation never seen there.
    private func checkPlace(_ table: Place.Table, _ raw: UInt64, _ capacity: Int) {
        let handle = Handle<SessionKind>(raw: raw)
        let place = Place(table: table, index: handle.index)
        check(handle.worker == number, "\(table): place of another worker")
        check(handle.index < capacity, "\(table): place beyond the table")
        check(handle.generation > generations[place] ?? 0, "\(table): an old generation")
        check(taken.insert(place).inserted, "\(table): place taken")
        generations[place] = handle.generation
    }

    private func vacate(_ table: Place.Table, _ index: Int) { taken.remove(Place(table: table, index: index)) }

    @discardableResult
    private func check(_ holds: Bool, _ fault: String) -> Bool {
        if !holds { faults.append("worker \(number): \(fault)") }
        return holds
    }
}

extension LaneKey {
    /// Key, salt and phase.
    var bytes: [UInt8] {
        (0..<16).map { master.key[$0] } + (0..<12).map { master.salt[$0] } + [phase]
    }
}
