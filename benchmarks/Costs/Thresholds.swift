import Dataplane

/// The ratios that a short run holds the rows against: lines of a row's name, a bar, `<=` or `>=`, and the ratio; with
/// `own GCM` behind another bar only where AES-GCM is our own code.
struct Thresholds {
    struct Verdict {
        let isGood: Bool
        /// Begins with "ok" or "FAIL".
        let text: String

        init(_ isGood: Bool, _ text: String) {
            self.isGood = isGood
            self.text = "\(isGood ? "ok" : "FAIL") \(text)"
        }
    }

    /// A ratio may be worse by this factor, as a busy machine measures badly.
    static let slack = 1.25

    private let goals: [(name: String, goal: Row.Goal)]

    init(_ text: String) throws {
        goals = try text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
            let fields = line.split(separator: "|", maxSplits: 2).map { $0.split(separator: " ").map(String.init) }
            guard fields.count >= 2, fields[1].count == 2, let ratio = Double(fields[1][1]),
                fields.count == 2 || fields[2] == ["own", "GCM"]
            else { throw Failure("thresholds: this is not a row, a bar, <= or >=, and a number: \(line)") }
            if fields.count == 3 && !SRTPSupport.hasOwnGcm { return nil }
            return (fields[0].joined(separator: " "), fields[1][0] == ">=" ? .atLeast(ratio) : .atMost(ratio))
        }
    }

    /// One for each threshold of the rows that were asked for: one that was not measured is a failure too.
    func verdicts(on rows: [Row], _ options: Options) -> [Verdict] {
        goals.filter { options.wants([$0.name]) && Meetings.names.contains($0.name) == options.isMeetings }.map {
            name, goal in
            guard let row = rows.first(where: { $0.name == name }), let ratio = row.ratio,
                let isGood = row.isWithin(goal, slack: Self.slack)
            else { return Verdict(false, "\(name): not measured") }
            let bound =
                switch goal {
                case .atMost(let bound): "at most \(Report.fixed(bound, 2)) and 25%"
                case .atLeast(let bound): "at least \(Report.fixed(bound, 2)) less 25%"
                case .none: ""
                }
            return Verdict(isGood, "\(name): ratio \(Report.fixed(ratio, 2)), threshold \(bound)")
        }
    }
}
