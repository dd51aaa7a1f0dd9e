import Synchronization

/// Counts what the API listener ended because a client kept to no limit.
final class ConnectionEnds: Sendable {
    enum Reason: String, CaseIterable {
        /// A signaling socket that left too much waiting.
        case slowReader = "slow_reader"
        /// A signaling socket with too many messages or control frames.
        case flood
        /// A request of HTTP/2 for whose body its connection had no room.
        case bodies
    }

    private let counts = Mutex<[Reason: UInt64]>([:])

    func count(_ reason: Reason) { counts.withLock { $0[reason, default: 0] += 1 } }

    subscript(reason: Reason) -> UInt64 { counts.withLock { $0[reason] ?? 0 } }
}
