import Meetings
import Synchronization

/// When the node is too busy for newcomers.
public struct AdmissionPolicy: Sendable, Equatable {
    /// The share of a worker's cycles above which none are taken; 1 takes all.
    public var busyRatio = 0.85
    /// The time over which the 95th percentile of the busy ratio is taken.
    public var window: Duration = .seconds(20)

    public init() {}
}

/// Refuses newcomers before the quality of those inside suffers, and counts each refusal by its reason.
///
/// The busiest worker decides: a session's home is chosen by the number of sessions, not by load, and a newcomer's
/// video is forwarded on every worker that shows it.
final class Admission: Sendable {
    /// Why a newcomer is refused; the metric's `reason`.
    enum Reason: String, CaseIterable, Sendable {
        case draining, busy, full
    }

    private struct Inside {
        /// The busiest worker's ratio, once a second, the oldest first.
        var samples: [Double] = []
        var isBusy = false
        var refusals: [Reason: UInt64] = [:]
    }

    let policy: AdmissionPolicy
    /// Participants that there is place for, those of hosts with them.
    let places: Int
    /// Of them, those that only hosts take.
    private let hostPlaces: Int
    private let inside = Mutex(Inside())

    init(_ policy: AdmissionPolicy = AdmissionPolicy(), places: Int = .max) {
        self.policy = policy
        self.places = places
        hostPlaces = min(16, places / 16)
    }

    /// Places for everybody.
    private var openPlaces: Int { places - hostPlaces }

    /// Takes the busiest worker's ratio over the last second.
    func note(busyRatio: Double) {
        inside.withLock { inside in
            let room = max(1, Int(policy.window.components.seconds))
            inside.samples.append(busyRatio)
            if inside.samples.count > room { inside.samples.removeFirst(inside.samples.count - room) }
            // A short peak after the start says little.
            guard inside.samples.count * 2 >= room else { return }
            let ratio = Self.percentile(inside.samples)
            // Back below nine tenths of the limit, so that the node does not open and close with each newcomer.
            inside.isBusy = ratio > policy.busyRatio * (inside.isBusy ? 0.9 : 1)
        }
    }

    var isBusy: Bool { inside.withLock { $0.isBusy } }

    /// The 95th percentile of the busiest worker's ratio over the window.
    var busyRatio: Double { inside.withLock { Self.percentile($0.samples) } }

    /// By nearest rank; 0 of nothing.
    static func percentile(_ samples: [Double]) -> Double {
        guard !samples.isEmpty else { return 0 }
        let rank = Int((Double(samples.count) * 0.95).rounded(.up))
        return samples.sorted()[max(0, rank - 1)]
    }

    /// Lets a newcomer in or says why not.
    ///
    /// - Parameters:
    ///   - participants: those inside who had media.
    ///   - isHost: has places kept, and comes in also when the node is busy.
    /// - Throws: `Problem` 503 with Retry-After.
    func admit(isDraining: Bool, participants: Int, isHost: Bool = false) throws {
        let isFull = participants >= places(isHost: isHost)
        let reason: Reason? = isDraining ? .draining : isFull ? .full : isBusy && !isHost ? .busy : nil
        guard let reason else { return }
        throw refusal(reason)
    }

    /// The places for everybody, or for hosts.
    func places(isHost: Bool) -> Int { isHost ? places : openPlaces }

    /// Counts the refusal.
    func refusal(_ reason: Reason) -> Problem {
        inside.withLock { $0.refusals[reason, default: 0] += 1 }
        switch reason {
        case .draining: return Problem.draining
        case .busy:
            return Problem(
                503, "busy", "The node has as much to do as it can do well.",
                retryAfter: max(1, Int(policy.window.components.seconds)))
        case .full: return Problem(503, "full", "The node has no place for another participant.", retryAfter: 30)
        }
    }

    /// Whether newcomers find place.
    func condition(participants: Int) -> ReadinessCondition {
        let ratio = Int((busyRatio * 100).rounded())
        let isFull = participants >= openPlaces
        let detail =
            isFull
            ? "full: all \(openPlaces) places are taken"
            : "\(openPlaces - participants) of \(openPlaces) places left, busy \(ratio)% (limit \(Int(policy.busyRatio * 100))%)"
        return ReadinessCondition(name: "capacity", isMet: !isFull && !isBusy, detail: detail)
    }

    func refusals(_ reason: Reason) -> UInt64 { inside.withLock { $0.refusals[reason] ?? 0 } }
}
