/// Who feeds whom with what is published at one PoP.
public struct FeedTree: Equatable, Sendable {
    public let source: String
    /// Who feeds each PoP but the source.
    public private(set) var upstream: [String: String] = [:]
    /// Whom each PoP feeds, by name; PoPs that feed nobody are left out.
    public private(set) var downstreams: [String: [String]] = [:]

    init(source: String) { self.source = source }

    mutating func feed(_ pop: String, from feeder: String) {
        upstream[pop] = feeder
        downstreams[feeder, default: []].append(pop)
    }

    mutating func sort() {
        for feeder in downstreams.keys { downstreams[feeder]?.sort() }
    }

    /// Lanes between the source and `pop`; nil if it is not in the tree.
    public func depth(of pop: String) -> Int? {
        var (pop, depth) = (pop, 0)
        while pop != source {
            guard let feeder = upstream[pop] else { return nil }
            (pop, depth) = (feeder, depth + 1)
        }
        return depth
    }
}
