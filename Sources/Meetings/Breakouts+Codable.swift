/// Breakout rooms as PoPs of a fleet tell them to each other: checked, as nothing of it may grow without bounds.
extension Breakouts: Codable {
    private enum CodingKeys: String, CodingKey {
        case rooms, places, choose, voice, notice, notices
        case closesAt = "closes_at"
        case lastNumber = "last_number"
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let rooms = try fields.decode([BreakoutRoom].self, forKey: .rooms)
        let places = try fields.decode([BreakoutMove].self, forKey: .places)
        let lastNumber = try fields.decode(UInt32.self, forKey: .lastNumber)
        let notice = try fields.decodeIfPresent(Notice.self, forKey: .notice)
        let numbers = Set(rooms.map(\.id.number))
        guard rooms.count <= Self.mostRooms, numbers.count == rooms.count, places.count <= Self.mostPlaces,
            rooms.allSatisfy({ Self.isName($0.name) && $0.id.number <= lastNumber }),
            places.allSatisfy({ $0.room.map { numbers.contains($0.number) } ?? false }),
            notice.map(Self.isNotice) ?? true
        else { throw DecodingError.dataCorruptedError(forKey: .rooms, in: fields, debugDescription: "out of bounds") }
        try self.init(
            rooms: rooms, places: places, mayChoose: fields.decode(Bool.self, forKey: .choose),
            closesAt: fields.decodeIfPresent(Timestamp.self, forKey: .closesAt),
            voice: fields.decodeIfPresent(ParticipantID.self, forKey: .voice), notice: notice,
            notices: fields.decode(UInt32.self, forKey: .notices), lastNumber: lastNumber)
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(rooms, forKey: .rooms)
        let moves = places.map { BreakoutMove($0.key, to: $0.value) }
        try fields.encode(moves.sorted { $0.participant.rawValue < $1.participant.rawValue }, forKey: .places)
        try fields.encode(mayChoose, forKey: .choose)
        try fields.encodeIfPresent(closesAt, forKey: .closesAt)
        try fields.encodeIfPresent(voice, forKey: .voice)
        try fields.encodeIfPresent(notice, forKey: .notice)
        try fields.encode(notices, forKey: .notices)
        try fields.encode(lastNumber, forKey: .lastNumber)
    }

    static func isName(_ name: String) -> Bool {
        (try? Limits.line(name, field: "name", maximum: mostOfName)) == name
    }

    static func isNotice(_ notice: Notice) -> Bool {
        (try? Limits.line(notice.text, field: "text", maximum: mostOfNotice)) == notice.text
            && notice.senderName.utf8.count <= 256
    }
}

extension BreakoutRoomID: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let id = BreakoutRoomID(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a breakout room")
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

/// Of the fields one is there; of `voice` and `close` a word says it.
extension BreakoutChange: Codable {
    private enum CodingKeys: String, CodingKey {
        case open, move, voice, notice, close
        case closeAt = "close_at"
        case isSilent = "silent"
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        if let opening = try fields.decodeIfPresent(BreakoutOpening.self, forKey: .open) {
            self = .open(opening)
        } else if let moves = try fields.decodeIfPresent([BreakoutMove].self, forKey: .move) {
            self = .move(moves)
        } else if let host = try fields.decodeIfPresent(ParticipantID.self, forKey: .voice) {
            self = .voice(host)
        } else if try fields.decodeIfPresent(Bool.self, forKey: .isSilent) == true {
            self = .voice(nil)
        } else if let notice = try fields.decodeIfPresent(Breakouts.Notice.self, forKey: .notice) {
            self = .notice(notice)
        } else if let moment = try fields.decodeIfPresent(Timestamp.self, forKey: .closeAt) {
            self = .closeAt(moment)
        } else if try fields.decodeIfPresent(Bool.self, forKey: .close) == true {
            self = .close
        } else {
            throw DecodingError.dataCorruptedError(forKey: .open, in: fields, debugDescription: "no change")
        }
        guard isBounded else {
            throw DecodingError.dataCorruptedError(forKey: .open, in: fields, debugDescription: "out of bounds")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .open(let opening): try fields.encode(opening, forKey: .open)
        case .move(let moves): try fields.encode(moves, forKey: .move)
        case .voice(let host?): try fields.encode(host, forKey: .voice)
        case .voice(nil): try fields.encode(true, forKey: .isSilent)
        case .notice(let notice): try fields.encode(notice, forKey: .notice)
        case .closeAt(let moment): try fields.encode(moment, forKey: .closeAt)
        case .close: try fields.encode(true, forKey: .close)
        }
    }

    private var isBounded: Bool {
        switch self {
        case .open(let opening):
            (1...Breakouts.mostRooms).contains(opening.rooms.count)
                && opening.first < 1 << 24
                && opening.rooms.allSatisfy {
                    Breakouts.isName($0.name) && $0.participants.count <= Breakouts.mostPlaces
                }
        case .move(let moves): moves.count <= Breakouts.mostPlaces
        case .notice(let notice): Breakouts.isNotice(notice)
        case .voice, .closeAt, .close: true
        }
    }
}
