import Synchronization

/// The keys of services that call the API, which may be changed while it serves.
public final class ServiceKeys: Sendable {
    /// Secrets by the key's identifier.
    private let secrets: Mutex<[String: [UInt8]]>

    /// - Parameter keys: proved by `ApiConfiguration.validate`.
    public init(_ keys: [ApiConfiguration.Key]) { secrets = Mutex(Self.table(keys)) }

    /// From now on only tokens of these are taken.
    public func replace(with keys: [ApiConfiguration.Key]) { secrets.withLock { $0 = Self.table(keys) } }

    subscript(id: String) -> [UInt8]? { secrets.withLock { $0[id] } }

    private static func table(_ keys: [ApiConfiguration.Key]) -> [String: [UInt8]] {
        Dictionary(keys.map { ($0.id, $0.secret) }) { _, last in last }
    }
}
