/// Who leads the conversation: who is the loudest long enough, and not changed too often. Pure.
struct SpeakerHistory: Sendable {
    /// The loudest for so long leads, ms.
    static let patience = 1_500
    /// And for so long at least, ms.
    static let shortest = 3_000

    /// From `at` on, in order; nobody before the first.
    let leaders: [(at: Int, id: String)]

    /// - Parameter speakers: from `at` on, the loudest first, in order.
    init(_ speakers: [(at: Int, ids: [String])], until end: Int) {
        var leaders: [(at: Int, id: String)] = []
        // Silence changes nobody.
        var runs: [(at: Int, id: String)] = []
        for (at, ids) in speakers {
            guard let first = ids.first, runs.last?.id != first else { continue }
            runs.append((at, first))
        }
        for (index, run) in runs.enumerated() where leaders.last?.id != run.id {
            let until = index + 1 < runs.count ? runs[index + 1].at : end
            // The first one leads at once.
            let earliest = leaders.last.map { max(run.at + Self.patience, $0.at + Self.shortest) } ?? run.at
            if earliest < until || leaders.isEmpty { leaders.append((earliest, run.id)) }
        }
        self.leaders = leaders
    }
}
