/// The breakout rooms of a meeting, and who is where. A value that all PoPs of a meeting change in the same way.
public struct Breakouts: Hashable, Sendable {
    /// Rooms of one meeting.
    public static let mostRooms = 50
    /// People in them: more than any meeting has.
    public static let mostPlaces = 4_096
    /// Characters of a room's name, and of what a host tells all rooms.
    public static let mostOfName = 64
    public static let mostOfNotice = 500

    /// A host's word to everybody.
    public struct Notice: Hashable, Sendable, Codable {
        public let sender: ParticipantID
        public let senderName: String
        public let text: String

        public init(sender: ParticipantID, senderName: String, text: String) {
            self.sender = sender
            self.senderName = senderName
            self.text = text
        }
    }

    /// Empty: they are closed, and everybody is in the main room.
    public private(set) var rooms: [BreakoutRoom] = []
    /// Who is in a room; the others are in the main one.
    public private(set) var places: [ParticipantID: BreakoutRoomID] = [:]
    /// Whether people choose their room by themselves.
    public private(set) var mayChoose = false
    /// When they close by themselves.
    public private(set) var closesAt: Timestamp?
    /// The host whose microphone is heard in all rooms.
    public private(set) var voice: ParticipantID?
    /// What a host told everybody last, and how often one did.
    public private(set) var notice: Notice?
    public private(set) var notices: UInt32 = 0
    /// Of the room that was made last.
    public private(set) var lastNumber: UInt32 = 0

    public init() {}

    /// Closed.
    ///
    /// - Parameter lastNumber: of the room that was made last, before.
    public init(after lastNumber: UInt32) { self.lastNumber = lastNumber }

    /// As it was.
    init(
        rooms: [BreakoutRoom], places: [BreakoutMove], mayChoose: Bool, closesAt: Timestamp?, voice: ParticipantID?,
        notice: Notice?, notices: UInt32, lastNumber: UInt32
    ) {
        self.rooms = rooms
        for place in places { self.places[place.participant] = place.room }
        self.mayChoose = mayChoose
        self.closesAt = closesAt
        self.voice = voice
        self.notice = notice
        self.notices = notices
        self.lastNumber = lastNumber
    }

    public var isOpen: Bool { !rooms.isEmpty }

    public subscript(_ id: BreakoutRoomID) -> BreakoutRoom? { rooms.first { $0.id == id } }

    /// Why the change cannot be made; nil where it can.
    public func refusal(of change: BreakoutChange) -> MeetingError? {
        if case .open = change { return isOpen ? .breakoutOpen : nil }
        guard isOpen else { return .breakoutClosed }
        if case .move(let moves) = change, moves.contains(where: { $0.room.map { self[$0] == nil } ?? false }) {
            return .breakoutNotFound
        }
        return nil
    }

    /// Makes a change that was not refused.
    public mutating func apply(_ change: BreakoutChange) {
        guard refusal(of: change) == nil else { return }
        switch change {
        case .open(let opening): open(opening)
        case .move(let moves):
            for move in moves
            where move.room == nil || places[move.participant] != nil || places.count < Self.mostPlaces {
                places[move.participant] = move.room
            }
        case .voice(let host): voice = host
        case .notice(let notice):
            self.notice = notice
            notices &+= 1
        case .closeAt(let moment): closesAt = moment
        case .close: close()
        }
    }

    private mutating func open(_ opening: BreakoutOpening) {
        let first = lastNumber &+ max(1, opening.first)
        rooms = opening.rooms.prefix(Self.mostRooms).enumerated().map { index, room in
            BreakoutRoom(id: BreakoutRoomID(number: first &+ UInt32(index)), name: room.name)
        }
        for (room, plan) in zip(rooms, opening.rooms) {
            for participant in plan.participants where places.count < Self.mostPlaces {
                places[participant] = room.id
            }
        }
        lastNumber = rooms.last?.id.number ?? lastNumber
        mayChoose = opening.mayChoose
        closesAt = opening.closesAt
    }

    private mutating func close() {
        rooms = []
        places = [:]
        mayChoose = false
        closesAt = nil
        voice = nil
    }

    /// Somebody has left the meeting.
    public mutating func remove(_ participant: ParticipantID) {
        places[participant] = nil
        if voice == participant { voice = nil }
    }
}

/// What can be done with breakout rooms.
public enum BreakoutChange: Hashable, Sendable {
    case open(BreakoutOpening)
    case move([BreakoutMove])
    /// This host is heard in all rooms from now on; nil: nobody.
    case voice(ParticipantID?)
    case notice(Breakouts.Notice)
    case closeAt(Timestamp)
    case close
}

extension BreakoutChange {
    /// Who is sent somewhere.
    var people: [ParticipantID] {
        switch self {
        case .open(let opening): opening.rooms.flatMap(\.participants)
        case .move(let moves): moves.map(\.participant)
        case .voice, .notice, .closeAt, .close: []
        }
    }
}

/// Somebody goes to a room, or by nil to the main one.
public struct BreakoutMove: Hashable, Sendable, Codable {
    public let participant: ParticipantID
    public let room: BreakoutRoomID?

    public init(_ participant: ParticipantID, to room: BreakoutRoomID?) {
        self.participant = participant
        self.room = room
    }
}

/// Rooms as they are to be opened.
public struct BreakoutOpening: Hashable, Sendable, Codable {
    public struct Room: Hashable, Sendable, Codable {
        public var name: String
        public var participants: [ParticipantID]

        public init(name: String, participants: [ParticipantID] = []) {
            self.name = name
            self.participants = participants
        }
    }

    public var rooms: [Room]
    public var mayChoose: Bool
    public var closesAt: Timestamp?
    /// The number of the first room, beyond that of the last one that there was: from 1 on, and 0 is as good as 1.
    public var first: UInt32 = 0

    public init(rooms: [Room], mayChoose: Bool = false, closesAt: Timestamp? = nil) {
        self.rooms = rooms
        self.mayChoose = mayChoose
        self.closesAt = closesAt
    }
}
