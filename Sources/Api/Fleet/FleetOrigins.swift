import Synchronization

/// The public origins of the other PoPs: a page that one of them served talks to the PoP that has the meeting. Empty without
/// a fleet. Any thread may read it.
final class FleetOrigins: Sendable {
    private struct State {
        var origins: Set<String> = []
        var sources: [String] = []
    }

    /// More than these make a header that is too long.
    private static let sourceLimit = 64

    private let state = Mutex(State())

    /// - Parameter urls: of PoPs; what is no origin is passed over.
    func replace(with urls: some Sequence<String>) {
        let origins = Set(urls.compactMap(Self.origin))
        let sources = origins.count > Self.sourceLimit ? ["https:", "http:"] : origins.sorted()
        state.withLock { $0 = State(origins: origins, sources: sources) }
    }

    /// - Parameter origin: in lower case, as browsers write it.
    func contains(_ origin: String) -> Bool { state.withLock { $0.origins.contains(origin) } }

    /// For the directive `connect-src` of a Content-Security-Policy.
    var sources: [String] { state.withLock { $0.sources } }

    /// The origin of a URL without a path, as browsers write it: in lower case, without the port that goes without saying.
    static func origin(_ url: String) -> String? {
        let url = ApiConfiguration.trimmed(url).lowercased()
        guard url.utf8.count <= 300, url.wholeMatch(of: /https?:\/\/[a-z0-9.:\[\]_-]+/) != nil else { return nil }
        for usual in ["https:": ":443", "http:": ":80"] where url.hasPrefix(usual.key) && url.hasSuffix(usual.value) {
            return String(url.dropLast(usual.value.count))
        }
        return url
    }
}
