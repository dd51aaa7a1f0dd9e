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

    /// Counts a channel until it closes; false when its address, or all together, have enough of them. One of a trusted
    /// proxy, whose requests are of many, is counted among all alone.
    func admit(_ channel: any Channel, of peer: Peer) -> Bool {
        let isAdmitted = inside.withLock { inside in
            guard inside.open < total else {
                inside.refused += 1
                return false
            }
            inside.open += 1
            return true
        }
        guard isAdmitted else { return false }
        channel.closeFuture.whenComplete { [self] _ in inside.withLock { $0.open -= 1 } }
        return assign(channel, to: peer)
    }

    /// Counts a channel that is counted among all for its address, too, which is known now; false when that has enough.
    func assign(_ channel: any Channel, to peer: Peer) -> Bool {
        guard let site = peer.site?.subscriber else { return true }
        let isAdmitted = inside.withLock { inside in
            guard inside.sites.hasRoom(for: site) else {
                inside.refused += 1
                return false
            }
            inside.sites.add(site)
            return true
        }
        if isAdmitted { channel.closeFuture.whenComplete { [self] _ in inside.withLock { $0.sites.remove(site) } } }
        return isAdmitted
    }
}

/// A connection of the API listener that is closed at once when its address has enough of them.
struct CountedChannel<Base: HTTPChannelHandler>: HTTPChannelHandler {
    struct Value: ServerChildChannelValue {
        let base: Base.Value
        let peer: Peer

        var channel: any Channel { base.channel }
    }

    let base: Base
    let count: ConnectionCount
    let proxies: TrustedProxies

    var responder: Responder { base.responder }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let peer = Peer(channel.remoteAddress, proxies: proxies)
        // An error here would be the listener's: the connection is set up, then closed.
        if !count.admit(channel, of: peer) { channel.eventLoop.execute { channel.close(promise: nil) } }
        do {
            let handler = ProxyHeaderHandler(peer) { [count] in count.assign(channel, to: $0) }
            try channel.pipeline.syncOperations.addHandler(handler)
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        return base.setup(channel: channel, logger: logger).map { Value(base: $0, peer: peer) }
    }

    func handle(value: Value, logger: Logger) async {
        await Peer.$current.withValue(value.peer) { await base.handle(value: value.base, logger: logger) }
    }
}
