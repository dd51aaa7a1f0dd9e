import Meetings

/// What becomes of a webhook after an attempt.
public enum DeliveryVerdict: Sendable, Equatable {
    case delivered
    case retry(at: Timestamp)
    /// No attempt follows by itself.
    case dead
}

/// When a webhook that was not taken is sent again, and when it is given up.
public struct RetrySchedule: Sendable, Equatable {
    /// The steps that Standard Webhooks 1.0.0 proposes, in short: ten attempts within 47 hours.
    public static let usual: [Duration] = [
        .seconds(5), .seconds(30), .seconds(120), .seconds(600), .seconds(3_600), .seconds(10_800), .seconds(21_600),
        .seconds(43_200), .seconds(86_400),
    ]
    /// Older than this a webhook is given up at its next failure: those behind one that was given up have waited with it,
    /// and do not begin anew.
    public static let horizon: Duration = .seconds(72 * 3_600)
    /// The longest wait that a receiver may ask for.
    public static let longestWait: Duration = .seconds(86_400)

    /// The waits between attempts; there is one attempt more.
    public let delays: [Duration]

    public init(_ delays: [Duration] = usual) { self.delays = delays }

    /// Decides after an attempt.
    ///
    /// - Parameters:
    ///   - attempts: how many there were, with this one.
    ///   - since: when it was written down, or last asked for anew.
    public func verdict(
        on answer: DeliveryAnswer, attempts: Int, since: Timestamp, at now: Timestamp,
        using generator: inout some RandomNumberGenerator
    ) -> DeliveryVerdict {
        if case .status(200..<300, _) = answer { return .delivered }
        // It wants no more of it (Standard Webhooks 1.0.0, "Status codes").
        if case .status(410, _) = answer { return .dead }
        guard attempts <= delays.count, now - since < Self.horizon else { return .dead }
        // Spread, so that those who failed together do not come back together.
        let usual = now + delays[max(attempts, 1) - 1] * Double.random(in: 0.8...1.2, using: &generator)
        guard case .status(let status, let text?) = answer, [429, 503].contains(status),
            let wanted = RetryAfter.moment(text, at: now)
        else { return .retry(at: usual) }
        return .retry(at: max(usual, min(wanted, now + Self.longestWait)))
    }
}
