import Conference
import Fleet
import Meetings

/// The hub's way to the fleet: what it asks is done in order, and what follows comes as `SharedNews`.
protocol SharedMeetings: Sendable {
    /// This PoP, since its start.
    var instance: PoPInstance { get }

    /// - Returns: false where too much waits for a request, which then is not made.
    @discardableResult
    func post(_ order: SharedOrder) -> Bool

    /// The sockets of other PoPs that take this PoP's participants when it is lost, the nearest first.
    var alternates: [String] { get }

    /// The socket of another PoP, where that takes participants.
    func socket(of pop: PoPName) -> String?

    /// PoPs that are linked to this one and take newcomers, the best first, as standbys of a meeting.
    func standbys(of meeting: MeetingID) -> [PoPName]

    /// Whether the PoP is being drained.
    func isLeaving(_ pop: PoPName) -> Bool

    /// Where PoPs are; one that the fleet does not know has no position.
    func sites(of pops: [PoPName]) -> [Site]
}

/// What the hub asks of the fleet.
enum SharedOrder: Sendable {
    /// A meeting was made here: this PoP is its Home.
    case begin(MeetingID, MeetingNumber, epoch: UInt64)
    /// Somebody wants to be in a meeting that is elsewhere.
    case open(MeetingID, MeetingNumber)
    /// Nobody here is in the meeting any more.
    case close(MeetingID)
    /// This PoP is the standby of a meeting of which the other is Home.
    case standBy(MeetingID, MeetingNumber, for: PoPName)
    /// Whether nobody is in a meeting that stays here.
    case setStandby(MeetingID, Bool)
    /// At a meeting's Home: the other PoP is to be its standby, or no more.
    case askStandby(PoPName, MeetingID, Bool)
    /// The meeting was ended for all.
    case noteEnd(MeetingID)
    /// `done` or `refused` follows with the tag.
    case request(SharedChange, MeetingID, tag: UInt64)
    /// For the media side: somebody elsewhere publishes this; nil: nobody there does any more.
    case remote(ParticipantID, MeetingID, RemotePublisher?)
    /// For the media side: the other PoPs of a meeting.
    case peers([PoPName], MeetingID)
}

/// What happened in the fleet, for the hub.
enum SharedNews: Sendable {
    /// The meeting as it is now, and at its Home the PoPs that are its Branches.
    case copy(MeetingID, SharedMeeting, isHome: Bool, branches: Set<PoPName>)
    /// A request was made, and the copy that has it came before.
    case done(tag: UInt64)
    /// The reason is a code of `MeetingError`, or unknown to this version.
    case refused(tag: UInt64, reason: String)
    /// A Home wants this PoP to be the meeting's standby; without a number no more.
    case standby(MeetingID, MeetingNumber?, PoPName)
    /// Another PoP says that the meeting was ended for all.
    case ended(MeetingID)
    /// The PoP is linked to this one, or no longer.
    case linked(PoPInstance)
    case unlinked(PoPName)
}

extension SharedMeetings {
    var pop: PoPName { instance.name }
}
