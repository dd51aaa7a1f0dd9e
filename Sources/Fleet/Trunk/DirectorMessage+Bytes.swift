import Meetings

/// The type in one byte, then the fields as in a link's messages. What a newer version adds behind them is passed over.
extension DirectorMessage {
    private enum Kind: UInt8 {
        case hello = 1
        case holds, openLane, laneOpened, laneRefused, closeLane, carry, carried, refused, release, changeKey,
            keyChanged
        case levels
    }

    /// The names in one list.
    public static let mostNames = 8_000

    public var bytes: [UInt8] {
        var writer = LinkWriter()
        write(to: &writer)
        return writer.bytes
    }

    private func write(to writer: inout LinkWriter) {
        switch self {
        case .hello(let hello):
            writer.begin(Kind.hello.rawValue, hello.instance)
            writer.put(hello.workers)
            writer.put(hello.occasion.rawValue)
        case .holds(let lanes, let tracks):
            writer.put(Kind.holds.rawValue)
            writer.put(names: lanes)
            writer.put(names: tracks)
        case .openLane(let request):
            writer.begin(Kind.openLane.rawValue, request.lane)
            writer.put(request.worker)
            writer.put(UInt8(request.isV6 ? 6 : 4))
            writer.put(request.secret)
        case .laneOpened(let lane, let offer):
            writer.begin(Kind.laneOpened.rawValue, lane)
            writer.put(offer.name)
            writer.put(offer.secret)
        case .laneRefused(let lane, let refusal):
            writer.begin(Kind.laneRefused.rawValue, lane)
            writer.put(refusal)
        case .closeLane(let lane): writer.begin(Kind.closeLane.rawValue, lane)
        case .carry(let request):
            writer.begin(Kind.carry.rawValue, request.lane)
            writer.put(request)
        case .carried(let track): writer.begin(Kind.carried.rawValue, track)
        case .refused(let track, let refusal):
            writer.begin(Kind.refused.rawValue, track)
            writer.put(refusal)
        case .release(let track): writer.begin(Kind.release.rawValue, track)
        case .changeKey(let lane, let isOurs, let secret):
            writer.begin(Kind.changeKey.rawValue, lane)
            writer.put(UInt8(isOurs ? 1 : 0))
            writer.put(secret)
        case .keyChanged(let lane, let isOurs, let phase):
            writer.begin(Kind.keyChanged.rawValue, lane)
            writer.put(UInt8(isOurs ? 1 : 0))
            writer.put(phase)
        case .levels(let meeting, let levels):
            writer.put(Kind.levels.rawValue)
            writer.put(meeting.rawValue)
            writer.put(levels: levels)
        }
    }

    /// Reads one; nil for a type that only a newer version knows.
    public static func read(_ bytes: [UInt8]) throws(LinkFailure) -> DirectorMessage? {
        guard bytes.count <= 65_536 else { throw .malformed("a message of \(bytes.count) bytes") }
        var reader = LinkReader(bytes)
        guard let kind = Kind(rawValue: try reader.integer(UInt8.self)) else { return nil }
        return try read(kind, &reader)
    }

    private static func read(_ kind: Kind, _ reader: inout LinkReader) throws(LinkFailure) -> DirectorMessage {
        switch kind {
        case .hello: return .hello(try reader.hello())
        case .holds: return .holds(lanes: try reader.names(), tracks: try reader.names())
        case .openLane:
            return .openLane(
                LaneRequest(
                    lane: try reader.integer(), worker: try reader.integer(), isV6: try reader.isV6(),
                    secret: try reader.secret()))
        case .laneOpened:
            return .laneOpened(
                lane: try reader.integer(), LaneOffer(name: try reader.integer(), secret: try reader.secret()))
        case .laneRefused: return .laneRefused(lane: try reader.integer(), try reader.refusal())
        case .closeLane: return .closeLane(try reader.integer())
        case .carry: return .carry(try reader.carryRequest())
        case .carried: return .carried(try reader.integer())
        case .refused: return .refused(track: try reader.integer(), try reader.refusal())
        case .release: return .release(try reader.integer())
        case .changeKey:
            return .changeKey(lane: try reader.integer(), isOurs: try reader.bool(), try reader.secret())
        case .keyChanged:
            return .keyChanged(lane: try reader.integer(), isOurs: try reader.bool(), phase: try reader.phase())
        case .levels: return .levels(try reader.meeting(), try reader.levels())
        }
    }
}

