import Fleet
import Mailbox
import Meetings

/// All that the director knows of other PoPs.
struct TrunkTable {
    /// Which Lane a handle is.
    struct LaneID: Hashable {
        let pop: PoPName
        let name: UInt32
        let isInbound: Bool
    }

    var trunks: [PoPName: Trunk] = [:]
    var lanes: [LaneHandle: LaneID] = [:]
    var remotes: [ParticipantID: RemoteMember] = [:]
    var imports: [TrackHandle: Import] = [:]
    /// Who is carried a Track.
    private var exports: [TrackHandle: Set<ExportID>] = [:]
    var setbacks: [SourceID: Setback] = [:]
    /// The other PoPs of each meeting.
    var peers: [MeetingID: [PoPName]] = [:]
    /// What our people's sounds were since they were told last, -dBov.
    var levels: [MeetingID: [SourceID: UInt8]] = [:]
    /// What other directors are told.
    let outbox = TrunkOutbox()

    var names: [PoPName] { trunks.keys.sorted() }
    /// The remote members, in an order that does not depend on hashing.
    var people: [ParticipantID] { remotes.keys.sorted { $0.rawValue < $1.rawValue } }

    /// Whether the Track's worker does not have it yet.
    func isPending(_ track: TrackHandle) -> Bool { imports[track]?.isOpen == false }

    // MARK: users of what is taken

    mutating func use(_ track: TrackHandle) { imports[track]?.users += 1 }

    mutating func leave(_ track: TrackHandle, now: UInt64) {
        guard let users = imports[track]?.users else { return }
        imports[track]?.users = max(0, users - 1)
        if users <= 1 { imports[track]?.idleSince = now }
    }

    // MARK: what is carried

    /// By whom, in an order that does not depend on hashing.
    func exports(of track: TrackHandle) -> [ExportID] { (exports[track] ?? []).sorted() }

    mutating func insert(_ export: Export, for pop: PoPName) {
        trunks[pop]?.exports[export.name] = export
        trunks[pop]?.outbound[export.lane]?.exports.insert(export.name)
        exports[export.track, default: []].insert(ExportID(pop: pop, name: export.name))
        use(export.track)
    }

    mutating func remove(_ id: ExportID, now: UInt64) -> Export? {
        guard let export = trunks[id.pop]?.exports.removeValue(forKey: id.name) else { return nil }
        trunks[id.pop]?.outbound[export.lane]?.exports.remove(id.name)
        exports[export.track]?.remove(id)
        if exports[export.track]?.isEmpty == true { exports[export.track] = nil }
        leave(export.track, now: now)
        return export
    }

    /// Changes what is kept of a Lane's end.
    mutating func change(_ lane: LaneHandle, _ body: (inout LaneEnd) -> Void) {
        guard let id = lanes[lane] else { return }
        if id.isInbound {
            trunks[id.pop]?.inbound[id.name]?.end.change(body)
        } else {
            trunks[id.pop]?.outbound[id.name]?.end.change(body)
        }
    }

    /// Nothing is kept of anybody, nor carried for anybody.
    var isIdle: Bool {
        lanes.isEmpty && remotes.isEmpty && imports.isEmpty && exports.isEmpty && setbacks.isEmpty && levels.isEmpty
            && trunks.values.allSatisfy { $0.imports.isEmpty && $0.exports.isEmpty && $0.pairs.isEmpty }
    }
}

/// Messages for other PoPs' directors. With a full queue a message is lost, and its PoP is said hello anew.
struct TrunkOutbox {
    /// Messages that wait for the reader: what 16 peers are told when all links open at once.
    static let depth = 4_096

    /// For one reader.
    let stream: AsyncStream<TrunkMessage>
    let writer: AsyncStream<TrunkMessage>.Continuation

    init() { (stream, writer) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.depth)) }

    /// False when it is lost.
    func send(_ message: DirectorMessage, to pop: PoPName) -> Bool {
        if case .enqueued = writer.yield(TrunkMessage(pop: pop, bytes: message.bytes)) { true } else { false }
    }
}
