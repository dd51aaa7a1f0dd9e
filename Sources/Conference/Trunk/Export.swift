import Fleet
import Mailbox

/// A Track that another PoP is carried, or will be as soon as it comes here itself.
struct Export {
    let source: SourceID
    /// The far end's names for the Lane and the Track.
    let lane: UInt32
    let name: UInt32
    /// A member's, or a remote one's at a relay.
    let track: TrackHandle
    /// Nil while it does not come here yet.
    var crossing: CrossingHandle?
    /// Asked for then, ns.
    let since: UInt64
}

/// Names an Export among those of all Trunks.
struct ExportID: Hashable, Comparable {
    let pop: PoPName
    let name: UInt32

    static func < (left: ExportID, right: ExportID) -> Bool { (left.pop, left.name) < (right.pop, right.name) }
}
