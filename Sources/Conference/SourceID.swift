import Meetings
import Wire

/// What a participant publishes, each at most once.
enum SourceRole: UInt8, CaseIterable {
    case microphone
    /// A second sound, such as that of a shared tab.
    case sound
    case camera, screen

    /// What it is on the wire.
    var kind: MediaKind {
        switch self {
        case .microphone, .sound: .audio
        case .camera: .video
        case .screen: .screen
        }
    }

    /// The roles of a kind, the first published takes the first.
    static func roles(of kind: MediaKind) -> [SourceRole] { allCases.filter { $0.kind == kind } }
}

/// A source among all of a meeting.
struct SourceID: Hashable, Comparable {
    let participant: ParticipantID
    let role: SourceRole

    init(_ participant: ParticipantID, _ role: SourceRole) {
        self.participant = participant
        self.role = role
    }

    static func < (left: SourceID, right: SourceID) -> Bool {
        (left.participant.rawValue, left.role.rawValue) < (right.participant.rawValue, right.role.rawValue)
    }
}
