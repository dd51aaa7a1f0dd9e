/// The constants of placement. The documentation's page Fleet has them too, with their reasons.
public enum PlacementPolicy {
    /// Seconds without a report after which a PoP counts as gone: three reports of 5 s missed.
    static let silence = 15.0

    /// Share of its capacity up to which a PoP costs nothing but distance.
    static let priceKnee = 0.9
    /// What a full PoP costs, ms of round trip: about another continent.
    static let priceTop = 100.0
    /// Fourth power between knee and top: 6 ms at 95% of the capacity, 41 ms at 98%. A PoP fills up before people are sent far.
    static func price(utilisation: Double) -> Double {
        let excess = (utilisation - priceKnee) / (1 - priceKnee)
        if excess <= 0 { return 0 }
        let square = min(excess, 1) * min(excess, 1)
        return priceTop * square * square
    }

    /// What it is worth, in ms, that the meeting already has people there: a Lane less. Well below 30 ms of distance.
    static let meetingWorth = 10.0
    /// A newcomer stays at the PoP that it reached unless another is better by this, ms: a redirect costs it a new connection.
    static let redirectGain = 10.0
    /// A client that this many PoPs sent on is not sent on again.
    public static let mostRedirects = 4
    /// Who cannot be served by its own PoP is spread over those that cost at most this much more than the best...
    static let spreadShare = 0.25
    /// ... or this, ms: a snapshot is some seconds old, and all others read the same one.
    static let spreadFloor = 1.0
    /// As many are compared at most, and named as target and alternates.
    static let shortlist = 4

    /// Above this share of its capacity a PoP moves people away: it turns newcomers away before, so it has lost capacity ...
    static let reliefStart = 1.0
    /// ... until it is down to this one.
    static let reliefStop = 0.95
    /// Nobody is moved to where it would bring the load above this: below the knee, so that no newcomer is turned away for it.
    static let reliefLimit = 0.8
    /// The same for the people of a draining PoP, who must go somewhere; below `reliefStart`, so they stay.
    static let drainLimit = 0.95
    /// Share of its capacity that a PoP moves away in a step while it is drained or above its capacity: a drained one is empty
    /// after 20 steps. A step is an interval of reports (5 s): the next sees what came of it.
    static let urgentBudget = 0.05
    /// The same once a relieved PoP is below its capacity again.
    static let reliefBudget = 0.01
    /// Who was moved is not moved for load again within these seconds.
    static let reliefRest = 600.0

    /// More people than one machine can serve (their sound alone would be 5 million packets/s): a PoP that reports more lies.
    static let mostCapacity = 100_000.0
}
