import Dispatch
import NIOCore
import Synchronization

/// Looks an endpoint's name up, once at a time however many ask: NIO's look-ups stand in a line with those of all others, and
/// a slow name server of one endpoint would hold them all up.
final class AddressLookup: Sendable {
    private struct State {
        var waiters: [UInt64: CheckedContinuation<SocketAddress, any Error>] = [:]
        var asked: UInt64 = 0
        var isUnderWay = false
    }

    private let host: String
    private let port: Int
    /// Nil: the host is a name.
    private let literal: SocketAddress?
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "needletail.webhooks.lookup")
    private let resolve: @Sendable (String, Int) throws -> SocketAddress

    /// - Parameter resolve: looks up a name, and may take its time.
    init(
        host: String, port: Int,
        resolve: @escaping @Sendable (String, Int) throws -> SocketAddress = {
            try .makeAddressResolvingHost($0, port: $1)
        }
    ) {
        self.resolve = resolve
        self.host = host
        self.port = port
        literal = try? SocketAddress(ipAddress: host, port: port)
    }

    /// The first address of the name, as the resolver sorts them (RFC 6724).
    ///
    /// - Throws: what the look-up throws; `CancellationError` at once.
    func address() async throws -> SocketAddress {
        if let literal { return literal }
        let number = state.withLock { state in
            state.asked += 1
            return state.asked
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let begins = state.withLock { state -> Bool? in
                    guard !Task.isCancelled else { return nil }
                    state.waiters[number] = continuation
                    defer { state.isUnderWay = true }
                    return !state.isUnderWay
                }
                switch begins {
                case nil: continuation.resume(throwing: CancellationError())
                case true?: look()
                case false?: break
                }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume(throwing: CancellationError())
        }
    }

    private func look() {
        queue.async { [self] in
            let found = Result { try resolve(host, port) }
            let waiters = state.withLock { state in
                defer { state.waiters = [:] }
                state.isUnderWay = false
                return state.waiters
            }
            for waiter in waiters.values { waiter.resume(with: found) }
        }
    }
}
