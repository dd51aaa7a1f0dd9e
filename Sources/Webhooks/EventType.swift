/// What is told of meetings.
public enum EventType: String, Sendable, CaseIterable {
    case meetingCreated = "meeting.created"
    case meetingUpdated = "meeting.updated"
    /// Somebody is in a meeting in which nobody was.
    case meetingStarted = "meeting.started"
    case meetingEnded = "meeting.ended"
    case participantJoined = "participant.joined"
    case participantLeft = "participant.left"
    case participantRoleChanged = "participant.role_changed"
    /// A line of the audit trail.
    case hostDecision = "host.decision"
    case pollClosed = "poll.closed"
    /// What people write to everybody; never unless it is asked for by name.
    case chatMessage = "chat.message"

    /// What an endpoint is told that names none.
    public static let usual = Set(allCases).subtracting([.chatMessage])
}
