import HTTPTypes
import NIOCore
import NIOHTTP1
import Synchronization
import Wire

/// The other end of a connection of the API listener: who opened it, or whom a trusted proxy opened it for.
final class Peer: Sendable {
    /// Of the connection whose requests this task answers.
    @TaskLocal static var current: Peer?

    private let proxies: TrustedProxies
    /// Nil for what is not of the Internet.
    private let direct: IPAddress?
    /// What a PROXY header said.
    private let told = Mutex<IPAddress?>(nil)

    init(_ remote: SocketAddress?, proxies: TrustedProxies) {
        self.proxies = proxies
        direct = Endpoint(remote)?.address
    }

    /// The connection is of a trusted proxy, which may say for whom it is.
    var isProxy: Bool { direct.map(proxies.contains) ?? false }

    func tell(_ source: IPAddress) { told.withLock { $0 = source } }

    /// Where the connection came from.
    var address: IPAddress? { told.withLock { $0 } ?? direct }

    /// Whose limits count for a connection; nil where the requests on it are of many.
    var site: IPAddress? {
        guard let address, proxies.contains(address) else { return address ?? Self.local }
        return nil
    }

    private static let local = IPAddress(high: 0, low: 0)

    /// What limits by address count a request by: an IPv4 address, or the /64 of an IPv6 one.
    func client(forwarded: [String], forwardedFor: [String]) -> String {
        guard let address else { return "local" }
        let client = proxies.client(nearest: address, forwarded: forwarded, forwardedFor: forwardedFor)
        return client.subscriber.description
    }

    func client(_ headers: HTTPHeaders) -> String {
        client(forwarded: headers["Forwarded"], forwardedFor: headers["X-Forwarded-For"])
    }

    func client(_ fields: HTTPFields) -> String {
        client(forwarded: fields[values: .forwarded], forwardedFor: fields[values: .xForwardedFor])
    }
}

extension HTTPField.Name {
    /// RFC 7239.
    static let forwarded = HTTPField.Name("Forwarded")!
    static let xForwardedFor = HTTPField.Name("X-Forwarded-For")!
}
