import Conference
import Fleet
import Meetings

/// A participant as all PoPs of its meeting know it. Its own PoP says it, the whole of it each time.
struct SharedParticipant: Equatable, Sendable {
    var id: ParticipantID
    var displayName: String
    var role: Role
    var media: MediaState
    /// Where it is.
    var pop: PoPName
    /// Which start of that PoP: another knows nothing of it.
    var instance: UInt64
    /// How often it has moved to another PoP: what its former PoP says of it is passed over.
    var moves: UInt32
    /// Its socket is lost.
    var isInterrupted: Bool
    var joinedAt: Timestamp
    /// SHA-256 of its resume token, by which it comes back at any PoP; empty: it does not come back elsewhere.
    var resume: [UInt8]
    /// What its session with its PoP sends; nil without one.
    var publication: Publication?
    /// What it showed the others last.
    var reaction: Reaction?
    /// Its place in the order of joining of the whole meeting; the meeting gives it.
    var arrival: UInt64 = 0
    /// What hosts have had happen to it; the meeting keeps them.
    var orders = HostOrders()

    /// The process that has it.
    var place: PoPInstance { PoPInstance(name: pop, instance: instance) }

    /// Without what the meeting gives it: as its PoP says it.
    var asSaid: SharedParticipant {
        var said = self
        said.arrival = 0
        said.orders = HostOrders()
        return said
    }

    /// As another PoP's meeting takes it.
    var distant: DistantParticipant {
        DistantParticipant(
            id: id, displayName: displayName, role: role, media: media, isInterrupted: isInterrupted,
            joinedAt: joinedAt, reaction: reaction)
    }

    /// What it sends of what it publishes.
    var published: PublishedMedia {
        PublishedMedia(
            audio: media.audio, video: media.video, screen: media.screen, isSilenced: media.mutedByHost)
    }
}

extension SharedParticipant: Codable {
    enum CodingKeys: String, CodingKey {
        case id, role, media, pop, instance, moves, resume, publication, reaction, arrival, orders
        case displayName = "display_name"
        case isInterrupted = "interrupted"
        case joinedAt = "joined_at"
    }

    /// - Throws: `DecodingError` also for what no PoP would say.
    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        id = try fields.decode(ParticipantID.self, forKey: .id)
        displayName = try fields.decode(String.self, forKey: .displayName)
        role = try fields.decode(Role.self, forKey: .role)
        media = try fields.decode(MediaState.self, forKey: .media)
        guard let pop = PoPName(try fields.decode(String.self, forKey: .pop)) else {
            throw DecodingError.dataCorruptedError(forKey: .pop, in: fields, debugDescription: "not a name")
        }
        self.pop = pop
        instance = try fields.decode(UInt64.self, forKey: .instance)
        moves = try fields.decode(UInt32.self, forKey: .moves)
        isInterrupted = try fields.decode(Bool.self, forKey: .isInterrupted)
        joinedAt = try fields.decode(Timestamp.self, forKey: .joinedAt)
        resume = try fields.decode([UInt8].self, forKey: .resume)
        publication = try fields.decodeIfPresent(Publication.self, forKey: .publication)
        reaction = try fields.decodeIfPresent(Reaction.self, forKey: .reaction)
        arrival = try fields.decode(UInt64.self, forKey: .arrival)
        orders = try fields.decodeIfPresent(HostOrders.self, forKey: .orders) ?? HostOrders()
        let name = try? Meeting.name(of: JoinRequest(displayName: displayName), within: Limits())
        guard name == displayName, resume.count <= 64, arrival < 1 << 48 else {
            throw DecodingError.dataCorruptedError(forKey: .displayName, in: fields, debugDescription: "out of bounds")
        }
    }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(id, forKey: .id)
        try fields.encode(displayName, forKey: .displayName)
        try fields.encode(role, forKey: .role)
        try fields.encode(media, forKey: .media)
        try fields.encode(pop.rawValue, forKey: .pop)
        try fields.encode(instance, forKey: .instance)
        try fields.encode(moves, forKey: .moves)
        try fields.encode(isInterrupted, forKey: .isInterrupted)
        try fields.encode(joinedAt, forKey: .joinedAt)
        try fields.encode(resume, forKey: .resume)
        try fields.encodeIfPresent(publication, forKey: .publication)
        try fields.encodeIfPresent(reaction, forKey: .reaction)
        try fields.encode(arrival, forKey: .arrival)
        if orders != HostOrders() { try fields.encode(orders, forKey: .orders) }
    }
}
