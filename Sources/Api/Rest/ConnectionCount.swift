import Conference
import HummingbirdCore
import Logging
import NIOCore
import Synchronization
import Wire

/// The API listener's connections, or its requests over HTTP/2: how many are open, and no address has those of all.
final class ConnectionCount: Sendable {
    private struct Inside {
        var sites: Tally<IPAddress>
        var open = 0
        var refused: UInt64 = 0
    }

    private let inside: Mutex<Inside>
    private let total: Int

    /// - Parameters:
    ///   - limit: for each address; an IPv6 /64 counts as one.
    ///   - total: for all together.
    init(limit: Int, total: Int = .max) {
        inside = Mutex(Inside(sites: Tally(limit: limit)))
        self.total = total
    }

    /// Those that are open now.
    var open: Int { inside.withLock { $0.open } }

    /// Those that were closed at once, as there were enough.
    var refused: UInt64 { inside.withLock { $0.refused } }

    /// Counts a channel until it closes; false when its address, or all together, have enough of them.
    func admit(_ channel: any Channel) -> Bool {
        // What is not of the Internet counts as one address.
        let site = Endpoint(channel.remoteAddress)?.address.subscriber ?? IPAddress(high: 0, low: 0)
        let isAdmitted = inside.withLock { inside in
            guard inside.open < total, inside.sites.hasRoom(for: site) else {
                inside.refused += 1
                return false
            }
            inside.sites.add(site)
            inside.open += 1
            return true
        }
        if isAdmitted { channel.closeFuture.whenComplete { [self] _ in forget(site) } }
        return isAdmitted
    }

    private func forget(_ site: IPAddress) {
        inside.withLock { inside in
            inside.sites.remove(site)
            inside.open -= 1
        }
    }
}

/// A connection of the API listener that is closed at once when its address has enough of them.
struct CountedChannel<Base: HTTPChannelHandler>: HTTPChannelHandler {
    let base: Base
    let count: ConnectionCount

    var responder: Responder { base.responder }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        // An error here would be the listener's: the connection is set up, then closed.
        if !count.admit(channel) { channel.eventLoop.execute { channel.close(promise: nil) } }
        return base.setup(channel: channel, logger: logger)
    }

    func handle(value: Base.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
