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
        // FNV-1a of 64 bits; a zero byte parts the two. What ends it is SplitMix64's, as FNV mixes its last bytes badly.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in [Array(pop.rawValue.utf8), [0], Array(key.utf8)].joined() {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
        return hash ^ (hash >> 31)
    }
}
