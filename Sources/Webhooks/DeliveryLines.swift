import Meetings

/// Which lines are to be served when: each one webhook at a time, so that a meeting's stay in order, and of each endpoint
/// a few at once, in turn, so that none waits for another's receiver. Webhooks themselves are in the Store.
public struct DeliveryLines: Sendable {
    /// Attempts at an endpoint at once.
    public static let endpointLimit = 8

    /// How a line goes on after it was looked at.
    public enum Next: Sendable, Equatable {
        /// Nothing waits in it.
        case idle
        /// There may be more.
        case ready
        case wait(until: Timestamp)
    }

    private enum State: Equatable {
        case ready
        /// `isNews`: something came that whoever serves it may not have seen. `isHastened`: what waits is to go at once.
        case underWay(isNews: Bool, isHastened: Bool)
        case waiting(until: Timestamp)
    }

    private struct Endpoint {
        var ready = Fifo<DeliveryLine>()
        var underWay = 0
    }

    private var states: [DeliveryLine: State] = [:]
    private var endpoints: [String: Endpoint] = [:]
    /// Those of lines that wait no more among them.
    private var deadlines = Deadlines<DeliveryLine>()
    /// Lines that are served.
    public private(set) var underWay = 0

    public init() {}

    /// Lines that anything is known of.
    public var count: Int { states.count }

    /// Nothing is under way, and nothing would start.
    public mutating func isQuiet(at now: Timestamp) -> Bool {
        wake(at: now)
        return underWay == 0 && endpoints.values.allSatisfy(\.ready.isEmpty)
    }

    /// A webhook was written down. One before it that waits for its next attempt keeps the line waiting.
    public mutating func note(_ line: DeliveryLine) {
        switch states[line] {
        case nil: queue(line)
        case .underWay(_, let isHastened): states[line] = .underWay(isNews: true, isHastened: isHastened)
        case .ready, .waiting: break
        }
    }

    /// What waits is to go at once.
    public mutating func hasten(_ line: DeliveryLine) {
        switch states[line] {
        case nil, .waiting: queue(line)
        case .underWay: states[line] = .underWay(isNews: true, isHastened: true)
        case .ready: break
        }
    }

    /// The lines to serve now; each is `finish`ed once.
    public mutating func start(at now: Timestamp) -> [DeliveryLine] {
        wake(at: now)
        var started: [DeliveryLine] = []
        for name in endpoints.keys {
            while endpoints[name, default: Endpoint()].underWay < Self.endpointLimit,
                let line = endpoints[name]?.ready.popFirst()
            {
                states[line] = .underWay(isNews: false, isHastened: false)
                endpoints[name]?.underWay += 1
                underWay += 1
                started.append(line)
            }
        }
        return started
    }

    /// A line that was started was looked at.
    public mutating func finish(_ line: DeliveryLine, _ next: Next) {
        guard case .underWay(let isNews, let isHastened) = states[line] else { return }
        endpoints[line.endpoint]?.underWay -= 1
        underWay -= 1
        switch next {
        case .idle where !isNews: states[line] = nil
        case .wait(let moment) where !isHastened:
            states[line] = .waiting(until: moment)
            deadlines.insert(line, at: moment)
        case .idle, .ready, .wait: queue(line)
        }
    }

    private mutating func queue(_ line: DeliveryLine) {
        states[line] = .ready
        endpoints[line.endpoint, default: Endpoint()].ready.append(line)
    }

    private mutating func wake(at now: Timestamp) {
        while let due = deadlines.pop(at: now) {
            if states[due.element] == .waiting(until: due.at) { queue(due.element) }
        }
    }
}