extension LinkWriter {
    fileprivate mutating func begin<Value: FixedWidthInteger>(_ kind: UInt8, _ first: Value) {
        put(kind)
        put(first)
    }

    fileprivate mutating func put(names: [UInt32]) {
        let names = names.prefix(DirectorMessage.mostNames)
        put(UInt16(names.count))
        for name in names { put(name) }
    }

    fileprivate mutating func put(_ secret: LaneSecret) {
        put(secret.phase)
        put(raw: secret.key)
        put(raw: secret.salt)
    }

    fileprivate mutating func put(_ refusal: CarryRefusal) {
        switch refusal {
        case .gone: put(UInt8(0))
        case .full: put(UInt8(1))
        case .elsewhere(let worker):
            put(UInt8(2))
            put(worker)
        }
    }

    /// All but the Lane.
    fileprivate mutating func put(_ request: CarryRequest) {
        put(request.track)
        put(request.meeting.rawValue)
        put(request.participant.rawValue)
        put(request.role)
        put(request.publication)
    }

    fileprivate mutating func put(levels: [SoundLevel]) {
        let levels = levels.prefix(SoundLevel.limit)
        put(UInt8(levels.count))
        for level in levels {
            put(level.participant.rawValue)
            put(level.role)
            put(level.level)
        }
    }
}

extension LinkReader {
    fileprivate mutating func bool() throws(LinkFailure) -> Bool {
        let byte = try integer(UInt8.self)
        guard byte <= 1 else { throw .malformed("neither yes nor no") }
        return byte == 1
    }

    fileprivate mutating func hello() throws(LinkFailure) -> DirectorHello {
        let (instance, workers) = (try integer(UInt64.self), try integer(UInt8.self))
        guard workers > 0, let occasion = DirectorHello.Occasion(rawValue: try integer()) else {
            throw .malformed("no hello")
        }
        return DirectorHello(occasion, instance: instance, workers: workers)
    }

    fileprivate mutating func isV6() throws(LinkFailure) -> Bool {
        let version = try integer(UInt8.self)
        guard version == 4 || version == 6 else { throw .malformed("IP version \(version)") }
        return version == 6
    }

    fileprivate mutating func phase() throws(LinkFailure) -> UInt8 {
        let phase = try integer(UInt8.self)
        guard phase <= 1 else { throw .malformed("phase \(phase)") }
        return phase
    }

    fileprivate mutating func role() throws(LinkFailure) -> UInt8 {
        let role = try integer(UInt8.self)
        guard role <= 3 else { throw .malformed("role \(role)") }
        return role
    }

    fileprivate mutating func participant() throws(LinkFailure) -> ParticipantID {
        guard let participant = ParticipantID(try text()) else { throw .malformed("no participant's id") }
        return participant
    }

    fileprivate mutating func secret() throws(LinkFailure) -> LaneSecret {
        let phase = try phase()
        let (key, salt) = (try raw(LaneSecret.keyLength), try raw(LaneSecret.saltLength))
        guard let secret = LaneSecret(key: key, salt: salt, phase: phase) else { throw .malformed("no key") }
        return secret
    }

    private mutating func raw(_ count: Int) throws(LinkFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<count { bytes.append(try integer()) }
        return bytes
    }

    fileprivate mutating func names() throws(LinkFailure) -> [UInt32] {
        let count = Int(try integer(UInt16.self))
        guard count <= DirectorMessage.mostNames else { throw .malformed("\(count) names") }
        var names: [UInt32] = []
        for _ in 0..<count { names.append(try integer()) }
        return names
    }

    fileprivate mutating func refusal() throws(LinkFailure) -> CarryRefusal {
        switch try integer(UInt8.self) {
        case 0: return .gone
        case 1: return .full
        case 2: return .elsewhere(worker: try integer())
        default: throw .malformed("an unknown reason")
        }
    }

    fileprivate mutating func carryRequest() throws(LinkFailure) -> CarryRequest {
        CarryRequest(
            lane: try integer(), track: try integer(), meeting: try meeting(), participant: try participant(),
            role: try role(), publication: try integer())
    }

    fileprivate mutating func levels() throws(LinkFailure) -> [SoundLevel] {
        let count = Int(try integer(UInt8.self))
        guard count <= SoundLevel.limit else { throw .malformed("\(count) levels") }
        var levels: [SoundLevel] = []
        for _ in 0..<count {
            let level = SoundLevel(participant: try participant(), role: try role(), level: try integer())
            guard level.level <= 127 else { throw .malformed("level \(level.level)") }
            levels.append(level)
        }
        return levels
    }
}
