/// What a PoP must know of a meeting to let people in.
public struct MeetingRecord: Hashable, Sendable, Codable {
    public let id: MeetingID
    public let number: MeetingNumber
    /// The service user that made it.
    public let owner: String
    public let createdAt: Timestamp
    /// Whoever shows it becomes host.
    public let hostKey: String
    public var plan: MeetingPlan
    public var password: PasswordHash?

    public init(
        id: MeetingID, number: MeetingNumber, owner: String, createdAt: Timestamp, hostKey: String, plan: MeetingPlan,
        password: PasswordHash?
    ) {
        self.id = id
        self.number = number
        self.owner = owner
        self.createdAt = createdAt
        self.hostKey = hostKey
        self.plan = plan
        self.password = password
    }
}

/// A participant as another PoP tells of it.
public struct DistantParticipant: Hashable, Sendable {
    public let id: ParticipantID
    public let displayName: String
    public let role: Role
    public let media: MediaState
    /// It has lost its socket and may come back.
    public let isInterrupted: Bool
    public let joinedAt: Timestamp
    public let reaction: Reaction?

    public init(
        id: ParticipantID, displayName: String, role: Role, media: MediaState, isInterrupted: Bool,
        joinedAt: Timestamp, reaction: Reaction? = nil
    ) {
        self.id = id
        self.displayName = displayName
        self.role = role
        self.media = media
        self.isInterrupted = isInterrupted
        self.joinedAt = joinedAt
        self.reaction = reaction
    }
}
