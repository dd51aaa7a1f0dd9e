import Hummingbird
import NIOCore

/// A request's surroundings: where it came from.
struct ApiContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let remoteAddress: SocketAddress?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        remoteAddress = source.channel.remoteAddress
    }

    var maxUploadSize: Int { ApiConfiguration.bodyLimit }

    /// What the rate limit counts by.
    var addressKey: String { remoteAddress.subscriber }
}

extension SocketAddress? {
    /// What limits by address count by: an IPv4 address, or the /64 of an IPv6 one.
    var subscriber: String {
        switch self {
        case .v6(let address):
            var bytes = withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
            // A dual-stack listener shows IPv4 peers as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).
            if bytes.prefix(12).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]) {
                bytes.removeFirst(12)
            } else {
                bytes.removeLast(8)
            }
            return bytes.map { String($0, radix: 16) }.joined(separator: ".")
        case .v4(let address):
            return withUnsafeBytes(of: address.address.sin_addr) { bytes in
                bytes.map { String($0, radix: 16) }.joined(separator: ".")
            }
        default: return "local"
        }
    }
}
