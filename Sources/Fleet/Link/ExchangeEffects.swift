import Meetings

/// What a PoP is to do, or may want to know, about its meetings.
public enum ExchangeEvent: Hashable, Sendable {
    /// The request of an own client was made, and this PoP's copy has it.
    case done(MeetingID, request: UInt64)
    case refused(MeetingID, request: UInt64, reason: String)
    /// The copy has changed, or at a Home its Branches have.
    case changed(MeetingID)
    /// Answer with `MeetingExchange.answer`.
    case search(HomeSearch)
    case leads(MeetingID, epoch: UInt64)
    /// A link to the PoP is needed.
    case follows(MeetingID, PoPName)
    /// A Home wants this PoP to be the meeting's standby; without a number no more.
    case standby(MeetingID, MeetingNumber?, PoPName)
    /// A peer says that the meeting was ended for all.
    case ended(MeetingID)
    /// The peer keeps to no limit: its link is to be ended.
    case flood(PoPName)
}

/// What peers sent that was not taken, and what was given up for limits.
public struct ExchangeCounters: Hashable, Sendable {
    /// From a PoP that is not the meeting's Home, or about a meeting that is not here.
    public var foreign = 0
    /// From an epoch of the past.
    public var past = 0
    public var duplicates = 0
    public var gaps = 0
    public var garbled = 0
    /// States that were sent in place of changes.
    public var states = 0
    /// States that fit into no frame.
    public var oversized = 0
    /// Times that this PoP was Home no more because another outranked it.
    public var stepsDown = 0
    /// Changes that were offered again after a merge.
    public var offered = 0

    public init() {}

    static func + (left: ExchangeCounters, right: ExchangeCounters) -> ExchangeCounters {
        var sum = left
        let fields: [WritableKeyPath<ExchangeCounters, Int>] = [
            \.foreign, \.past, \.duplicates, \.gaps, \.garbled, \.states, \.oversized, \.stepsDown, \.offered,
        ]
        for field in fields { sum[keyPath: field] += right[keyPath: field] }
        return sum
    }
}

/// What handling a message of one meeting leads to outside of it.
struct ExchangeEffects {
    var events: [ExchangeEvent] = []
    /// Peers for which the meeting may have something to send.
    var ready: Set<PoPName> = []
    /// All linked peers are told that this PoP is Home.
    var isAnnounced = false
    /// The peer is told alone.
    var told: PoPName?
}

/// What a meeting needs to know of its PoP.
struct ExchangeContext {
    let pop: PoPInstance
    let policy: LinkPolicy
    /// Which start of each linked peer.
    var linked: [PoPName: UInt64] = [:]
}
