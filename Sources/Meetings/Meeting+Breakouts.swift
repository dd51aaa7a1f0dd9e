/// Breakout rooms as somebody with the host controls wants them.
public struct BreakoutDraft: Sendable, Hashable {
    /// Their names, and who is to be in them; who is not here is passed over, and who is named twice is in the first.
    public var rooms: [BreakoutOpening.Room]
    /// All others without host controls are spread over the rooms.
    public var isEven: Bool
    public var mayChoose: Bool
    /// Seconds after which they close by themselves; nil: they stay.
    public var duration: Int?

    public init(rooms: [BreakoutOpening.Room], isEven: Bool = false, mayChoose: Bool = false, duration: Int? = nil) {
        self.rooms = rooms
        self.isEven = isEven
        self.mayChoose = mayChoose
        self.duration = duration
    }

    /// Seconds.
    static let durations = 60...86_400
}

/// Who may do what with breakout rooms.
extension Meeting {
    /// The room that somebody is in; nil: the main room.
    public func room(of id: ParticipantID) -> BreakoutRoomID? { breakouts.places[id] }

    /// Rooms as they are opened, with everybody in its place.
    ///
    /// - Parameter streams: people without a client of ours, who stay where they are unless they are named.
    /// - Throws: `invalid` out of bounds; `noBreakouts` of a webinar.
    public func opening(
        _ draft: BreakoutDraft, but streams: Set<ParticipantID> = [], at now: Timestamp
    ) throws(MeetingError) -> BreakoutOpening {
        guard !plan.settings.webinar else { throw .noBreakouts }
        guard (1...Breakouts.mostRooms).contains(draft.rooms.count) else {
            throw .invalid(field: "rooms", reason: "from 1 to \(Breakouts.mostRooms)")
        }
        if let duration = draft.duration, !BreakoutDraft.durations.contains(duration) {
            throw .invalid(field: "duration_s", reason: "from 60 to 86400")
        }
        var rooms: [BreakoutOpening.Room] = []
        var placed: Set<ParticipantID> = []
        for room in draft.rooms {
            let name = try Limits.line(room.name, field: "rooms.name", maximum: Breakouts.mostOfName)
            let people = room.participants.filter { id in
                participants[id]?.presence.isVisible == true && placed.insert(id).inserted
            }
            rooms.append(BreakoutOpening.Room(name: name, participants: people))
        }
        if draft.isEven {
            placed.formUnion(streams)
            for person in roster where !person.role.controls && !placed.contains(person.id) {
                let smallest = rooms.indices.min { rooms[$0].participants.count < rooms[$1].participants.count }
                rooms[smallest ?? 0].participants.append(person.id)
            }
        }
        return BreakoutOpening(
            rooms: rooms, mayChoose: draft.mayChoose, closesAt: draft.duration.map { now + .seconds($0) })
    }

    /// - Throws: `participantNotFound`, `forbidden` without the host controls, but of one who goes to another room where people
    ///   choose by themselves, and of a co-host who sends a host; `breakoutChoiceForbidden` where they do not;
    ///   `breakoutOpen`, `breakoutClosed`, `breakoutNotFound`.
    public func check(_ change: BreakoutChange, by actor: ParticipantID) throws(MeetingError) {
        guard let person = participants[actor] else { throw .participantNotFound }
        if !person.role.controls {
            guard case .move(let moves) = change, moves.count == 1, moves[0].participant == actor else {
                throw .forbidden
            }
            if breakouts.isOpen, !breakouts.mayChoose { throw .breakoutChoiceForbidden }
        }
        guard person.role == .host || !change.people.contains(where: { $0 != actor && participants[$0]?.role == .host })
        else { throw .forbidden }
        if let refusal = breakouts.refusal(of: change) { throw refusal }
    }

    /// Those of the moves that say something of people who are here.
    ///
    /// - Throws: `participantNotFound` where there are none.
    public func known(_ moves: [BreakoutMove]) throws(MeetingError) -> [BreakoutMove] {
        let known = moves.filter { participants[$0.participant]?.presence.isVisible == true }
        guard !known.isEmpty else { throw .participantNotFound }
        return known
    }

    /// What is to change by itself; nil: nothing.
    public func dueBreakoutChange(at now: Timestamp) -> BreakoutChange? {
        if let closesAt = breakouts.closesAt, closesAt <= now { return .close }
        if let voice = breakouts.voice, participants[voice]?.role.controls != true { return .voice(nil) }
        return nil
    }

    /// Whether somebody shares a screen whom the participant would see.
    func screenIsTaken(beside id: ParticipantID) -> Bool {
        participants.values.contains { $0.id != id && $0.media.screen && room(of: $0.id) == room(of: id) }
    }
}
