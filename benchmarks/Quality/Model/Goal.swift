/// What a case should reach, and what others reached on the same source and link.
public struct Goal: Sendable {
    public var utilisation: Double
    /// Milliseconds.
    public var queue95: Double?
    /// Percent.
    public var drops: Double?
    /// Jain's index.
    public var fairness: Double?
    /// Of the capacity, in every seed.
    public var share: ClosedRange<Double>?
    /// Mbit/s of every flow of media.
    public var leastShare: Double?
    /// Seconds, by the name of `Outcome.times`.
    public var times: [String: Double] = [:]
    /// Utilisation / queue p50 / p95, ms / drops, %, of: str0m 0.23.1, mediasoup 3.14.16, the GoogCC of Chrome 138, pion's
    /// interceptor; empty where they were not measured.
    public var peers: [String] = []

    public static let peerNames = ["str0m", "mediasoup", "GoogCC 138", "pion"]

    public static let all: [String: Goal] = [
        "5.1": Goal(
            utilisation: 0.93, queue95: 30, drops: 0.3, times: ["to 90% after 40 s": 1.5],
            peers: [".94/18/88/1.5", ".81/6/40/.9", ".71/5/129/.9", ".81/3/51/.4"]),
        "5.2": Goal(
            utilisation: 0.93, queue95: 35, peers: [".95/16/168/1.5", ".84/6/37/.5", ".85/6/181/.7", ".77/6/250/.5"]),
        "5.3": Goal(utilisation: 0.85, leastShare: 0.1),
        "5.4": Goal(
            utilisation: 0.94, queue95: 30, fairness: 0.97,
            peers: [".96/18/85/.1", ".85/4/38/.1", ".93/5/34/0", ".81/28/198/0"]),
        "5.5": Goal(
            utilisation: 0.95, queue95: 28, fairness: 0.97,
            peers: [".98/37/137/0", ".92/1/28/0", ".94/2/31/0", ".94/105/294/.8"]),
        "5.6": Goal(
            utilisation: 0.35, share: 0.35...0.65,
            peers: [".30/258/290/1.3", ".12/277/292/2.4", ".15/276/294/2.3", ".62/268/291/2.0"]),
        "5.7": Goal(utilisation: 0.85, leastShare: 0.1),
        "5.8": Goal(
            utilisation: 0.95, queue95: 30, times: ["resumed flow at half its share": 1.0],
            peers: [".96/12/75/0", ".89/4/32/0", ".90/4/35/0", ".92/73/293/1.1"]),
        "a": Goal(
            utilisation: 0.94, queue95: 25, times: ["to 90% of 12 Mbit/s": 0.9],
            peers: [".95/14/45/0", ".86/8/16/0", ".90/8/17/0", ".31/0/1/0"]),
        "b": Goal(
            utilisation: 0.92, queue95: 30, times: ["queue < 100 ms": 2, "back to 90%": 2],
            peers: [".93/18/78/.9", ".69/6/25/.9", ".77/8/33/1.1", ".56/1/18/.4"]),
        "c": Goal(
            utilisation: 0.8, queue95: 30, peers: [".78/10/57/0", ".29/0/4/0", ".47/2/96/0", ".04/0/0/0"]),
        "d": Goal(
            utilisation: 0.93, queue95: 30, peers: [".93/16/72/0", ".73/6/17/0", ".70/8/195/.2", ".57/1/6/0"]),
        "e": Goal(
            utilisation: 0.9, queue95: 150, drops: 0.5,
            peers: [".99/863/893/34", ".91/0/340/1.1", ".89/0/300/1.3", "1.0/830/891/14"]),
        "f1": Goal(
            utilisation: 0.92, queue95: 30, peers: [".91/17/95/0", ".90/8/32/0", ".84/8/33/0", ".63/5/70/0"]),
        "f2": Goal(
            utilisation: 0.94, queue95: 30, peers: [".96/17/74/0", ".80/8/35/0", ".93/10/34/0", ".60/1/7/0"]),
        "g": Goal(
            utilisation: 0.98, times: ["0.3 to 2.5 Mbit/s": 1.0],
            peers: [".94/5/13/0", ".78/3/13/0", ".92/4/13/0", ".88/3/12/0"]),
        "h": Goal(
            utilisation: 0.78, times: ["top layer at the start": 0.9, "top layer after the drop": 2],
            peers: [".41/3/13/1.0", ".71/5/13/.6", ".41/4/79/.9", ".19/0/3/0"]),
        "5.1 deep": Goal(utilisation: 0.85),
    ]
}
