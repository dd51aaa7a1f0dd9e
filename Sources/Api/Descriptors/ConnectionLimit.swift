import HummingbirdCore
import Logging
import Meetings

/// So many connections of a listener at once; more wait in the kernel's queue until one closes. The log has it
/// once a minute at most, however often the last place is taken.
struct ConnectionLimit: AvailableConnectionsDelegate {
    /// Between two lines.
    private static let pause: Duration = .seconds(60)

    private let limit: Int
    private let name: String
    private let clock: any ApiClock
    private let logger: Logger
    private var count = 0
    private var lastTold: Timestamp?

    init(_ limit: Int, of name: String, clock: any ApiClock, logger: Logger) {
        self.limit = limit
        self.name = name
        self.clock = clock
        self.logger = logger
    }

    mutating func connectionOpened() {
        count += 1
        let now = clock.now
        guard count >= limit, lastTold.map({ $0 + Self.pause <= now }) ?? true else { return }
        lastTold = now
        logger.warning("as many connections as there may be", metadata: ["listener": "\(name)", "limit": "\(limit)"])
    }

    mutating func connectionClosed() { count -= 1 }

    func isAcceptingNewConnections() -> Bool { count < limit }
}
