import Hummingbird
import NIOCore

/// A request's surroundings: where it came from.
struct ApiContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    private let peer: Peer

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        peer = Peer.current ?? Peer(source.channel.remoteAddress, proxies: TrustedProxies())
    }

    var maxUploadSize: Int { ApiConfiguration.bodyLimit }

    /// What limits by address count the request by.
    func client(of request: Request) -> String { peer.client(request.headers) }
}
