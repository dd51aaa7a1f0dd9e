/// What somebody with the host controls has happen to others.
public enum HostOrder: Sendable, Hashable {
    /// What can be silenced of somebody.
    public enum Source: String, Sendable, Codable, CaseIterable {
        case audio, video, screen
    }

    /// It is taken out, and does not come back to its place.
    case remove(ParticipantID)
    case mute(ParticipantID, Source)
    /// The microphones of all who have no host controls.
    case muteAll
    /// It is asked to open its microphone, and may then, where the others may not.
    case askUnmute(ParticipantID, by: ParticipantID)
    case setRole(ParticipantID, Role)

    /// To whom it happens; nil for all.
    public var target: ParticipantID? {
        switch self {
        case .remove(let target), .mute(let target, _), .askUnmute(let target, _), .setRole(let target, _): target
        case .muteAll: nil
        }
    }
}
