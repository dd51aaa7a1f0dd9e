import Meetings

/// Names a meeting's Home where the fleet is a fixed list of peers without a Registry: rendezvous hashing (Thaler and
/// Ravishankar, 1998). Every PoP with the same list names the same one, and where a PoP is gone only its meetings move.
///
/// There is no lease and no epoch here: PoPs that do not agree on who is alive name different Homes.
public enum RendezvousHash {
    /// Nil where there are no PoPs.
    public static func home(of meeting: MeetingID, among pops: some Sequence<PoPName>) -> PoPName? {
        home(of: "id:\(meeting.rawValue)", among: pops)
    }

    public static func home(of number: MeetingNumber, among pops: some Sequence<PoPName>) -> PoPName? {
        home(of: "number:\(number.value)", among: pops)
    }

    /// The PoP with the highest weight; of equals the first by name.
    private static func home(of key: String, among pops: some Sequence<PoPName>) -> PoPName? {
        pops.map { (pop: $0, weight: weight(of: key, at: $0)) }
            .max { ($0.weight, $1.pop) < ($1.weight, $0.pop) }?.pop
    }

    /// Part of what PoPs of different versions agree on: it never changes.
    static func weight(of key: String, at pop: PoPName) -> UInt64 {
        // A zero byte parts the two.
        StableHash.of("\(pop)\0\(key)")
    }
}
