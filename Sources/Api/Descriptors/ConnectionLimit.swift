import HummingbirdCore
import Logging

/// So many connections of a listener at once; more wait in the kernel's queue until one closes. The log has it once each time.
struct ConnectionLimit: AvailableConnectionsDelegate {
    private let limit: Int
    private let name: String
    private let logger: Logger
    private var count = 0
    private var wasTold = false

    init(_ limit: Int, of name: String, logger: Logger) {
        self.limit = limit
        self.name = name
        self.logger = logger
    }

    mutating func connectionOpened() {
        count += 1
        guard count >= limit, !wasTold else { return }
        wasTold = true
        logger.warning("as many connections as there may be", metadata: ["listener": "\(name)", "limit": "\(limit)"])
    }

    mutating func connectionClosed() {
        count -= 1
        if count < limit - limit / 8 { wasTold = false }
    }

    func isAcceptingNewConnections() -> Bool { count < limit }
}
