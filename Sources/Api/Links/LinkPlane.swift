import Fleet
import Meetings

/// What the fleet's member asks of the links, whatever the meetings hold that they carry.
public protocol LinkPlane: Sendable {
    var reading: LinkReading { get async }
    /// The PoPs to have links to, instead of those before, and where they are reached.
    func want(_ peers: [PoPName: [LinkAddress]]) async
    /// What is to be renewed in the Registry: the meetings of which this PoP is Home.
    var leases: [Lease] { get async }
    /// The Registry says that another is Home.
    func leaseLost(_ meeting: MeetingID, to home: Home) async
}
