import Fleet
import Meetings

/// What a PoP's hub keeps of a meeting that it shares with other PoPs.
///
/// Owned by the hub.
final class MeetingShare {
    let id: MeetingID
    /// The meeting as this PoP's participants were told of it.
    var copy = SharedMeeting()
    var isHome = false
    /// At its Home: the other PoPs that follow.
    var branches: Set<PoPName> = []
    /// Since when PoPs at which somebody is by the copy are not heard of.
    var unheard: [PoPInstance: Timestamp] = [:]
    /// At its Home: the PoP that was asked to have a copy without people, which start of it, and when.
    var standby: (pop: PoPName, instance: UInt64?, asked: Timestamp)?
    /// PoPs that did not follow when they were asked, and when.
    var unwilling: [PoPName: Timestamp] = [:]
    /// Branches without people that were told that they need not be standbys, and when.
    var released: [PoPName: Timestamp] = [:]
    /// At another PoP: the Home that wants this one to be its standby.
    var standbyOf: PoPName?
    /// Nobody here is in it, and the media side knows nothing of it.
    var isQuiet = false
    /// At a standby: since when there is no link to the Home.
    var homeless: Timestamp?
    /// The sockets of other PoPs that this PoP's participants were told last.
    var alternates: [String]?
    /// What this PoP said last of its participants.
    var said: [ParticipantID: SharedParticipant] = [:]
    /// Of them, how many requests are on their way.
    var asked: [ParticipantID: Int] = [:]
    /// Those elsewhere as entries of lists, JSON; absent when they changed since.
    var entries: [ParticipantID: [UInt8]] = [:]
    /// Since when nobody here is in it; nil while somebody is.
    var unusedSince: Timestamp?

    init(_ id: MeetingID) { self.id = id }
}
