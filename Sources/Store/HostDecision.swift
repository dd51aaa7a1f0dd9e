import Meetings

/// A line of the audit trail: who decided what of a meeting, when, and from where.
public struct HostDecision: Hashable, Sendable {
    public enum Action: String, Sendable, CaseIterable {
        case create, change, lock, unlock, end
    }

    /// Who asked, and the address that the call came from.
    public struct Author: Hashable, Sendable {
        public enum Actor: Hashable, Sendable {
            /// The user for whom a service called.
            case service(user: String)
            case participant(ParticipantID)
        }

        public let actor: Actor
        public let address: String

        public init(_ actor: Actor, from address: String) {
            self.actor = actor
            self.address = address
        }
    }

    public let action: Action
    public let meeting: MeetingID
    public let author: Author
    public let at: Timestamp

    public init(_ action: Action, of meeting: MeetingID, by author: Author, at: Timestamp) {
        self.action = action
        self.meeting = meeting
        self.author = author
        self.at = at
    }
}
