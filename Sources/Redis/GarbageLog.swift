import Logging
import Synchronization

/// Says once of each key that what is under it cannot be understood. Any thread may use it.
final class GarbageLog: Sendable {
    /// Keys that are told apart; what is found under more is only counted.
    static let limit = 1_024

    private let logger: Logger
    private let state = Mutex((said: Set<String>(), count: UInt64(0)))

    init(_ logger: Logger) { self.logger = logger }

    /// How often something was found.
    var count: UInt64 { state.withLock { $0.count } }

    func say(_ key: String) {
        let isNew = state.withLock { state in
            state.count += 1
            return state.said.count < Self.limit && state.said.insert(key).inserted
        }
        guard isNew else { return }
        logger.warning(
            "What is under a key of the fleet's registry cannot be understood and is passed over",
            metadata: ["key": "\(printable(key))"])
    }

    private func printable(_ key: String) -> String {
        String(
            String.UnicodeScalarView(
                key.unicodeScalars.prefix(128).map { $0.value < 0x20 || $0.value == 0x7f ? "?" : $0 }))
    }
}
