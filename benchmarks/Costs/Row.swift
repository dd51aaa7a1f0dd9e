import Wire

/// One line of the table: what was measured beside what it is held against.
struct Row {
    /// Of a ratio.
    enum Goal {
        case atMost(Double)
        case atLeast(Double)
        /// Told for comparison.
        case none
    }

    let name: String
    let unit: String
    let value: Double
    /// Nil when there is nothing to compare with.
    let limit: Double?
    let goal: Goal
    /// What the numbers mean, and how well they were measured.
    var note = ""
    /// Digits after the point.
    var places = 1

    /// Value to limit.
    var ratio: Double? {
        guard let limit else { return nil }
        // What must not occur at all: as it is.
        return limit == 0 ? value : value / limit
    }

    /// Nil without a goal.
    var isReached: Bool? { isWithin(goal, slack: 1) }

    /// Whether the ratio is not worse than `goal` by more than the factor `slack`.
    func isWithin(_ goal: Goal, slack: Double) -> Bool? {
        guard let ratio else { return nil }
        switch goal {
        case .atMost(let bound): return ratio <= bound * slack
        case .atLeast(let bound): return ratio * slack >= bound
        case .none: return nil
        }
    }
}

extension SRTPProfile {
    /// As the rows have it.
    var name: String {
        switch self {
        case .aeadAes128Gcm: "GCM"
        case .aeadAes256Gcm: "GCM 256"
        case .aes128CmHmacSha1: "CM_SHA1_80"
        }
    }
}
